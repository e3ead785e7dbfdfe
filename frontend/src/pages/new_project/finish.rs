//! Saves the connection, makes the project, and opens it.

use super::NewProject;
use super::draft::{Origin, ProjectDraft, ReadSchema, Start};
use super::keep::Kept;
use crate::api::{self, ApiError};
use crate::components::toast::use_toasts;
use crate::pages::mapping::decisions::in_order;
use crate::routes;
use godwit_shared::ids::ConnectionId;
use godwit_shared::initial::InitialMapping;
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;
use std::future::Future;
use std::pin::Pin;

type Done = Pin<Box<dyn Future<Output = Result<(), ApiError>>>>;

/// To be called while the page is built; the result makes the project of what the draft holds by then.
pub fn finish(context: NewProject) -> UnsyncCallback<(), Done> {
    let (toasts, navigate) = (use_toasts(), use_navigate());
    UnsyncCallback::new(move |()| {
        let navigate = navigate.clone();
        let done: Done = Box::pin(async move {
            let draft = context.draft.get_untracked();
            // The steps before this one have read it.
            let Some(read) = context.schema.get_untracked() else {
                return Ok(());
            };
            let connection = match draft.origin {
                Origin::Connection => connection_of(context, &draft).await?,
                Origin::DdlFiles | Origin::Sample => None,
            };
            let project = create(context, &draft, &read, connection).await?;
            toasts.say(format!("Created “{}”.", project.name));
            context.projects.reload();
            Kept::forget();
            navigate(&routes::mapping(&project.id), NavigateOptions::default());
            Ok(())
        });
        done
    })
}

/// The saved connection of the project, saved now where it is new.
async fn connection_of(context: NewProject, draft: &ProjectDraft) -> Result<Option<ConnectionId>, ApiError> {
    if !draft.save.has_source_to_save(&draft.source) {
        let chosen = &draft.source.saved;
        return Ok((!chosen.is_empty()).then(|| ConnectionId::new(chosen)));
    }
    let earlier = context.saved_connection.get_value();
    let is_of = |saved_as: &ProjectDraft| same_connection(saved_as, draft);
    if let Some((_, id)) = earlier.filter(|(saved_as, _)| is_of(saved_as)) {
        return Ok(Some(id));
    }
    let id = api::connections::save_jdbc(&draft.save.source(&draft.source)).await?.id;
    context.saved_connection.set_value(Some((draft.clone(), id.clone())));
    Ok(Some(id))
}

/// Whether two drafts speak of one connection, whatever else they say.
fn same_connection(a: &ProjectDraft, b: &ProjectDraft) -> bool {
    a.source == b.source && a.save == b.save
}

async fn create(
    context: NewProject,
    draft: &ProjectDraft,
    read: &ReadSchema,
    connection: Option<ConnectionId>,
) -> Result<godwit_shared::project::ProjectSummary, ApiError> {
    let selection = context.selection.get_untracked();
    let casing = draft.chosen_casing();
    let content = match (draft.start, context.proposal.get_untracked()) {
        (Start::Relational, _) => read.content(&selection, casing, InitialMapping::Relational),
        (Start::Empty, _) | (Start::Proposed, None) => read.content(&selection, casing, InitialMapping::Empty),
        (Start::Proposed, Some(proposal)) => {
            let taken = context.taken.with_untracked(|taken| in_order(&proposal, taken));
            // What is proposed was asked for with these very tables.
            read.proposed(&selection, casing, &proposal, &taken)
                .map_err(|error| ApiError::Unreadable {
                    reason: error.to_string(),
                })?
        }
    };
    let project = api::projects::create(&draft.to_save(read, content, connection)).await?;
    Ok(project.summary)
}

/// Makes a project of the sample shop, and opens it.
pub fn make_sample(context: NewProject) -> UnsyncCallback<(), Done> {
    let (toasts, navigate) = (use_toasts(), use_navigate());
    UnsyncCallback::new(move |()| {
        let navigate = navigate.clone();
        let done: Done = Box::pin(async move {
            let project = api::projects::create_sample().await?;
            toasts.say(format!("Created “{}”.", project.name));
            context.projects.reload();
            Kept::forget();
            navigate(&routes::mapping(&project.id), NavigateOptions::default());
            Ok(())
        });
        done
    })
}
