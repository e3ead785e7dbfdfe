//! A model proposed from what the source says of its rows.

use super::Session;
use crate::source::SourceError;
use crate::source::postgres::facts::{count_exactly, read_facts};
use godwit_shared::proposal::{Facts, Proposal, propose};
use godwit_shared::schema::RelationalModel;

/// Proposes with the figures of the source.
///
/// # Errors
/// When the source fails.
pub async fn with_figures(session: &Session, model: &RelationalModel, exact: bool) -> Result<Proposal, SourceError> {
    let mut facts = read_facts(&session.pg, &session.catalog, model).await?;
    if exact {
        count_exactly(&session.pg, &session.catalog, model, &mut facts).await?;
    }
    Ok(propose(model, &facts))
}

/// Proposes from keys alone.
pub fn without_figures(model: &RelationalModel, problem: String) -> Proposal {
    Proposal {
        source_problem: Some(problem),
        ..propose(model, &Facts::default())
    }
}
