//! What a project carries that is run: SQL in the source, JavaScript in the server. A file that comes from somebody else
//! shows it before any of it runs.

use crate::ids::CollectionId;
use crate::relmig::ProjectFile;
use serde::{Deserialize, Serialize};

/// The language of a text that is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CodeLanguage {
    /// Runs in the source.
    Sql,
    /// Runs in the server.
    Javascript,
}

/// Where a text that is run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CodePlace {
    TableFilter,
    RuleFilter,
    CalculatedField,
}

/// One text of a project that is run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CarriedCode {
    pub language: CodeLanguage,
    pub place: CodePlace,
    /// `schema.table`.
    pub table: String,
    /// The collection of the rule; absent for the filter of a table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collection: Option<String>,
    /// The calculated field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    pub text: String,
}

/// What a project carries, and whether somebody has yet to agree to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Consent {
    /// Nothing of the project runs until somebody agrees.
    pub needed: bool,
    /// Stands for exactly this code.
    pub digest: String,
    pub code: Vec<CarriedCode>,
}

/// The body of `POST /project/{id}/consent`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GiveConsent {
    /// That of the code that was read.
    pub digest: String,
}

/// Everything that is run for the documents of one collection.
pub fn code_of_collection(file: &ProjectFile, collection: &CollectionId) -> Vec<CarriedCode> {
    let rules = file.project.content.mappings.values();
    let own: Vec<_> = rules.filter(|rule| rule.collection_id == *collection).collect();
    let tables: Vec<String> = own
        .iter()
        .filter_map(|rule| file.table_of(rule))
        .map(|path| path.name().to_string())
        .collect();
    let name = file.project.content.collections.get(collection).map(|c| c.name.clone());
    let is_concerned = |code: &CarriedCode| match code.place {
        CodePlace::TableFilter => tables.contains(&code.table),
        CodePlace::RuleFilter | CodePlace::CalculatedField => code.collection == name,
    };
    code_of(file).into_iter().filter(is_concerned).collect()
}

/// Everything of a file that is run, filters of tables first.
pub fn code_of(file: &ProjectFile) -> Vec<CarriedCode> {
    let content = &file.project.content;
    let of_tables = content.tables.values().filter_map(|entry| {
        let filter = entry.extra.get("filter").filter(|f| !f.is_null())?;
        // A filter that cannot be read is shown as it stands: a later version might read it.
        let text = match filter.get("whereClause") {
            Some(text) => text.as_str().map_or_else(|| text.to_string(), str::to_owned),
            None if filter.is_object() => return None,
            None => filter.to_string(),
        };
        (!text.trim().is_empty()).then(|| CarriedCode {
            language: CodeLanguage::Sql,
            place: CodePlace::TableFilter,
            table: entry.path.name().to_string(),
            collection: None,
            field: None,
            text,
        })
    });
    let of_rules = content.mappings.values().flat_map(|rule| {
        let table = file
            .table_of(rule)
            .map_or_else(|| rule.table.clone(), |path| path.name().to_string());
        let collection = content.collections.get(&rule.collection_id).map(|c| c.name.clone());
        let code = |place, field: Option<&str>, text: &str| CarriedCode {
            language: CodeLanguage::Javascript,
            place,
            table: table.clone(),
            collection: collection.clone(),
            field: field.map(str::to_owned),
            text: text.to_owned(),
        };
        let filter = rule.settings.rule_filter.iter();
        let filter = filter.map(|f| code(CodePlace::RuleFilter, None, &f.expression));
        let fields = rule.calculated_fields.values();
        let fields = fields.map(|f| code(CodePlace::CalculatedField, Some(&f.name), &f.expression));
        let all: Vec<CarriedCode> = filter.chain(fields).filter(|c| !c.text.trim().is_empty()).collect();
        all
    });
    of_tables.chain(of_rules).collect()
}
