//! What the user has entered of a new project so far, and what is made of it.

use super::selection::{Selection, TableTree, selected_part};
use crate::api::schema::StoredSchema;
use crate::connections::draft::SourceDraft;
use crate::connections::save::SaveDraft;
use crate::projects::name_error;
use godwit_shared::casing::Casing;
use godwit_shared::connection::JdbcConnectionDetails;
use godwit_shared::ddl::DdlDatabase;
use godwit_shared::edit::{Draft, EditError, apply};
use godwit_shared::ids::{ConnectionId, TableId};
use godwit_shared::initial::{InitialMapping, content_of};
use godwit_shared::mapping::{Content, KeyHandling};
use godwit_shared::project::{ProjectSummary, SaveProject};
use godwit_shared::proposal::{Proposal, take};
use godwit_shared::schema::RelationalModel;
use reactive_stores::Store;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Where the tables of a new project are known from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Origin {
    #[default]
    Connection,
    DdlFiles,
    /// The sample shop, which is a project at once.
    Sample,
}

/// *Initial mappings*.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Start {
    /// One collection for each table.
    #[default]
    Relational,
    /// A model that is proposed, or a part of it.
    Proposed,
    Empty,
}

/// No `Debug`: it holds passwords.
#[derive(Clone, PartialEq, Store)]
pub struct ProjectDraft {
    pub origin: Origin,
    pub source: SourceDraft,
    /// Of a connection that was typed in: it is saved with the project.
    pub save: SaveDraft,
    pub filter: String,
    /// Names of tables that are to be selected at once.
    pub bulk_names: String,
    pub keeps_original_names: bool,
    /// A value of [`casing_name`].
    pub casing: String,
    pub start: Start,
    pub name: String,
}

impl Default for ProjectDraft {
    fn default() -> Self {
        Self {
            origin: Origin::default(),
            source: SourceDraft::in_fields(),
            save: SaveDraft::default(),
            filter: String::new(),
            bulk_names: String::new(),
            keeps_original_names: false,
            casing: casing_name(Casing::default()).into(),
            start: Start::default(),
            name: String::new(),
        }
    }
}

/// As the setting is spelt.
pub fn casing_name(casing: Casing) -> &'static str {
    match casing {
        Casing::CamelCase => "camelCase",
        Casing::TitleCase => "TitleCase",
        Casing::KebabCase => "kebab-case",
        Casing::SnakeCase => "snake_case",
        Casing::UpperSnakeCase => "UPPER_SNAKE_CASE",
        Casing::Original => "Keep Original",
    }
}

/// The casings that override the original names.
pub fn overriding_casings() -> impl Iterator<Item = Casing> {
    Casing::ALL.into_iter().filter(|casing| *casing != Casing::Original)
}

impl ProjectDraft {
    pub fn chosen_casing(&self) -> Casing {
        let named = overriding_casings().find(|casing| casing_name(*casing) == self.casing);
        match self.keeps_original_names {
            true => Casing::Original,
            false => named.unwrap_or_default(),
        }
    }

    /// Whether the connection cannot be saved as it is to be.
    pub fn has_save_problem(&self) -> bool {
        self.save.has_source_to_save(&self.source) && self.save.problem().is_some()
    }

    /// What is sent to make the project.
    pub fn to_save(&self, read: &ReadSchema, content: Content, connection: Option<ConnectionId>) -> SaveProject {
        SaveProject {
            id: None,
            name: self.name.trim().to_owned(),
            kind: read.kind().to_owned(),
            schemas_id: read.id.clone(),
            content,
            jdbc_id: connection.map(|id| id.to_string()),
            mongodb_id: None,
            revision: None,
            full: None,
        }
    }
}

/// The name of the database, with a number behind it where projects have that name already.
pub fn suggested_name(model: &RelationalModel, projects: &[ProjectSummary]) -> String {
    let database = model.databases.keys().next().map(String::as_str).unwrap_or_default();
    let mut letters = database.chars();
    let base = match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).take(NAME_SUGGESTED_MAX).collect(),
        None => "New project".to_owned(),
    };
    let is_free = |name: &String| !projects.iter().any(|p| p.name == *name);
    let numbered = (2..).map(|n| format!("{base} {n}"));
    std::iter::once(base.clone())
        .chain(numbered)
        .find(is_free)
        .unwrap_or(base)
}

/// Leaves room for a number behind it.
const NAME_SUGGESTED_MAX: usize = 40;

/// Why a new project cannot have this name.
pub fn new_name_error(name: &str, projects: &[ProjectSummary]) -> Option<String> {
    let is_taken = projects.iter().any(|p| p.name == name.trim());
    name_error(name).or_else(|| is_taken.then(|| "Another project has this name.".into()))
}

/// Where tables were read from: other tables have to be read anew.
#[derive(Clone, PartialEq)]
pub enum ReadFrom {
    Connection(Box<JdbcConnectionDetails>),
    /// The id of the schema that the files came to.
    Ddl {
        database: DdlDatabase,
        schema: String,
    },
}

/// The tables that were read, and where.
#[derive(Clone, PartialEq)]
pub struct ReadSchema {
    pub id: String,
    pub model: Arc<RelationalModel>,
    pub tree: Arc<TableTree>,
    pub from: ReadFrom,
}

impl ReadSchema {
    pub fn new(stored: StoredSchema, from: ReadFrom) -> Self {
        Self {
            id: stored.id,
            tree: Arc::new(TableTree::of(&stored.full)),
            model: Arc::new(stored.full),
            from,
        }
    }

    /// The kind of database, as a project says it.
    pub fn kind(&self) -> &str {
        &self.model.metadata.database_type
    }

    /// The connection, where there is one.
    pub fn connection(&self) -> Option<JdbcConnectionDetails> {
        match &self.from {
            ReadFrom::Connection(details) => Some((**details).clone()),
            ReadFrom::Ddl { .. } => None,
        }
    }

    /// The rules that the project starts with, without a proposal.
    pub fn content(&self, selection: &Selection, casing: Casing, initial: InitialMapping) -> Content {
        let part = selected_part(&self.model, &self.tree, selection);
        content_of(&part, casing, KeyHandling::default(), initial)
    }

    /// The rules of what is taken of a proposal.
    ///
    /// # Errors
    /// Why it cannot be taken: the tables have changed since.
    pub fn proposed(
        &self,
        selection: &Selection,
        casing: Casing,
        proposal: &Proposal,
        taken: &[String],
    ) -> Result<Content, EditError> {
        let mut draft = Draft {
            content: self.content(selection, casing, InitialMapping::Empty),
            model: selected_part(&self.model, &self.tree, selection),
            ..Draft::default()
        };
        let edit = take(&draft, proposal, taken);
        apply(&mut draft, &edit)?;
        Ok(draft.content)
    }
}

/// A table and the collection that it becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectionOfTable {
    pub schema: String,
    pub table: String,
    pub collection: String,
    /// Another one has the name that the casing gives.
    pub is_renamed: bool,
}

/// Of a relational content, by schema and table.
pub fn collections_of(content: &Content, casing: Casing) -> Vec<CollectionOfTable> {
    let of_mapping = content.mappings.values().filter_map(|mapping| {
        let collection = content.collections.get(&mapping.collection_id)?;
        let path = &content.tables.get(&TableId::new(&*mapping.table))?.path;
        Some(CollectionOfTable {
            schema: path.schema.clone(),
            table: path.table.clone(),
            is_renamed: collection.name != casing.apply(&path.table),
            collection: collection.name.clone(),
        })
    });
    of_mapping.collect()
}

#[cfg(test)]
mod tests {
    use super::super::selection::tests::model;
    use super::*;
    use godwit_shared::ids::ProjectId;

    fn project(name: &str) -> ProjectSummary {
        ProjectSummary {
            id: ProjectId::new(name),
            name: name.into(),
            kind: "POSTGRESQL".into(),
            jdbc_id: None,
            mongodb_id: None,
            revision: 0,
            needs_consent: false,
            last_modified: "2026-11-03T10:00:00Z".parse().unwrap(),
        }
    }

    #[test]
    fn names_of_new_projects() {
        let model = model(&[("public", "a")]);
        assert_eq!(suggested_name(&model, &[]), "Shop");
        assert_eq!(suggested_name(&model, &[project("Shop"), project("Shop 2")]), "Shop 3");
        assert!(new_name_error(" Shop ", &[project("Shop")]).is_some_and(|e| e.contains("Another")));
        assert!(new_name_error("", &[]).is_some());
        assert_eq!(new_name_error("Shop", &[]), None);
    }

    #[test]
    fn casings_by_their_names() {
        let mut draft = ProjectDraft::default();
        assert_eq!(draft.chosen_casing(), Casing::CamelCase);
        for casing in overriding_casings() {
            draft.casing = casing_name(casing).into();
            assert_eq!(draft.chosen_casing(), casing);
        }
        draft.keeps_original_names = true;
        assert_eq!(draft.chosen_casing(), Casing::Original);
    }

    #[test]
    fn what_becomes_of_the_tables() {
        let stored = StoredSchema {
            id: "s1".into(),
            full: model(&[("public", "ORDER_LINE"), ("public", "orderLine"), ("public", "b")]),
        };
        let read = ReadSchema::new(stored, ReadFrom::Connection(Box::default()));
        let mut selection = Selection::all_of(&read.tree);
        selection.set([1].into_iter(), false);
        let content = read.content(&selection, Casing::CamelCase, InitialMapping::Relational);
        let shown: Vec<_> = collections_of(&content, Casing::CamelCase)
            .into_iter()
            .map(|c| (c.table, c.collection, c.is_renamed))
            .collect();
        assert_eq!(
            shown,
            [
                ("ORDER_LINE".to_owned(), "orderLine".to_owned(), false),
                ("orderLine".to_owned(), "orderLine2".to_owned(), true)
            ]
        );
        let empty = read.content(&selection, Casing::CamelCase, InitialMapping::Empty);
        assert_eq!(
            (collections_of(&empty, Casing::CamelCase), empty.tables.len()),
            (vec![], 2)
        );
    }
}
