//! A project becomes a text.

use super::read::{Habits, Names, default_tables, rebuilt};
use super::types::{
    CalculatedText, CollectionText, FieldText, FullField, Head, ProjectText, RuleText, Shape, TableText,
};
use super::{FORM, patch, read};
use crate::cli::exit::word;
use godwit_shared::edit::table_filter;
use godwit_shared::ids::{CollectionId, MappingId, TableId};
use godwit_shared::mapping::{Content, Field, Mapping, RuleType, SortOrder};
use godwit_shared::relmig::ProjectFile;
use indexmap::IndexMap;
use serde::Serialize;

/// Says what the file is to editors and to people.
const HEADER: &str = "# A Godwit project. `godwit convert` makes a .relmig file of it and back.\n";

/// Writes a project as text, with its relational model or without.
///
/// # Errors
/// When reading the text would not give the project again.
pub fn to_text(file: &ProjectFile, with_schema: bool) -> Result<String, String> {
    let whole = file.to_exported_value();
    let file = ProjectFile::from_value(whole.clone()).map_err(|e| e.to_string())?;
    let mut text = structured(&file);
    let whole = serde_json::to_value(&file).map_err(|e| e.to_string())?;
    let mut made = rebuilt(&text, file.schema.full.clone())?;
    read::take_schema(&mut made, &file.schema.full)?;
    text.other = patch::between(&made, &whole);
    let as_yaml = |text: &ProjectText| serde_norway::to_string(text).map_err(|e| e.to_string());
    let yaml = HEADER.to_owned() + &as_yaml(&text)?;
    let again = read::from_text_with(&yaml, file.schema.full.clone())?;
    if !is_same(&again, &file) {
        return Err("the project cannot be written as text without loss".to_owned());
    }
    if !with_schema {
        return Ok(yaml);
    }
    text.schema = Some(serde_json::to_value(&file.schema.full).map_err(|e| e.to_string())?);
    Ok(HEADER.to_owned() + &as_yaml(&text)?)
}

/// Whether two projects are the same, in the orders that count too.
pub(super) fn is_same(a: &ProjectFile, b: &ProjectFile) -> bool {
    a == b && orders(&a.project.content) == orders(&b.project.content)
}

type Orders<'c> = (
    Vec<&'c CollectionId>,
    Vec<Vec<&'c MappingId>>,
    Vec<(Vec<&'c String>, Vec<&'c String>)>,
);

/// Collections, the roots of each, and the fields of rules: what comes first.
fn orders(content: &Content) -> Orders<'_> {
    let collections: Vec<&CollectionId> = content.collections.keys().collect();
    let roots = collections
        .iter()
        .map(|id| content.roots_of(id).map(|(rule, _)| rule).collect())
        .collect();
    let mut rules: Vec<(&MappingId, &Mapping)> = content.mappings.iter().collect();
    rules.sort_by_key(|(id, _)| id.as_str());
    let fields = rules
        .iter()
        .map(|(_, rule)| (rule.fields.keys().collect(), rule.calculated_fields.keys().collect()));
    (collections, roots, fields.collect())
}

fn structured(file: &ProjectFile) -> ProjectText {
    let content = &file.project.content;
    let writer = Writer {
        file,
        names: Names::of(content),
        habits: Habits::of(file),
    };
    let tables: Vec<TableText> = (content.tables.iter())
        .map(|(id, entry)| {
            let filter = table_filter(entry).unwrap_or_default();
            TableText {
                table: writer.names.name_of(id),
                id: Some(id.to_string()),
                condition: filter.where_clause,
                rows: filter.row_count,
            }
        })
        .collect();
    let is_usual = content.tables == default_tables(&file.schema.full);
    let collections = content.collections.iter().map(|(id, collection)| CollectionText {
        name: collection.name.clone(),
        id: Some(id.to_string()),
        time_series: collection
            .extra
            .get(godwit_shared::edit::TIME_SERIES)
            .filter(|v| !v.is_null())
            .cloned(),
        rules: content
            .roots_of(id)
            .map(|(id, rule)| writer.rule(id, rule, 0))
            .collect(),
    });
    ProjectText {
        godwit: FORM,
        project: Head {
            name: file.project.name.clone(),
            kind: file.project.kind.clone(),
            id: file.project.id.clone(),
            casing: unless_usual(&content.settings.casing),
            keys: unless_usual(&content.settings.key_handling),
            types_are_written: writer.habits.types_are_written,
            conversion: writer.habits.conversion.clone(),
        },
        tables: (!is_usual).then_some(tables),
        collections: collections.collect(),
        other: Vec::new(),
        schema: None,
    }
}

fn unless_usual<T: Serialize + PartialEq + Default>(value: &T) -> Option<String> {
    (*value != T::default()).then(|| word(value))
}

struct Writer<'f> {
    file: &'f ProjectFile,
    names: Names,
    habits: Habits,
}

/// A forest of rules is no deeper; what is, comes under `other`.
const DEPTH_MAX: usize = 100;

impl Writer<'_> {
    fn rule(&self, id: &MappingId, rule: &Mapping, depth: usize) -> RuleText {
        let content = &self.file.project.content;
        let settings = &rule.settings;
        let conditions = settings.array_conditions.as_ref();
        let sort = conditions.and_then(|c| c.sort.as_ref());
        let below = content
            .children_of(id)
            .filter_map(|id| Some((id, content.mappings.get(id)?)));
        RuleText {
            table: self.names.name_of(&TableId::new(&rule.table)),
            id: Some(id.to_string()),
            shape: match settings.kind {
                RuleType::NewDocument => Shape::Documents,
                RuleType::EmbeddedDocument => Shape::Document,
                RuleType::EmbeddedDocumentArray => Shape::Array,
            },
            path: settings.embedded_path.clone(),
            key: settings.foreign_key_name.clone(),
            primitive: settings.primitive,
            filter: settings.rule_filter.as_ref().map(|f| f.expression.clone()),
            sort: sort.map(|s| match s.order {
                SortOrder::Asc => s.field.clone(),
                SortOrder::Desc => format!("-{}", s.field),
            }),
            limit: conditions.and_then(|c| c.limit),
            as_document: conditions.and_then(|c| c.as_document),
            keys: settings.key_handling.as_ref().map(word),
            notes: settings.notes.clone(),
            fields: self.fields(rule),
            calculated: (rule.calculated_fields.iter())
                .map(|(id, field)| CalculatedText {
                    name: field.name.clone(),
                    id: Some(id.clone()),
                    expression: field.expression.clone(),
                    omit_null: field.is_null_excluded,
                    kind: field.kind.as_ref().map(word),
                })
                .collect(),
            rules: match depth < DEPTH_MAX {
                true => below.map(|(id, rule)| self.rule(id, rule, depth + 1)).collect(),
                false => Vec::new(),
            },
        }
    }

    /// Nothing where they are what the columns give.
    fn fields(&self, rule: &Mapping) -> Option<IndexMap<String, FieldText>> {
        let base = self.habits.base_fields(self.file, &rule.table);
        let is_usual = rule.fields == base && rule.fields.keys().eq(base.keys());
        let fields = rule.fields.iter().map(|(column, field)| {
            let usual = base
                .get(column)
                .cloned()
                .unwrap_or_else(|| self.habits.unknown_field(column));
            (column.clone(), short(field, &usual))
        });
        (!is_usual).then(|| fields.collect())
    }
}

/// As little as says the same.
fn short(field: &Field, usual: &Field) -> FieldText {
    let (own, theirs) = (&field.target, &usual.target);
    let column_type = &field.source.database_specific_type;
    let full = FullField {
        name: (own.name != theirs.name).then(|| own.name.clone()),
        included: (own.included != theirs.included).then_some(own.included),
        omit_null: (own.is_null_excluded != theirs.is_null_excluded).then_some(own.is_null_excluded),
        kind: (own.kind != theirs.kind).then(|| word(&own.kind)),
        column_type: (*column_type != usual.source.database_specific_type).then(|| column_type.clone()),
    };
    match &full {
        FullField {
            included,
            omit_null: None,
            kind: None,
            column_type: None,
            name: None,
        } => FieldText::Is(included.unwrap_or(theirs.included)),
        FullField {
            included: None,
            omit_null: None,
            kind: None,
            column_type: None,
            name: Some(name),
        } if own.included => FieldText::Name(name.clone()),
        _ => FieldText::Full(full),
    }
}
