//! What can be said of a draft that nobody has stored: whether it becomes a plan, what its documents are, what its
//! expressions and filters do.
//!
//! The same plan, filters, scripts and assembler as those of a job, so that a preview cannot show what a job would not
//! write. This room stores nothing, and runs no text that it was told not to run.

pub mod check;
pub mod filter;
pub mod key;
mod offline;
pub mod preview;
pub mod proposal;

use crate::data::catalog::Catalog;
use crate::jobs::prepare::{PATIENCE, PrepareError, open_session};
use crate::plan::{Plan, PlanOptions, PlanProblem, compile};
use crate::source::api::{Session, Source};
use godwit_shared::connection::JdbcConnectionDetails;
use godwit_shared::consent::CodeLanguage;
use godwit_shared::edit::{Draft, Fault, FaultKind, Part, Place, fixes};
use godwit_shared::ids::{CollectionId, TableId};
use godwit_shared::job::CollectionFilters;
use godwit_shared::relmig::ProjectFile;
use godwit_shared::schema::TableName;
use std::sync::Arc;

/// An open source, as somebody who waits uses it.
pub struct OpenSource {
    pub source: Arc<dyn Source>,
    pub session: Box<dyn Session>,
    pub catalog: Catalog,
}

/// Opens the source and reads its catalog.
///
/// # Errors
/// Why it cannot be used.
pub async fn open(details: &JdbcConnectionDetails, kind: &str) -> Result<OpenSource, PrepareError> {
    let (source, session) = open_session(details, kind, Some(PATIENCE)).await?;
    let catalog = session.read_catalog().await?;
    Ok(OpenSource {
        source,
        session,
        catalog,
    })
}

/// Which texts may run: language and text.
pub type MayRun<'m> = &'m (dyn Fn(CodeLanguage, &str) -> bool + Send + Sync);

/// The plan of a draft, or of one of its collections.
///
/// # Errors
/// All that is wrong with it.
fn plan_of(
    file: &ProjectFile,
    catalog: &Catalog,
    project: &str,
    collections: CollectionFilters,
) -> Result<Plan, Vec<PlanProblem>> {
    let options = PlanOptions {
        project_id: project.to_owned(),
        table_filters: Default::default(),
        collection_filters: collections,
    };
    compile(file, catalog, &options)
}

/// Problems as faults, at their places and with what would put them right.
struct Faults<'f> {
    draft: Draft,
    file: &'f ProjectFile,
}

impl<'f> Faults<'f> {
    fn of(file: &'f ProjectFile) -> Self {
        let draft = Draft {
            name: file.project.name.clone(),
            content: file.project.content.clone(),
            model: file.schema.full.clone(),
            revision: 0,
        };
        Self { draft, file }
    }

    fn collection(&self, name: &str) -> Option<CollectionId> {
        let mut all = self.file.project.content.collections.iter();
        // Of two that have one name, the later one is at fault.
        all.rfind(|(_, c)| c.name == name).map(|(id, _)| id.clone())
    }

    fn table(&self, name: &TableName) -> Option<TableId> {
        self.draft.table_id(name).cloned()
    }

    fn fault(&self, problem: &PlanProblem) -> Fault {
        let rule = problem.rule.as_ref().and_then(|id| self.draft.rule(id));
        let part = match &problem.about.1 {
            // A plan knows calculated fields by their names.
            Part::Calculated { id: name } => {
                let mut fields = rule.into_iter().flat_map(|r| &r.calculated_fields);
                let known = rule.is_some_and(|r| r.calculated_fields.contains_key(name));
                let found = fields.find(|(_, field)| !known && field.name == *name);
                Part::Calculated {
                    id: found.map_or_else(|| name.clone(), |(id, _)| id.clone()),
                }
            }
            part => part.clone(),
        };
        let place = Place {
            collection: rule
                .map(|r| r.collection_id.clone())
                .or_else(|| self.collection(&problem.collection)),
            rule: problem.rule.clone(),
            table: problem.table.as_ref().and_then(|table| self.table(table)),
            part,
        };
        self.at(place, problem.about.0, problem.message.clone())
    }

    fn at(&self, place: Place, kind: FaultKind, message: String) -> Fault {
        Fault {
            fixes: fixes(&self.draft, &place, kind),
            place,
            kind,
            message,
            row: None,
        }
    }

    /// The filter of a table that is none.
    fn filter(&self, table: &TableName, reason: &str) -> Fault {
        let id = self.table(table);
        let place = Place {
            table: id.clone(),
            part: Part::TableFilter,
            ..Place::default()
        };
        let mut fault = self.at(
            place,
            FaultKind::Filter,
            format!("the filter of {table} cannot be used: {reason}"),
        );
        if let Some(table) = id {
            let edit = godwit_shared::edit::Edit::SetTableFilter { table, filter: None };
            fault.fixes.push(godwit_shared::edit::Fix {
                label: "Take away the filter".to_owned(),
                edit,
            });
        }
        fault
    }
}
