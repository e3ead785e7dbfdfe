//! Where in a draft something is.

use crate::ids::{CollectionId, MappingId, TableId};
use serde::{Deserialize, Serialize};

/// The place that a message or a difference belongs to. Members that are absent do not narrow it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Place {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collection: Option<CollectionId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<MappingId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<TableId>,
    #[serde(default)]
    pub part: Part,
}

/// Which part of the collection, rule or table.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum Part {
    /// All of it.
    #[default]
    Whole,
    /// Its name.
    Name,
    /// The field name under which a rule is embedded.
    Path,
    /// The foreign key link of a rule.
    Link,
    /// The field of a column.
    Column {
        column: String,
    },
    /// A calculated field, by its id.
    Calculated {
        id: String,
    },
    /// The key of the documents: key handling or the calculated `_id`.
    Id,
    RuleFilter,
    /// Sort, limit, *as a document*.
    Conditions,
    TableFilter,
    /// A foreign key of the table.
    Key {
        name: String,
    },
    TimeSeries,
    /// Settings of the project.
    Settings,
    /// A diagram.
    Diagram,
}

impl Place {
    pub fn of_collection(collection: &CollectionId, part: Part) -> Self {
        Self {
            collection: Some(collection.clone()),
            part,
            ..Self::default()
        }
    }

    /// A part of a rule. The collection is left open: the rule says it.
    pub fn of_rule(rule: &MappingId, part: Part) -> Self {
        Self {
            rule: Some(rule.clone()),
            part,
            ..Self::default()
        }
    }

    pub fn of_table(table: &TableId, part: Part) -> Self {
        Self {
            table: Some(table.clone()),
            part,
            ..Self::default()
        }
    }

    pub fn of_settings() -> Self {
        Self {
            part: Part::Settings,
            ..Self::default()
        }
    }

    pub fn of_diagrams() -> Self {
        Self {
            part: Part::Diagram,
            ..Self::default()
        }
    }
}
