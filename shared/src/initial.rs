//! The mapping that a new project starts with.

use crate::casing::{Casing, distinct};
use crate::ids::{CollectionId, MappingId, TableId};
use crate::mapping::{
    Children, Collection, CollectionType, Content, Field, FieldSource, FieldTarget, FieldType, KeyHandling, Mapping,
    MappingList, ProjectSettings, RuleSettings, RuleType, TableEntry,
};
use crate::schema::{RelationalModel, Table};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Map;

/// *Initial mappings* of a new project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum InitialMapping {
    /// One *New documents* rule for each table.
    #[default]
    Relational,
    /// No rules.
    Empty,
}

/// Makes the content of a project from a relational model: tables by schema and name.
pub fn content_of(
    model: &RelationalModel,
    casing: Casing,
    key_handling: KeyHandling,
    initial: InitialMapping,
) -> Content {
    let mut content = Content {
        settings: ProjectSettings {
            casing,
            key_handling,
            ..ProjectSettings::default()
        },
        ..Content::default()
    };
    let mut tables: Vec<_> = model.tables().collect();
    tables.sort_by(|(a, _), (b, _)| (&a.schema, &a.table).cmp(&(&b.schema, &b.table)));
    for (n, (path, _)) in tables.iter().enumerate() {
        content.tables.insert(
            TableId::new(format!("table-{}", n + 1)),
            TableEntry {
                path: path.clone(),
                extra: Map::new(),
            },
        );
    }
    if initial == InitialMapping::Empty {
        return content;
    }
    let names = distinct(tables.iter().map(|(path, _)| collection_name(&path.table, casing)));
    for (n, ((path, table), name)) in tables.iter().zip(names).enumerate() {
        let (collection, mapping) = (
            CollectionId::new(format!("collection-{}", n + 1)),
            MappingId::new(format!("mapping-{}", n + 1)),
        );
        let kind = CollectionType::Regular;
        content.collections.insert(
            collection.clone(),
            Collection {
                name,
                kind,
                extra: Map::new(),
            },
        );
        let of_table = MappingList {
            mappings: vec![mapping.clone()],
            extra: Map::new(),
        };
        content
            .relationships
            .collections
            .insert(collection.clone(), of_table.clone());
        content
            .relationships
            .tables
            .insert(format!("{}.{}.{}", path.database, path.schema, path.table), of_table);
        content
            .relationships
            .mappings
            .insert(mapping.clone(), Children::default());
        let rule = Mapping {
            settings: RuleSettings {
                kind: RuleType::NewDocument,
                embedded_path: None,
                foreign_key_name: None,
                primitive: None,
                rule_filter: None,
                array_conditions: None,
                key_handling: None,
                notes: None,
                extra: Map::new(),
            },
            fields: fields_of(table, casing),
            calculated_fields: IndexMap::new(),
            collection_id: collection,
            table: format!("table-{}", n + 1),
            extra: Map::new(),
        };
        content.mappings.insert(mapping, rule);
    }
    content
}

/// A name that MongoDB takes for a collection.
pub(crate) fn collection_name(table: &str, casing: Casing) -> String {
    let name = casing.apply(table).replace('$', "_");
    match name.strip_prefix("system.") {
        Some(rest) => format!("system_{rest}"),
        None => name,
    }
}

/// One field for each column, under distinct names; `_id` belongs to the document's key.
pub fn fields_of(table: &Table, casing: Casing) -> IndexMap<String, Field> {
    let mut columns: Vec<_> = table.columns.iter().collect();
    columns.sort_by_key(|(_, c)| c.ordinal_position);
    let named = columns.iter().map(|(name, _)| match casing.apply(name) {
        cased if cased == "_id" => "_id2".to_owned(),
        cased if cased.trim().is_empty() => "_".to_owned(),
        cased => cased,
    });
    let names = distinct(named);
    columns
        .iter()
        .zip(names)
        .map(|((column, c), name)| {
            let field = Field {
                target: FieldTarget {
                    name,
                    included: !c.hidden,
                    is_null_excluded: false,
                    kind: FieldType::Default,
                    extra: Map::new(),
                },
                source: FieldSource {
                    name: (*column).clone(),
                    database_specific_type: c.kind.database_specific_type.clone(),
                    is_primary_key: c.primary_key.is_some(),
                    extra: Map::new(),
                },
                extra: Map::new(),
            };
            ((*column).clone(), field)
        })
        .collect()
}
