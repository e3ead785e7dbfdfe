//! The rules of a collection in words.

use super::relational::table_name;
use crate::format::number;
use godwit_shared::ids::{CollectionId, MappingId};
use godwit_shared::mapping::{
    ArrayConditions, CollectionType, Content, Field, FieldType, KeyHandling, Mapping, RuleType, SortOrder,
};
use godwit_shared::schema::{ForeignKey, RelationalModel, TableName};

/// One rule as it is shown.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RuleView {
    pub id: String,
    /// How deep it lies below the collection; 0: a document of its own.
    pub level: usize,
    /// *Migrate table as*.
    pub kind: &'static str,
    pub table: String,
    pub settings: Vec<Setting>,
    pub fields: Vec<FieldView>,
    /// Columns that the documents do not get.
    pub left_out: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    pub label: &'static str,
    pub text: String,
    pub is_code: bool,
}

/// A field of the documents and what it is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldView {
    pub name: String,
    pub kind: String,
    /// A column, or the expression of a calculated field.
    pub source: String,
    pub source_type: String,
    pub is_key: bool,
    /// A null becomes a field with null; else the document has no such field.
    pub keeps_null: bool,
}

/// The rules of a collection, each before those below it.
pub fn rules_of(content: &Content, model: &RelationalModel, collection: &CollectionId) -> Vec<RuleView> {
    let mut views = Vec::new();
    for (id, rule) in content.roots_of(collection) {
        add(&Project { content, model }, id, rule, None, &mut views);
    }
    views
}

pub fn is_time_series(content: &Content, collection: &CollectionId) -> bool {
    let found = content.collections.get(collection);
    found.is_some_and(|collection| collection.kind == CollectionType::TimeSeries)
}

/// What the words are made of.
struct Project<'a> {
    content: &'a Content,
    model: &'a RelationalModel,
}

fn add(
    project: &Project<'_>,
    id: &MappingId,
    rule: &Mapping,
    parent: Option<(&Mapping, usize)>,
    views: &mut Vec<RuleView>,
) {
    let level = parent.map_or(0, |(_, level)| level + 1);
    views.push(RuleView {
        id: id.to_string(),
        level,
        kind: kind_label(rule.settings.kind),
        table: table_name(project.content, rule).unwrap_or_else(|| rule.table.clone()),
        settings: settings(project, rule, parent.map(|(parent, _)| parent)),
        fields: fields(rule),
        left_out: left_out(rule),
    });
    let below = project
        .content
        .children_of(id)
        .filter_map(|id| Some((id, project.content.mappings.get(id)?)));
    for (id, child) in below {
        add(project, id, child, Some((rule, level)), views);
    }
}

fn kind_label(kind: RuleType) -> &'static str {
    match kind {
        RuleType::NewDocument => "New documents",
        RuleType::EmbeddedDocument => "Embedded documents",
        RuleType::EmbeddedDocumentArray => "Embedded array",
    }
}

fn settings(project: &Project<'_>, rule: &Mapping, parent: Option<&Mapping>) -> Vec<Setting> {
    let settings = &rule.settings;
    let of = |label, text: String, is_code| Setting { label, text, is_code };
    let mut out = Vec::new();
    match parent {
        None => {
            let key = settings.key_handling.unwrap_or(project.content.settings.key_handling);
            out.push(of("_id", sentence_case(key_label(key)), false));
        }
        Some(parent) => {
            out.push(
                match settings.embedded_path.as_deref().filter(|path| !path.is_empty()) {
                    Some(path) => of("Root path", path.to_owned(), true),
                    None => of("Root path", "Fields are merged into the parent".into(), false),
                },
            );
            out.extend(join(project, rule, parent).map(|text| of("Joined by", text, true)));
        }
    }
    if settings.primitive == Some(true) {
        out.push(of("Elements", "Values of the one field, not documents".into(), false));
    }
    out.extend(
        settings
            .rule_filter
            .iter()
            .map(|filter| of("Only rows where", filter.expression.clone(), true)),
    );
    out.extend(
        settings
            .array_conditions
            .as_ref()
            .and_then(conditions)
            .map(|text| of("Array conditions", text, false)),
    );
    let notes = settings.notes.clone().filter(|notes| !notes.trim().is_empty());
    out.extend(notes.map(|notes| of("Notes", notes, false)));
    out
}

/// What the `_id` of a document is.
pub fn key_label(key: KeyHandling) -> &'static str {
    match key {
        KeyHandling::Generated => "generated",
        KeyHandling::Single => "primary key",
        KeyHandling::Wrapped => "document of the key",
    }
}

fn sentence_case(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(chars).collect()
}

/// `loans.borrower_id = borrowers.id`
fn join(project: &Project<'_>, rule: &Mapping, parent: &Mapping) -> Option<String> {
    let (own, above) = (path(project, rule)?, path(project, parent)?);
    let of_own = keys(project, &own, &above).map(|(name, key)| (name, key, &own, &above));
    let of_above = keys(project, &above, &own).map(|(name, key)| (name, key, &above, &own));
    let wanted = rule.settings.foreign_key_name.as_deref();
    let mut all = of_own.chain(of_above);
    let (_, key, holder, target) = all.find(|(name, ..)| wanted.is_none_or(|wanted| wanted == *name))?;
    let pair = |pair: &godwit_shared::schema::ColumnPair| {
        format!("{}.{} = {}.{}", holder.table, pair.source, target.table, pair.target)
    };
    Some(key.column_mappings.iter().map(pair).collect::<Vec<_>>().join(" and "))
}

fn path(project: &Project<'_>, rule: &Mapping) -> Option<TableName> {
    let id = godwit_shared::ids::TableId::new(&rule.table);
    project.content.tables.get(&id).map(|entry| entry.path.name())
}

/// The foreign keys of a table that lead to another.
fn keys<'a>(
    project: &Project<'a>,
    table: &TableName,
    target: &'a TableName,
) -> impl Iterator<Item = (&'a str, &'a ForeignKey)> + use<'a> {
    let keys = project
        .model
        .table(table)
        .into_iter()
        .flat_map(|table| &table.foreign_keys);
    keys.filter(move |(_, key)| key.target_table.name() == *target)
        .map(|(name, key)| (name.as_str(), key))
}

/// `Sorted by title, descending; the first 5`
fn conditions(conditions: &ArrayConditions) -> Option<String> {
    let order = |order| match order {
        SortOrder::Asc => "ascending",
        SortOrder::Desc => "descending",
    };
    let sort = conditions
        .sort
        .as_ref()
        .map(|sort| format!("Sorted by {}, {}", sort.field, order(sort.order)));
    let limit = match (conditions.limit, conditions.as_document) {
        (Some(1), Some(true)) => Some("the first one, as a document".to_owned()),
        (Some(n), _) => Some(format!("the first {}", number::count(n.into()))),
        (None, _) => None,
    };
    let text = sort.into_iter().chain(limit).collect::<Vec<_>>().join("; ");
    (!text.is_empty()).then(|| sentence_case(&text))
}

/// The field that stands for the `_id` is no column: what it is made of is a setting of the rule.
pub fn is_key_field(column: &str, field: &Field) -> bool {
    column == "_id" && matches!(field.source.database_specific_type.as_str(), "NONE" | "")
}

fn fields(rule: &Mapping) -> Vec<FieldView> {
    let of_columns = rule
        .fields
        .iter()
        .filter(|(column, field)| field.target.included && !is_key_field(column, field))
        .map(|(column, field)| FieldView {
            name: field.target.name.clone(),
            kind: match field.target.kind {
                FieldType::Default => "Default".into(),
                kind => field_type(kind, ""),
            },
            source: column.clone(),
            source_type: field.source.database_specific_type.clone(),
            is_key: field.source.is_primary_key,
            keeps_null: !field.target.is_null_excluded,
        });
    let calculated = rule.calculated_fields.values().map(|field| FieldView {
        name: field.name.clone(),
        kind: field_type(field.kind.unwrap_or_default(), "Default"),
        source: field.expression.clone(),
        source_type: "JavaScript".into(),
        is_key: false,
        keeps_null: !field.is_null_excluded,
    });
    of_columns.chain(calculated).collect()
}

fn left_out(rule: &Mapping) -> Vec<String> {
    let excluded = rule
        .fields
        .iter()
        .filter(|(column, field)| !field.target.included && !is_key_field(column, field));
    excluded.map(|(column, _)| column.clone()).collect()
}

/// The type that is asked for; where none is, `default`.
pub fn field_type(kind: FieldType, default: &str) -> String {
    let name = match kind {
        FieldType::Bool => "Boolean",
        FieldType::Date => "Date",
        FieldType::Decimal => "Decimal128",
        FieldType::Double => "Double",
        FieldType::Integer => "Int32",
        FieldType::Long => "Int64",
        FieldType::String => "String",
        FieldType::ObjectId => "ObjectId",
        FieldType::BinData => "Binary",
        FieldType::Array => "Array",
        FieldType::Object => "Object",
        FieldType::Default => default,
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::mapping::samples::{content, model};

    fn rules() -> Vec<RuleView> {
        rules_of(&content(), &model(), &CollectionId::new("c1"))
    }

    fn said(rule: &RuleView) -> Vec<String> {
        rule.settings
            .iter()
            .map(|s| format!("{}: {}", s.label, s.text))
            .collect()
    }

    #[test]
    fn parents_come_before_what_they_hold() {
        let rules = rules();
        let heads: Vec<_> = rules.iter().map(|r| (r.level, r.kind, &*r.table)).collect();
        assert_eq!(
            heads,
            [
                (0, "New documents", "public.borrowers"),
                (1, "Embedded array", "public.loans")
            ]
        );
    }

    #[test]
    fn settings_in_words() {
        let rules = rules();
        assert_eq!(said(&rules[0]), ["_id: Primary key"]);
        assert_eq!(
            said(&rules[1]),
            [
                "Root path: loans",
                "Joined by: loans.borrower_id = borrowers.id",
                "Only rows where: columns.id > 1",
                "Array conditions: Sorted by title, descending; the first 5",
            ]
        );
    }

    #[test]
    fn fields_and_what_is_left_out() {
        let rules = rules();
        let fields: Vec<_> = rules[0]
            .fields
            .iter()
            .map(|f| (&*f.name, &*f.kind, &*f.source))
            .collect();
        assert_eq!(
            fields,
            [
                ("person.name", "String", "name"),
                ("initial", "Default", "columns.name[0]")
            ]
        );
        assert_eq!(rules[0].left_out, ["id"]);
        assert_eq!(rules[1].left_out, ["borrower_id"]);
    }
}
