//! What stays of a job's connections: those that were typed in are saved, and the project remembers both.

use super::draft::Draft;
use crate::api::{self, ApiError};
use crate::connections::details::given;
use godwit_shared::ids::ProjectId;

/// To be called when the job has been accepted: only what works is worth keeping. `draft` becomes what the next job
/// begins with.
pub async fn keep_connections(draft: &mut Draft, project: &ProjectId) -> Result<(), ApiError> {
    if draft.save_source.has_source_to_save(&draft.source) {
        let saved = api::connections::save_jdbc(&draft.save_source.source(&draft.source)).await?;
        draft.source.become_saved(&saved.id, saved.has_password);
        draft.save_source = Default::default();
    }
    if draft.save_destination.has_destination_to_save(&draft.destination) {
        let connection = draft.save_destination.destination(&draft.destination);
        let saved = api::connections::save_mongodb(&connection).await?;
        draft.destination.become_saved(&saved.id, saved.has_password);
        draft.save_destination = Default::default();
    }
    let (source, destination) = (given(&draft.source.saved), given(&draft.destination.saved));
    api::projects::set_connections(project, source, destination).await
}
