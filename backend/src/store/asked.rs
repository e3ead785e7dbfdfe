//! The store as requests ask it: a server that hangs must not hold them for ever.

use super::{ProjectRecord, Store, StoreError, StoredJdbc, StoredMongodb};
use godwit_shared::ids::{ConnectionId, ProjectId};
use godwit_shared::project::ProjectSummary;
use godwit_shared::quarantine::UnreadableEntry;
use godwit_shared::schema::RelationalModel;
use std::time::Duration;

/// The longest that one request waits for one answer of the store. An election of a replica set takes less.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// See the module.
#[derive(Debug, Clone)]
pub struct AskedStore(Store);

impl Store {
    /// The same store, for requests.
    pub fn asked(&self) -> AskedStore {
        AskedStore(self.clone())
    }
}

async fn within<T>(answer: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    let answer = tokio::time::timeout(ANSWER_MAX, answer).await;
    answer.unwrap_or(Err(StoreError::Silent(ANSWER_MAX.as_secs())))
}

macro_rules! asked {
    ($(fn $name:ident($($given:ident: $kind:ty),*) -> $found:ty;)*) => {
        impl AskedStore {
            $(
                #[doc = concat!("As [`Store::", stringify!($name), "`], for a limited time.")]
                ///
                /// # Errors
                /// As there, and when no answer comes in time.
                pub async fn $name(&self, $($given: $kind),*) -> Result<$found, StoreError> {
                    within(self.0.$name($($given),*)).await
                }
            )*
        }
    };
}

asked! {
    fn ping() -> ();
    fn projects() -> Vec<ProjectSummary>;
    fn project(id: &ProjectId) -> Option<ProjectRecord>;
    fn has_project(id: &ProjectId) -> bool;
    fn save_project(record: &ProjectRecord, instead_of: Option<u64>) -> ();
    fn delete_project(id: &ProjectId) -> bool;
    fn save_schema(id: &str, model: &RelationalModel) -> ();
    fn schema(id: &str) -> Option<RelationalModel>;
    fn jdbc_connections() -> Vec<StoredJdbc>;
    fn mongodb_connections() -> Vec<StoredMongodb>;
    fn jdbc_connection(id: &ConnectionId) -> Option<StoredJdbc>;
    fn mongodb_connection(id: &ConnectionId) -> Option<StoredMongodb>;
    fn save_jdbc(id: &ConnectionId, connection: &StoredJdbc) -> ();
    fn save_mongodb(id: &ConnectionId, connection: &StoredMongodb) -> ();
    fn delete_connection(kind: &str, id: &ConnectionId) -> bool;
}

impl AskedStore {
    /// As [`Store::unreadable`].
    pub fn unreadable(&self) -> Vec<UnreadableEntry> {
        self.0.unreadable()
    }
}
