//! Rules about keys, names and definitions of tables.

use super::{Rule, Subject, With, columns, listed, plural};
use crate::analysis::facts::{Identity, TableFacts, Trait};
use crate::data::catalog::{CatalogForeignKey, CatalogTable};
use godwit_shared::analysis::{Category, Detection, Difficulty, Level, ObjectType};
use godwit_shared::schema::TableName;
use std::collections::HashMap;

const fn rule(id: &'static str, name: &'static str, difficulty: Difficulty, level: Level) -> Rule {
    Rule {
        id,
        name,
        object: ObjectType::Table,
        category: Category::Schema,
        difficulty,
        level,
    }
}

const COUNTERS: Rule = rule(
    "auto_increment",
    "Auto-Incrementing Columns",
    Difficulty::High,
    Level::Notice,
);
const NO_KEY: Rule = rule(
    "no_primary_key",
    "Table without primary key",
    Difficulty::Medium,
    Level::Risk,
);
const IDENTITY: Rule = rule(
    "replica_identity",
    "Missing replica identity",
    Difficulty::Low,
    Level::Task,
);
const OTHER_CASE: Rule = rule(
    "case_insensitive_keys",
    "Keys that differ by case",
    Difficulty::Medium,
    Level::Risk,
);
const PADDING: Rule = rule("char_padding", "CHAR padding in keys", Difficulty::Medium, Level::Risk);
const NAMES: Rule = rule(
    "names_to_escape",
    "Names needing escape",
    Difficulty::Low,
    Level::Notice,
);
const ACTIONS: Rule = rule("cascading_keys", "Cascading keys", Difficulty::Medium, Level::Notice);
const DEFERRED: Rule = rule("deferred_keys", "Deferred keys", Difficulty::Low, Level::Notice);
const CIRCLES: Rule = rule("circular_keys", "Circular keys", Difficulty::Medium, Level::Notice);
const FORMS: Rule = rule("special_tables", "Special tables", Difficulty::Low, Level::Notice);
const SECURITY: Rule = rule("row_security", "Row level security", Difficulty::Medium, Level::Risk);
const DEFINITIONS: Rule = rule(
    "schema_validation",
    "Rules kept by the schema",
    Difficulty::Low,
    Level::Notice,
);

/// The most bytes of a collection's name that fit everywhere.
const NAME_BYTES_MAX: usize = 120;

/// Applies them to one table.
pub fn look(subject: &Subject<'_>, table: &CatalogTable, facts: &TableFacts, found: &mut Vec<Detection>) {
    counters(table, found);
    keys(subject, table, facts, found);
    foreign_keys(subject, table, facts, found);
    names(table, found);
    definitions(table, facts, found);
    if !facts.forms.is_empty() {
        let text = format!("The table {}.", facts.forms.join("; it "));
        let then =
            "Its rows are read as those of any table. Look at whether the documents need what the source does here.";
        found.push(FORMS.at_table(table, text, then));
    }
    if table.has_row_security {
        let policies = match facts.policies.is_empty() {
            true => String::new(),
            false => format!(" by the policies {}", listed(&facts.policies)),
        };
        let text = format!("Row security is in force for this user and may hide rows{policies}.");
        let then = "Read as a user that may bypass row security (BYPASSRLS, or the owner of the table): a job is refused \
                    otherwise, since rows would be missing without a word.";
        found.push(SECURITY.at_table(table, text, then).members(facts.policies.clone()));
    }
}

fn counters(table: &CatalogTable, found: &mut Vec<Detection>) {
    let counted: Vec<String> = (table.columns.iter())
        .filter(|c| c.is_auto_incremented)
        .map(|c| c.name.clone())
        .collect();
    if counted.is_empty() {
        return;
    }
    let text = format!(
        "Column{} {} get their values from a counter.",
        plural(counted.len()),
        listed(&counted)
    );
    let then = "MongoDB has no such counter. Let new documents have ObjectIds, which also spread over shards; or keep the \
                numbers and let the application count in a collection of its own.";
    found.push(COUNTERS.at_table(table, text, then).members(counted));
}

/// Whether something tells the rows apart.
fn has_key(table: &CatalogTable) -> bool {
    let is_key = |columns: &[Option<usize>]| {
        !columns.is_empty() && columns.iter().all(|c| c.is_some_and(|c| !table.columns[c].nullable))
    };
    !table.primary_key.is_empty() || table.indexes.iter().any(|i| i.is_unique && is_key(&i.columns))
}

fn keys(subject: &Subject<'_>, table: &CatalogTable, facts: &TableFacts, found: &mut Vec<Detection>) {
    if !has_key(table) {
        let continuous = if subject.is_continuous() {
            " In a continuous migration equal rows cannot be followed one by one."
        } else {
            ""
        };
        let text = format!("There is neither a primary key nor a unique key without NULL.{continuous}");
        let then = "Add a primary key in the source. Without one the `_id` is made of the whole row, and rows that are equal \
                    are told apart by their number alone.";
        let level = if subject.is_continuous() {
            Level::Task
        } else {
            NO_KEY.level
        };
        found.push(NO_KEY.at_table(table, text, then).level(level));
    }
    let lacks = match facts.identity {
        Identity::Nothing => Some("is NOTHING"),
        Identity::Default if table.primary_key.is_empty() => Some("is DEFAULT, and there is no primary key"),
        Identity::Default | Identity::Index | Identity::Full | Identity::None => None,
    };
    if let Some(lacks) = lacks.filter(|_| subject.is_continuous()) {
        let text = format!("The replica identity {lacks}: the log of changes would not say which row has changed.");
        let then = format!("ALTER TABLE {} REPLICA IDENTITY FULL;", sql_name(&table.name));
        found.push(IDENTITY.at_table(table, text, then));
    }
}

fn sql_name(name: &TableName) -> String {
    let quote = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    format!("{}.{}", quote(&name.schema), quote(&name.table))
}

fn foreign_keys(subject: &Subject<'_>, table: &CatalogTable, facts: &TableFacts, found: &mut Vec<Detection>) {
    let (mut cascading, mut deferred, mut padded, mut other_case) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for key in &table.foreign_keys {
        if is_padded(subject, table, facts, key) {
            padded.push(key.name.clone());
        }
        let Some(known) = facts.keys.get(&key.name) else {
            continue;
        };
        let actions = [("delete", &known.on_delete), ("update", &known.on_update)];
        let actions: Vec<String> = (actions.iter())
            .filter_map(|(what, action)| Some(format!("on {what} {}", action.as_ref()?.to_lowercase())))
            .collect();
        if !actions.is_empty() {
            cascading.push((key.name.clone(), format!("{} ({})", key.name, actions.join(", "))));
        }
        if known.is_deferrable {
            deferred.push(key.name.clone());
        }
        if known.has_other_case {
            other_case.push(key.name.clone());
        }
    }
    if !cascading.is_empty() {
        let shown: Vec<String> = cascading.iter().map(|(_, shown)| shown.clone()).collect();
        let text = format!(
            "Foreign key{} {} change other rows.",
            plural(shown.len()),
            listed(&shown)
        );
        let then = "MongoDB has no foreign keys: what is embedded goes with its document, all else the application has to \
                    change itself, in a transaction where both have to be seen together.";
        let members = cascading.into_iter().map(|(name, _)| name).collect();
        found.push(ACTIONS.at_table(table, text, then).members(members));
    }
    if !deferred.is_empty() {
        let text = format!(
            "Foreign key{} {} may be broken until the end of a transaction.",
            plural(deferred.len()),
            listed(&deferred)
        );
        let then = "Documents of a migration are read in one point in time and are not affected. What relies on the order of \
                    statements has to be looked at in the application.";
        found.push(DEFERRED.at_table(table, text, then).members(deferred));
    }
    if !padded.is_empty() {
        let text = format!(
            "Foreign key{} {} connect a text that is filled up with blanks with one that is not.",
            plural(padded.len()),
            listed(&padded)
        );
        let then = "The source ignores the blanks when it compares, and so does a migration; a lookup between collections does \
                    not. Cut the blanks off with a calculated field, or change one of the types.";
        found.push(PADDING.at_table(table, text, then).members(padded));
    }
    if !other_case.is_empty() {
        let text = format!(
            "Foreign key{} {} have values that are written in other letters than those that they refer to.",
            plural(other_case.len()),
            listed(&other_case)
        );
        let then = "The source calls capital and small letters equal, and so does a migration; a lookup between collections \
                    needs a collation for it. Write the values alike in the source, or give the collections one.";
        found.push(OTHER_CASE.at_table(table, text, then).members(other_case));
    }
}

/// Whether one side of a key is filled up with blanks, and the other is not.
fn is_padded(subject: &Subject<'_>, table: &CatalogTable, facts: &TableFacts, key: &CatalogForeignKey) -> bool {
    let Some(target) = subject.facts.tables.get(&key.target) else {
        return false;
    };
    let is = |facts: &TableFacts, column: &str, wanted| facts.columns.get(column).is_some_and(|c| c.is(wanted));
    debug_assert!(key.columns.len() == key.target_columns.len(), "{}", table.name);
    (key.columns.iter().zip(&key.target_columns)).any(|(own, other)| {
        let one = is(facts, own, Trait::Padded) && is(target, other, Trait::Varying);
        one || (is(facts, own, Trait::Varying) && is(target, other, Trait::Padded))
    })
}

/// Tables that refer to each other in a circle, or to themselves over others.
pub fn look_at_circles(subject: &Subject<'_>, found: &mut Vec<Detection>) {
    let places: HashMap<&TableName, usize> = subject.tables.iter().enumerate().map(|(n, t)| (&t.name, n)).collect();
    let mut edges: Vec<Vec<usize>> = (subject.tables.iter())
        .map(|table| {
            (table.foreign_keys.iter())
                .filter_map(|k| places.get(&k.target).copied())
                .collect()
        })
        .collect();
    for (place, targets) in edges.iter_mut().enumerate() {
        // A table that refers to itself is a tree, not a circle.
        targets.retain(|target| *target != place);
    }
    for mut circle in circles(&edges) {
        circle.sort_unstable();
        let names: Vec<String> = circle.iter().map(|n| subject.tables[*n].name.to_string()).collect();
        for place in circle {
            let table = subject.tables[place];
            let text = format!("The foreign keys of {} lead in a circle.", listed(&names));
            let then = "Only one side can be embedded in the other. Let the other direction stay a reference.";
            found.push(CIRCLES.at_table(table, text, then).members(names.clone()));
        }
    }
}

/// Groups of places that can all be reached from each other; only those of more than one. Tarjan's algorithm, without
/// recursion: a chain of keys may be long.
fn circles(edges: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let count = edges.len();
    let (mut order, mut low) = (vec![usize::MAX; count], vec![0; count]);
    let (mut is_open, mut open) = (vec![false; count], Vec::new());
    let (mut next, mut groups) = (0, Vec::new());
    for start in 0..count {
        if order[start] != usize::MAX {
            continue;
        }
        let mut work = vec![(start, 0)];
        while let Some((at, edge)) = work.pop() {
            if edge == 0 {
                (order[at], low[at]) = (next, next);
                next += 1;
                open.push(at);
                is_open[at] = true;
            } else {
                let back = edges[at][edge - 1];
                if is_open[back] {
                    low[at] = low[at].min(low[back]);
                }
            }
            if let Some(target) = edges[at].get(edge) {
                work.push((at, edge + 1));
                if order[*target] == usize::MAX {
                    work.push((*target, 0));
                } else if is_open[*target] {
                    low[at] = low[at].min(order[*target]);
                }
                continue;
            }
            if low[at] == order[at] {
                let mut group = Vec::new();
                while let Some(member) = open.pop() {
                    is_open[member] = false;
                    group.push(member);
                    if member == at {
                        break;
                    }
                }
                if group.len() > 1 {
                    groups.push(group);
                }
            }
        }
    }
    groups
}

fn names(table: &CatalogTable, found: &mut Vec<Detection>) {
    let needs_escape = |name: &str| {
        name.contains(['.', '$', '\0']) || name.starts_with(|c: char| c.is_ascii_digit()) || name.is_empty()
    };
    let own = &table.name.table;
    let mut named: Vec<String> = Vec::new();
    if needs_escape(own) || own.len() > NAME_BYTES_MAX {
        named.push(own.clone());
    }
    named.extend(
        table
            .columns
            .iter()
            .filter(|c| needs_escape(&c.name))
            .map(|c| c.name.clone()),
    );
    if named.is_empty() {
        return;
    }
    let text = format!(
        "The name{} {} are awkward in MongoDB: a dot, a `$`, a digit in front, or too long.",
        plural(named.len()),
        listed(&named)
    );
    let then =
        "Give fields and collections other names in the mapping; what is proposed there has them replaced already.";
    found.push(NAMES.at_table(table, text, then).members(named));
}

fn definitions(table: &CatalogTable, facts: &TableFacts, found: &mut Vec<Detection>) {
    let named = |matches: &dyn Fn(&str) -> bool| -> Vec<String> {
        (table.columns.iter())
            .filter(|c| matches(&c.name))
            .map(|c| c.name.clone())
            .collect()
    };
    let is = |name: &str, wanted| facts.columns.get(name).is_some_and(|c| c.is(wanted));
    let computed: Vec<String> = (table.columns.iter())
        .filter(|c| c.is_generated)
        .map(|c| c.name.clone())
        .collect();
    let defaults: Vec<String> = (columns(table, facts))
        .filter(|(_, c)| c.default.is_some())
        .map(|(c, _)| c.name.clone())
        .collect();
    let parts = [
        ("computed columns", computed),
        ("defaults", defaults),
        ("lists of values", named(&|name| is(name, Trait::Enumerated))),
        ("domains with conditions", named(&|name| is(name, Trait::Constrained))),
        ("check constraints", facts.checks.clone()),
    ];
    let told: Vec<String> = (parts.iter())
        .filter(|(_, names)| !names.is_empty())
        .map(|(what, names)| format!("{what}: {}", listed(names)))
        .collect();
    if told.is_empty() {
        return;
    }
    let mut members: Vec<String> = parts.into_iter().flat_map(|(_, names)| names).collect();
    members.sort();
    members.dedup();
    let text = format!(
        "The schema keeps rules that documents do not have by themselves. {}.",
        told.join("; ")
    );
    let then = "Give the collection a validator ($jsonSchema) for lists of values and conditions; let the application set \
                defaults and computed values. The values themselves are migrated.";
    found.push(DEFINITIONS.at_table(table, text, then).members(members));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::facts::KeyFacts;
    use crate::analysis::testing::{Bench, index, key, table};
    use godwit_shared::job::MigrationMode;

    #[test]
    fn counters_are_named() {
        let mut bench = Bench::clean();
        bench.change("parent", |t| t.columns[0].is_auto_incremented = true);
        assert_eq!(bench.only("auto_increment").members, ["id"]);
    }

    #[test]
    fn a_table_without_any_key_is_a_task_where_changes_are_followed() {
        let mut bench = Bench::clean();
        bench.change("child", |t| {
            t.primary_key.clear();
            t.indexes.retain(|i| i.name != "pkey");
        });
        assert_eq!(bench.only("no_primary_key").rule_type, Level::Risk);
        bench.mode = MigrationMode::Cdc;
        assert_eq!(bench.only("no_primary_key").rule_type, Level::Task);
        // A unique key without NULL is one too.
        bench.change("child", |t| t.indexes.push(index("own", &[0], true)));
        assert!(bench.rules().is_empty());
        bench.change("child", |t| t.columns[0].nullable = true);
        assert_eq!(bench.only("no_primary_key").rule_type, Level::Task);
    }

    #[test]
    fn a_replica_identity_is_missing_for_changes_alone() {
        let mut bench = Bench::clean();
        bench.facts("parent").identity = Identity::Nothing;
        assert!(bench.rules().is_empty());
        bench.mode = MigrationMode::CdcOnly;
        let found = bench.only("replica_identity");
        assert_eq!(
            found.mitigation_text,
            "ALTER TABLE \"public\".\"parent\" REPLICA IDENTITY FULL;"
        );
        for enough in [Identity::Default, Identity::Full, Identity::Index] {
            bench.facts("parent").identity = enough;
            assert!(bench.rules().is_empty());
        }
        bench.facts("parent").identity = Identity::Default;
        bench.change("parent", |t| t.primary_key.clear());
        assert_eq!(bench.only("replica_identity").rule_type, Level::Task);
    }

    #[test]
    fn what_keys_do_is_named() {
        let mut bench = Bench::clean();
        *bench.fk() = KeyFacts {
            on_delete: Some("CASCADE".into()),
            ..KeyFacts::default()
        };
        assert!(
            bench
                .only("cascading_keys")
                .detection_text
                .contains("fk (on delete cascade)")
        );
        *bench.fk() = KeyFacts {
            is_deferrable: true,
            ..KeyFacts::default()
        };
        assert_eq!(bench.only("deferred_keys").members, ["fk"]);
        *bench.fk() = KeyFacts {
            has_other_case: true,
            ..KeyFacts::default()
        };
        assert_eq!(bench.only("case_insensitive_keys").rule_type, Level::Risk);
        *bench.fk() = KeyFacts::default();
        assert!(bench.rules().is_empty());
    }

    #[test]
    fn blanks_matter_where_only_one_side_has_them() {
        let mut bench = Bench::clean();
        let mut of = |table: &str, column: &str, what: Trait| {
            bench.facts(table).columns.entry(column.into()).or_default().traits = vec![what];
        };
        of("child", "parent_id", Trait::Padded);
        of("parent", "id", Trait::Padded);
        assert!(bench.rules().is_empty());
        bench.facts("parent").columns.entry("id".into()).or_default().traits = vec![Trait::Varying];
        assert_eq!(bench.only("char_padding").members, ["fk"]);
    }

    #[test]
    fn a_circle_is_told_at_each_of_its_tables_and_a_tree_is_none() {
        let mut bench = Bench::clean();
        bench.change("child", |t| {
            t.foreign_keys.push(key("tree", "parent_id", "child"));
        });
        assert!(bench.rules().is_empty());
        bench.change("parent", |t| {
            t.columns.push(crate::data::catalog::testing::int4("child_id"));
            t.foreign_keys.push(key("back", "child_id", "child"));
            t.indexes.push(index("by_child", &[1], false));
        });
        let found = bench.detect();
        let at: Vec<&str> = found.iter().map(|d| d.id.as_str()).collect();
        assert_eq!(at, ["circular_keys:public.child", "circular_keys:public.parent"]);
        assert_eq!(found[0].members, ["public.child", "public.parent"]);
    }

    #[test]
    fn circles_are_found_in_any_graph() {
        let edges = |of: &[&[usize]]| of.iter().map(|e| e.to_vec()).collect::<Vec<_>>();
        let sorted = |edges: &[Vec<usize>]| {
            let mut found = circles(edges);
            found.iter_mut().for_each(|group| group.sort_unstable());
            found.sort();
            found
        };
        assert!(sorted(&edges(&[&[1], &[2], &[]])).is_empty());
        assert_eq!(sorted(&edges(&[&[1], &[2], &[0], &[2]])), [vec![0, 1, 2]]);
        // Two circles that touch are one group; another one stands apart.
        assert_eq!(
            sorted(&edges(&[&[1], &[0, 2], &[1], &[4], &[3, 0]])),
            [vec![0, 1, 2], vec![3, 4]]
        );
        // A long chain needs no stack.
        let mut long: Vec<Vec<usize>> = (0..200_000).map(|n| vec![n + 1]).collect();
        long.push(vec![0]);
        assert_eq!(sorted(&long)[0].len(), 200_001);
    }

    #[test]
    fn names_that_need_escape_are_listed() {
        let mut bench = Bench::clean();
        for name in ["a.b", "$c", "1st"] {
            bench.column(name, "integer", &[]);
        }
        assert_eq!(bench.only("names_to_escape").members, ["a.b", "$c", "1st"]);
        let mut bench = Bench::clean();
        bench.add(table(&"n".repeat(121)));
        assert_eq!(bench.only("names_to_escape").rule_type, Level::Notice);
        let mut bench = Bench::clean();
        bench.add(table(&"n".repeat(120)));
        assert!(bench.rules().is_empty());
    }

    #[test]
    fn what_is_special_about_a_table_is_told() {
        let mut bench = Bench::clean();
        bench.facts("parent").forms = vec!["has 7 partitions".into(), "is not logged".into()];
        let found = bench.only("special_tables");
        assert_eq!(found.detection_text, "The table has 7 partitions; it is not logged.");
        let mut bench = Bench::clean();
        // Policies that do not hold for this user are nobody's concern here.
        bench.facts("parent").policies = vec!["own rows".into()];
        assert!(bench.rules().is_empty());
        bench.change("parent", |t| t.has_row_security = true);
        assert_eq!(bench.only("row_security").members, ["own rows"]);
    }

    #[test]
    fn rules_that_the_schema_keeps_become_one_detection() {
        let mut bench = Bench::clean();
        bench.column("d", "integer", &[]).default = Some("1".into());
        bench.column("e", "mood", &[Trait::Enumerated]);
        bench.column("k", "email", &[Trait::Constrained]);
        bench.facts("parent").checks = vec!["positive".into()];
        bench.change("parent", |t| t.columns[1].is_generated = true);
        let found = bench.only("schema_validation");
        assert_eq!(found.members, ["d", "e", "k", "positive"]);
        assert!(
            found
                .detection_text
                .contains("computed columns: d; defaults: d; lists of values: e"),
            "{}",
            found.detection_text
        );
    }
}
