//! Rules about what is no table: views, routines, triggers. And about tables that no migration reads.

use super::{Rule, Subject, With};
use crate::analysis::facts::{ObjectFacts, ObjectKind};
use godwit_shared::analysis::{Category, Detection, Difficulty, IncompatibleFeature, Level, ObjectType};

const VIEWS: Rule = Rule {
    id: "views",
    name: "Views",
    object: ObjectType::View,
    category: Category::Schema,
    difficulty: Difficulty::Medium,
    level: Level::Notice,
};
const MATERIALIZED: Rule = Rule {
    id: "materialized_views",
    name: "Materialized Views",
    object: ObjectType::View,
    category: Category::UnsupportedFeature,
    difficulty: Difficulty::Medium,
    level: Level::Notice,
};
const TRIGGERS: Rule = Rule {
    id: "triggers",
    name: "Triggers",
    object: ObjectType::Trigger,
    category: Category::UnsupportedFeature,
    difficulty: Difficulty::High,
    level: Level::Task,
};
const ROUTINES: Rule = Rule {
    id: "routines",
    name: "Routines",
    object: ObjectType::Routine,
    category: Category::UnsupportedFeature,
    difficulty: Difficulty::Medium,
    level: Level::Task,
};
const UNREAD: Rule = Rule {
    id: "special_tables",
    name: "Special tables",
    object: ObjectType::Table,
    category: Category::Schema,
    difficulty: Difficulty::Low,
    level: Level::Notice,
};

/// Applies them to all of these.
pub fn look(subject: &Subject<'_>, found: &mut Vec<Detection>) {
    let at =
        |rule: &Rule, object: &ObjectFacts, text: String, then: &str| rule.at(&object.schema, &object.name, text, then);
    for view in &subject.facts.views {
        let text = format!("The {} {} is not migrated.", view.kind.word(), view.name);
        found.push(match view.kind {
            ObjectKind::MaterializedView => at(
                &MATERIALIZED,
                view,
                text,
                "Write it as an aggregation that ends with $merge and run that when the rows have changed; or migrate a \
                 table that holds its rows.",
            )
            .feature(IncompatibleFeature::MaterializedViews),
            _ => at(
                &VIEWS,
                view,
                text,
                "Write it as an aggregation and make a view of that, or let the documents have the shape that it gives.",
            ),
        });
    }
    for trigger in &subject.facts.triggers {
        let on = trigger.table.as_ref().map(|t| format!(" of {t}")).unwrap_or_default();
        let text = format!("The trigger {}{on} does not run in MongoDB.", trigger.name);
        let then = "Carry what it does into the application, or into a consumer of change streams. Until the cut-over it goes \
                    on in the source, and what it writes there is migrated.";
        found.push(at(&TRIGGERS, trigger, text, then).feature(IncompatibleFeature::Triggers));
    }
    for routine in &subject.facts.routines {
        let language = routine
            .language
            .as_ref()
            .map(|l| format!(" in {l}"))
            .unwrap_or_default();
        let text = format!(
            "The {} {}{language} does not run in MongoDB.",
            routine.kind.word(),
            routine.name
        );
        let then = "Carry what it does into the application, or into an aggregation where it only reads.";
        found.push(at(&ROUTINES, routine, text, then).feature(IncompatibleFeature::Routine));
    }
    for (name, what) in &subject.facts.unread {
        let text = format!("{name} {what}: no migration reads it.");
        let then = "Copy its rows into a table of the source, or migrate them from where they are.";
        found.push(UNREAD.at(&name.schema, &name.table, text, then).members(Vec::new()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::testing::Bench;
    use godwit_shared::schema::TableName;

    fn object(kind: ObjectKind) -> ObjectFacts {
        ObjectFacts {
            schema: "public".into(),
            name: "it".into(),
            kind,
            language: Some("plpgsql".into()),
            table: Some(TableName::new("public", "parent")),
            definition: String::new(),
        }
    }

    #[test]
    fn every_view_routine_and_trigger_is_told() {
        let mut bench = Bench::clean();
        bench.facts.views = vec![object(ObjectKind::View)];
        let found = bench.only("views");
        assert_eq!(
            (found.dbo_type, found.rule_type, found.incompatible_feature_type),
            (ObjectType::View, Level::Notice, None)
        );
        bench.facts.views = vec![object(ObjectKind::MaterializedView)];
        let found = bench.only("materialized_views");
        assert_eq!(
            found.incompatible_feature_type,
            Some(IncompatibleFeature::MaterializedViews)
        );
        bench.facts.views.clear();
        bench.facts.triggers = vec![object(ObjectKind::Trigger)];
        let found = bench.only("triggers");
        assert_eq!((found.rule_type, found.difficulty), (Level::Task, Difficulty::High));
        assert_eq!(
            found.detection_text,
            "The trigger it of public.parent does not run in MongoDB."
        );
        bench.facts.triggers.clear();
        bench.facts.routines = vec![object(ObjectKind::Function)];
        assert_eq!(
            bench.only("routines").detection_text,
            "The function it in plpgsql does not run in MongoDB."
        );
    }

    #[test]
    fn tables_that_are_not_read_are_told() {
        let mut bench = Bench::clean();
        bench.facts.unread = vec![(TableName::new("public", "far"), "is a foreign table".into())];
        assert_eq!(bench.only("special_tables").entity_name, "public.far");
    }
}
