//! The edits, as values.

use crate::casing::Casing;
use crate::ids::{CollectionId, MappingId, TableId};
use crate::job::TableFilter;
use crate::mapping::{ArraySort, FieldType, KeyHandling};
use crate::schema::{ForeignKey, RelationalModel, Table, TableName, TablePath};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One change of a draft. Columns, fields and keys are named as the project file names them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Edit {
    /// An empty collection.
    AddCollection {
        collection: Option<CollectionId>,
        name: String,
    },
    RenameCollection {
        collection: CollectionId,
        name: String,
    },
    /// With all its rules.
    DeleteCollection {
        collection: CollectionId,
    },
    /// A time series with these settings, or a regular one.
    SetTimeSeries {
        collection: CollectionId,
        settings: Option<TimeSeries>,
    },

    AddRule(NewRule),
    /// With all rules below it.
    DeleteRule {
        rule: MappingId,
    },
    /// Before one of its siblings, or behind all of them.
    OrderRule {
        rule: MappingId,
        before: Option<MappingId>,
    },
    /// To another place, with all rules below it.
    MoveRule {
        rule: MappingId,
        into: RulePlace,
    },
    /// *Migrate table as*. The field name is proposed where it needs one and none is given.
    SetShape {
        rule: MappingId,
        shape: Shape,
        field: Option<String>,
    },
    /// The field name of an embedded rule; dots nest.
    SetPath {
        rule: MappingId,
        path: String,
    },
    /// The foreign key link; `None`: the only one there is.
    SetLink {
        rule: MappingId,
        key: Option<String>,
    },
    /// Of a rule, `None`: as the project has it; or of the project.
    SetKeyHandling {
        rule: Option<MappingId>,
        handling: Option<KeyHandling>,
    },
    SetRuleFilter {
        rule: MappingId,
        expression: Option<String>,
    },
    /// Array conditions; all absent takes them away.
    SetConditions {
        rule: MappingId,
        sort: Option<ArraySort>,
        limit: Option<u32>,
        as_document: bool,
    },
    SetNotes {
        rule: MappingId,
        notes: String,
    },

    /// The name of a column's field; dots nest.
    RenameField {
        rule: MappingId,
        column: String,
        name: String,
    },
    /// An object that dots make: all fields of the rule and of those merged into its place whose names begin with
    /// `path.` get the new beginning.
    RenamePath {
        rule: MappingId,
        path: String,
        name: String,
    },
    IncludeFields {
        rule: MappingId,
        columns: Vec<String>,
        included: bool,
    },
    SetFieldType {
        rule: MappingId,
        column: String,
        kind: FieldType,
    },
    /// *Omit* or *Insert as null*.
    SetFieldNulls {
        rule: MappingId,
        columns: Vec<String>,
        omit: bool,
    },
    /// `None` as id: a free one. The name `_id` in a rule that makes documents is the calculated `_id`.
    AddCalculated {
        rule: MappingId,
        id: Option<String>,
        field: CalculatedEdit,
    },
    ChangeCalculated {
        rule: MappingId,
        id: String,
        field: CalculatedEdit,
    },
    RemoveCalculated {
        rule: MappingId,
        id: String,
    },

    /// A synthetic foreign key of the table that refers; composite with several pairs.
    AddKey {
        table: TableId,
        name: Option<String>,
        key: ForeignKey,
    },
    ChangeKey {
        table: TableId,
        name: String,
        key: ForeignKey,
    },
    RemoveKey {
        table: TableId,
        name: String,
    },
    SetTableFilter {
        table: TableId,
        filter: Option<TableFilter>,
    },
    /// Tables of the source that take part from now on.
    AddTables {
        tables: Vec<(TablePath, Table)>,
    },
    /// With their rules.
    RemoveTables {
        tables: Vec<TableId>,
    },
    /// A schema that was read again. Synthetic keys stay; new columns of mapped tables become fields. A table that is
    /// gone leaves the project with its rules where `drop_gone` says so, else its rules stay and are at fault.
    TakeSchema {
        model: Box<RelationalModel>,
        #[serde(default)]
        drop_gone: bool,
        /// Tables that go on under another name.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        renamed: Vec<(TableId, TableName)>,
    },

    SetProjectName {
        name: String,
    },
    /// `rename`: names that nobody has changed follow.
    SetCasing {
        casing: Casing,
        rename: bool,
    },
    /// Null handling of the fields of new rules.
    SetNullDefault {
        omit: bool,
    },

    Diagram(DiagramEdit),
    /// Several as one step of the history.
    All {
        words: String,
        edits: Vec<Edit>,
    },
}

/// A rule to be made. Ids that are absent are chosen; [`super::Change::made`] says them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct NewRule {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<MappingId>,
    pub table: TableId,
    pub into: RulePlace,
}

/// Where a rule lies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum RulePlace {
    /// *New documents* in a collection that is made for it; its name is proposed where none is given.
    NewCollection {
        collection: Option<CollectionId>,
        name: Option<String>,
    },
    /// *New documents*, beside other rules.
    Collection { collection: CollectionId },
    /// Embedded below another rule.
    Rule(Embedding),
}

/// How a rule hangs on another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Embedding {
    pub parent: MappingId,
    pub shape: Shape,
    /// Which foreign key; absent: the only one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Field name; absent: a proposed one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

/// What an embedded rule becomes in the documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Shape {
    /// An array of documents.
    Array,
    /// An array of the one included field's values.
    Values,
    /// A document.
    Document,
    /// The fields join the parent's.
    Merged,
}

/// A calculated field.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CalculatedEdit {
    pub name: String,
    pub expression: String,
    /// Absent: what the expression gives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<FieldType>,
    #[serde(default)]
    pub omit_null: bool,
}

/// Settings of a time series collection, as MongoDB names them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct TimeSeries {
    /// A field of the documents that is a date.
    pub time_field: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meta_field: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub granularity: Option<Granularity>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expire_after_seconds: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum Granularity {
    Seconds,
    Minutes,
    Hours,
}

/// The two halves of a diagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum View {
    /// Cards of tables.
    Relational,
    /// Cards of collections.
    Collection,
}

/// Where a card lies.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NodePlace {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
    pub hidden: bool,
}

/// A change of `project.content.diagrams`. A tab is named by its id. Cards of tables are named by the table's id, those
/// of collections by the collection's: where the file has its name, that one is found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "do", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum DiagramEdit {
    /// `copy_of`: with the cards of that tab.
    AddTab {
        tab: Option<String>,
        name: String,
        copy_of: Option<String>,
    },
    RenameTab {
        tab: String,
        name: String,
    },
    SetTabNotes {
        tab: String,
        notes: String,
    },
    RemoveTab {
        tab: String,
    },
    MoveTab {
        tab: String,
        to: usize,
    },
    ActivateTab {
        tab: String,
    },
    /// Moves, sizes, shows and hides cards, and makes those that the tab does not have. `words` names it in the history;
    /// absent: by what changes most.
    PlaceNodes {
        tab: String,
        view: View,
        nodes: Vec<(String, NodePlace)>,
        words: Option<String>,
    },
    /// A member of a tab that only the page knows (layout, zoom).
    SetTabMember {
        tab: String,
        member: String,
        #[cfg_attr(feature = "openapi", schema(value_type = Object))]
        value: Value,
    },
}
