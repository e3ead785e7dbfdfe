//! A model proposed from what the source says of its rows.

use super::OpenSource;
use crate::source::SourceError;
use godwit_shared::proposal::{Facts, Proposal, propose};
use godwit_shared::schema::RelationalModel;

/// Proposes with the figures of the source.
///
/// # Errors
/// When the source fails.
pub async fn with_figures(opened: &OpenSource, model: &RelationalModel, exact: bool) -> Result<Proposal, SourceError> {
    let mut facts = opened.session.read_facts(&opened.catalog, model).await?;
    if exact {
        opened.session.count_exactly(&opened.catalog, model, &mut facts).await?;
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
