//! What can be known of a source before the first row is read.

use super::client::MySqlSource;
use crate::source::SourceError;
use godwit_shared::connection::ConnectivityResult;
use std::time::Duration;

impl MySqlSource {
    /// Tries a connection and tells what it found.
    ///
    /// # Errors
    /// Why no connection can be had.
    pub(super) async fn check(&self) -> Result<ConnectivityResult, SourceError> {
        let link = self.connect().await?;
        let server = link.server();
        let database = match self.address.database.as_str() {
            "" => "all databases that this user may see".to_owned(),
            database => format!("the database \"{database}\""),
        };
        Ok(ConnectivityResult {
            success: true,
            message: format!("Connected to {database} of {}.", server.name()),
            version: format!("{} {}", server.name(), server.version),
            topology: if server.is_encrypted {
                "encrypted"
            } else {
                "not encrypted"
            }
            .into(),
        })
    }

    /// Whether something there listens and speaks, whatever it says of user and password.
    ///
    /// # Errors
    /// When nothing does in this time.
    pub(super) async fn is_there(&self, patience: Duration) -> Result<(), SourceError> {
        let asked = tokio::time::timeout(patience, self.open()).await;
        match asked {
            Ok(Err(error @ SourceError::OtherServer { .. })) => Err(error),
            Ok(Err(error)) if error.is_outage() => Err(error),
            Ok(_) => Ok(()),
            Err(_) => Err(SourceError::Unreachable {
                address: self.address.host_and_port(),
                reason: format!("no answer within {} seconds", patience.as_secs()),
            }),
        }
    }
}
