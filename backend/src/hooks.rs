//! Points at which a test may hold the job, or make it panic, to bring about an order of events that is rare otherwise.
//! They exist only in builds with the feature `hooks`: while the folder that `GODWIT_HOOKS` names has a file `hold-NAME`,
//! whoever comes to the point of that name waits, and says so by a file `held-NAME`; a file `panic-NAME` makes the first
//! who comes there panic.

/// Before more of the log is taken in.
pub const LOG: &str = "log";
/// Before the point in time of a batch begins.
pub const POINT: &str = "point";
/// Between the reading and the writing of some documents.
pub const WRITE: &str = "write";
/// When rows have given their `_id`s back, and before others get them.
pub const CLAIMS: &str = "claims";
/// In a worker of the snapshot, before a chunk is read.
pub const CHUNK: &str = "chunk";
/// Where figures of the snapshot are published.
pub const FIGURES: &str = "figures";
/// Where figures of the CDC stage are published.
pub const CDC_FIGURES: &str = "cdc-figures";
/// A job is in the store, and not at work yet.
pub const CREATED: &str = "created";
/// The time series are made, and the store does not know it yet.
pub const SERIES: &str = "series";
/// The store knows that the time series are made.
pub const SERIES_NOTED: &str = "series-noted";
/// The end is decided, and not stored yet.
pub const DECIDED: &str = "decided";
/// The end is stored, and nothing is cleaned yet.
pub const INTENT: &str = "intent";
/// The slot is gone.
pub const SLOT_GONE: &str = "slot-gone";
/// The publication is gone too.
pub const PUBLICATION_GONE: &str = "publication-gone";
/// The source is clean, and the store does not know it yet.
pub const SOURCE_CLEAN: &str = "source-clean";
/// The store knows that the source is clean.
pub const SOURCE_NOTED: &str = "source-noted";
/// In a verification, before a batch of documents is compared.
pub const VERIFY: &str = "verify";
/// Claims, chunks and checkpoint are gone, and the end is not stored yet.
pub const STORE_CLEAN: &str = "store-clean";

/// Whether this point is held now. Panics where a test wants that.
#[cfg(feature = "hooks")]
pub fn is_held(name: &str) -> bool {
    let Some(folder) = std::env::var_os("GODWIT_HOOKS").map(std::path::PathBuf::from) else {
        return false;
    };
    // Who takes it away is the one.
    if std::fs::remove_file(folder.join(format!("panic-{name}"))).is_ok() {
        panic!("a test wants a panic at {name}");
    }
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

/// Faults of what reads and assembles, which a test brings about by a file `fault-NAME`: a verification has to find them by
/// its second path, which shares nothing with the first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Faults {
    /// The last element of every array is not written.
    pub drops_last: bool,
    /// The first two fields of a document have each other's values.
    pub swaps_fields: bool,
    /// Decimals lose their fraction.
    pub rounds_decimals: bool,
    /// Filters of root tables are forgotten.
    pub forgets_filters: bool,
}

/// The faults that a test wants now.
#[cfg(feature = "hooks")]
pub fn faults() -> Faults {
    let Some(folder) = std::env::var_os("GODWIT_HOOKS").map(std::path::PathBuf::from) else {
        return Faults::default();
    };
    let has = |name: &str| folder.join(format!("fault-{name}")).exists();
    Faults {
        drops_last: has("last-child"),
        swaps_fields: has("swapped-fields"),
        rounds_decimals: has("rounded-decimal"),
        forgets_filters: has("forgotten-filter"),
    }
}

#[cfg(not(feature = "hooks"))]
pub const fn faults() -> Faults {
    Faults {
        drops_last: false,
        swaps_fields: false,
        rounds_decimals: false,
        forgets_filters: false,
    }
}

/// Waits while this point is held.
pub async fn hold(name: &str) {
    while is_held(name) {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}
