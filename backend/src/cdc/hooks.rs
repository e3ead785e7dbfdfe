//! Points at which a test may hold the job, to bring about an order of events that is rare otherwise. They exist only in
//! builds with the feature `hooks`: while the folder that `GODWIT_HOOKS` names has a file `hold-NAME`, whoever comes to
//! the point of that name waits, and says so by a file `held-NAME`.

/// Before more of the log is taken in.
pub const LOG: &str = "log";
/// Before the point in time of a batch begins.
pub const POINT: &str = "point";
/// Between the reading and the writing of some documents.
pub const WRITE: &str = "write";
/// When rows have given their `_id`s back, and before others get them.
pub const CLAIMS: &str = "claims";

/// Whether this point is held now.
#[cfg(feature = "hooks")]
pub fn is_held(name: &str) -> bool {
    let Some(folder) = std::env::var_os("GODWIT_HOOKS").map(std::path::PathBuf::from) else {
        return false;
    };
    let is_held = folder.join(format!("hold-{name}")).exists();
    if is_held {
        let _ = std::fs::write(folder.join(format!("held-{name}")), []);
    }
    is_held
}

#[cfg(not(feature = "hooks"))]
pub const fn is_held(_name: &str) -> bool {
    false
}

/// Waits while this point is held.
pub async fn hold(name: &str) {
    while is_held(name) {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}
