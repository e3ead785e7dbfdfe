//! What a job has to tell about single rows, grouped as it comes.

use super::failed::FailedRow;
use godwit_shared::job::{EventStage, EventType, JOB_UPDATES_MAX, JobUpdate, LocationType};
use indexmap::IndexMap;
use std::collections::HashSet;

/// The kinds of issue. The code of each is stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum IssueKind {
    ValueNotConvertible,
    ValueRounded,
    ValueTooSmall,
    PrecisionLost,
    FractionCut,
    RoundedToDouble,
    LowerBoundDropped,
    NoSuchDate,
    NotBoolean,
    FilterFailed,
    FilterNotBoolean,
    ExpressionFailed,
    IdInvalid,
    DuplicateId,
    DocumentTooLarge,
    TimeMissing,
    WriteRefused,
    SeveralRowsForDocument,
    TwoPointsInTime,
    WriteConcernWeak,
    NothingRead,
    ReadPlan,
    Interrupted,
    StandsStill,
    OpenTransaction,
    LateChanges,
    RestNotApplied,
    LeftBehind,
    Note,
}

impl IssueKind {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            IssueKind::ValueNotConvertible => "value_not_convertible",
            IssueKind::ValueRounded => "value_rounded",
            IssueKind::ValueTooSmall => "value_too_small",
            IssueKind::PrecisionLost => "precision_lost",
            IssueKind::FractionCut => "fraction_cut",
            IssueKind::RoundedToDouble => "rounded_to_double",
            IssueKind::LowerBoundDropped => "array_lower_bound_dropped",
            IssueKind::NoSuchDate => "no_such_date",
            IssueKind::NotBoolean => "not_boolean",
            IssueKind::FilterFailed => "filter_failed",
            IssueKind::FilterNotBoolean => "filter_not_boolean",
            IssueKind::ExpressionFailed => "expression_failed",
            IssueKind::IdInvalid => "id_invalid",
            IssueKind::DuplicateId => "duplicate_id",
            IssueKind::DocumentTooLarge => "document_too_large",
            IssueKind::TimeMissing => "time_missing",
            IssueKind::WriteRefused => "write_refused",
            IssueKind::SeveralRowsForDocument => "several_rows_for_document",
            IssueKind::TwoPointsInTime => "two_points_in_time",
            IssueKind::WriteConcernWeak => "write_concern_weak",
            IssueKind::NothingRead => "nothing_read",
            IssueKind::ReadPlan => "read_plan",
            IssueKind::Interrupted => "interrupted",
            IssueKind::StandsStill => "stands_still",
            IssueKind::OpenTransaction => "open_transaction",
            IssueKind::LateChanges => "late_changes",
            IssueKind::RestNotApplied => "rest_not_applied",
            IssueKind::LeftBehind => "left_behind",
            IssueKind::Note => "note",
        }
    }

    /// Only errors count towards *Stop after errors*.
    pub fn event_type(self) -> EventType {
        match self {
            IssueKind::ValueNotConvertible
            | IssueKind::FilterFailed
            | IssueKind::FilterNotBoolean
            | IssueKind::ExpressionFailed
            | IssueKind::IdInvalid
            | IssueKind::DuplicateId
            | IssueKind::DocumentTooLarge
            | IssueKind::TimeMissing
            | IssueKind::WriteRefused => EventType::Error,
            IssueKind::ValueRounded
            | IssueKind::ValueTooSmall
            | IssueKind::PrecisionLost
            | IssueKind::FractionCut
            | IssueKind::RoundedToDouble
            | IssueKind::LowerBoundDropped
            | IssueKind::NoSuchDate
            | IssueKind::NotBoolean
            | IssueKind::SeveralRowsForDocument
            | IssueKind::TwoPointsInTime
            | IssueKind::WriteConcernWeak
            | IssueKind::NothingRead
            | IssueKind::Interrupted
            | IssueKind::StandsStill
            | IssueKind::OpenTransaction
            | IssueKind::LateChanges
            | IssueKind::RestNotApplied
            | IssueKind::LeftBehind => EventType::Warning,
            IssueKind::ReadPlan | IssueKind::Note => EventType::Info,
        }
    }

    /// What a user can do about it.
    pub fn advice(self) -> Option<&'static str> {
        Some(match self {
            IssueKind::ValueNotConvertible => {
                "Null was stored. Choose another BSON type for the field (String keeps every value), or correct the row in the source."
            }
            IssueKind::ValueRounded => "Decimal128 holds 34 digits. Choose String for the field to keep all of them.",
            IssueKind::ValueTooSmall => {
                "The value is nearer to 0 than Decimal128 can be. Choose String for the field to keep it."
            }
            IssueKind::PrecisionLost => {
                "BSON dates hold milliseconds. Choose String for the field to keep the microseconds."
            }
            IssueKind::FractionCut => "Choose Decimal or Double for the field to keep the fraction.",
            IssueKind::RoundedToDouble => "Choose Decimal or String for the field to keep all digits.",
            IssueKind::LowerBoundDropped => "BSON arrays start at 0; the elements are all there.",
            IssueKind::NoSuchDate => "Choose String for the field to keep what the source shows.",
            IssueKind::NotBoolean => "Choose Integer for the field, so that all of its values have one type.",
            IssueKind::FilterFailed | IssueKind::FilterNotBoolean => {
                "The row was left out. A filter has to give true or false for every row, nulls included."
            }
            IssueKind::ExpressionFailed => {
                "The field is null in this document. Mind nulls and big integers (BigInt) in the expression."
            }
            IssueKind::IdInvalid => {
                "The row was left out. An `_id` is neither null nor an array, has no names that start with $, at most 100 levels and 1 MiB."
            }
            IssueKind::DuplicateId => {
                "The first row keeps the document. Choose another key handling, or make the expression of `_id` unique."
            }
            IssueKind::DocumentTooLarge => {
                "The row was left out: MongoDB documents end at 16 MiB. Embed less, limit the array, or keep the child table as a collection."
            }
            IssueKind::TimeMissing => {
                "The row was left out. Leave rows without a time out by a filter, or compute a time for them."
            }
            IssueKind::WriteRefused => "Look at the validator and the unique indexes of the collection.",
            IssueKind::SeveralRowsForDocument => {
                "The first row by primary key was taken. Use an embedded array to keep them all."
            }
            IssueKind::TwoPointsInTime => {
                "Start the job again if the collections have to agree with each other exactly."
            }
            IssueKind::WriteConcernWeak => "Remove `w` from the MongoDB URI to write with majority.",
            IssueKind::NothingRead => "Check the filter and that this is the right database.",
            IssueKind::OpenTransaction => {
                "What it commits later is not migrated. End such transactions before completing."
            }
            IssueKind::StandsStill => "Mend the cause, then resume the job. The source keeps its log until then.",
            IssueKind::LateChanges => "Make the source read-only before completing, or run the job again.",
            IssueKind::RestNotApplied => {
                "Run a snapshot with dropping, or a new continuous job, to have them in MongoDB."
            }
            IssueKind::LeftBehind => "Remove it by hand: a slot that nobody reads lets the log of the source grow.",
            IssueKind::ReadPlan | IssueKind::Interrupted | IssueKind::Note => return None,
        })
    }
}

/// One thing to tell, about one row or about all of a table or collection.
#[derive(Debug, Clone)]
pub struct Issue {
    pub kind: IssueKind,
    pub location: Location,
    pub field: Option<String>,
    pub message: String,
    /// Column and printed value of the row's key.
    pub key: Vec<(String, String)>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Location {
    Table(String),
    Collection(String),
    Job,
}

/// A row's error is counted once, though the row may stand in many documents. Beyond so many rows repetitions count.
const REMEMBERED_ROWS_MAX: usize = 100_000;

/// Issues grouped by location, field and kind.
#[derive(Debug, Clone, Default)]
pub struct IssueLog {
    groups: IndexMap<(IssueKind, Location, Option<String>), JobUpdate>,
    seen: HashSet<u64>,
    pub errors: u64,
    pub warnings: u64,
}

impl IssueLog {
    /// The log of a job that goes on.
    pub fn restore(updates: Vec<JobUpdate>, kinds: &[IssueKind]) -> Self {
        let mut log = Self::default();
        for update in updates {
            let Some(kind) = kinds.iter().copied().find(|k| k.code() == update.error_code) else {
                continue;
            };
            let location = match (update.location_type, update.location_name.clone()) {
                (Some(LocationType::Table), Some(name)) => Location::Table(name),
                (Some(LocationType::Collection), Some(name)) => Location::Collection(name),
                _ => Location::Job,
            };
            log.count(kind, update.weight());
            log.groups.insert((kind, location, update.field_name.clone()), update);
        }
        log
    }

    fn count(&mut self, kind: IssueKind, by: u64) {
        match kind.event_type() {
            EventType::Error => self.errors += by,
            EventType::Warning => self.warnings += by,
            EventType::Info => {}
        }
    }

    /// Adds one issue. Returns whether it is new, that is, not the same row and field again.
    pub fn add(&mut self, issue: Issue, stage: EventStage) -> bool {
        if !issue.key.is_empty() {
            let identity = identity_of(&issue);
            if self.seen.contains(&identity) {
                return false;
            }
            if self.seen.len() < REMEMBERED_ROWS_MAX {
                self.seen.insert(identity);
            }
        }
        let kind = issue.kind;
        let mut group = (issue.kind, issue.location, issue.field);
        if self.groups.len() >= JOB_UPDATES_MAX && !self.groups.contains_key(&group) {
            group = (issue.kind, Location::Job, None);
        }
        let now = chrono::Utc::now();
        let weight = match self.groups.get_mut(&group) {
            Some(update) => {
                let before = update.weight();
                update.count += 1;
                update.timestamp = now;
                update.weight() - before
            }
            None => {
                let (location_type, location_name) = match &group.1 {
                    Location::Table(name) => (Some(LocationType::Table), Some(name.clone())),
                    Location::Collection(name) => (Some(LocationType::Collection), Some(name.clone())),
                    Location::Job => (None, None),
                };
                let update = JobUpdate {
                    event_type: group.0.event_type(),
                    stage,
                    message: cut(issue.message),
                    details: None,
                    timestamp: now,
                    error_code: group.0.code().into(),
                    suggestion: group.0.advice().map(Into::into),
                    location_type,
                    location_name,
                    field_name: group.2.clone(),
                    key: issue.key.into_iter().map(|(name, value)| (name, cut(value))).collect(),
                    count: 1,
                };
                self.groups.insert(group, update);
                1
            }
        };
        self.count(kind, weight);
        true
    }

    /// Takes one issue of a row out again: the row is tried anew, and comes back where it fails.
    pub fn withdraw(&mut self, row: &FailedRow) {
        let Some(kind) = IssueKind::ALL.into_iter().find(|k| k.code() == row.code) else {
            return;
        };
        let issue = Issue {
            kind,
            location: Location::Table(row.table.clone()),
            field: row.field.clone(),
            message: String::new(),
            key: row.key.clone(),
        };
        self.seen.remove(&identity_of(&issue));
        let own = (kind, issue.location, issue.field);
        let group = if self.groups.contains_key(&own) {
            own
        } else {
            (kind, Location::Job, None)
        };
        let Some(update) = self.groups.get_mut(&group) else {
            return;
        };
        let before = update.weight();
        update.count = update.count.saturating_sub(1);
        let lost = before - update.weight().min(before);
        if update.count == 0 {
            self.groups.shift_remove(&group);
        }
        match kind.event_type() {
            EventType::Error => self.errors = self.errors.saturating_sub(lost),
            EventType::Warning => self.warnings = self.warnings.saturating_sub(lost),
            EventType::Info => {}
        }
    }

    /// The groups, in the order in which they came up.
    pub fn updates(&self) -> Vec<JobUpdate> {
        self.groups.values().cloned().collect()
    }
}

/// The most characters of a text in the log: statuses are stored and sent as a whole.
const TEXT_CHARS_MAX: usize = 4_000;

fn cut(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(TEXT_CHARS_MAX) {
        text.truncate(end);
        text.push('…');
    }
    text
}

fn identity_of(issue: &Issue) -> u64 {
    use std::hash::{Hash, Hasher};
    let mut hasher = std::hash::DefaultHasher::new();
    (issue.kind, &issue.location, &issue.field, &issue.key).hash(&mut hasher);
    hasher.finish()
}

impl IssueKind {
    /// Every kind, to find one by its code again.
    pub const ALL: [IssueKind; 28] = [
        IssueKind::ValueNotConvertible,
        IssueKind::ValueRounded,
        IssueKind::ValueTooSmall,
        IssueKind::PrecisionLost,
        IssueKind::FractionCut,
        IssueKind::RoundedToDouble,
        IssueKind::LowerBoundDropped,
        IssueKind::NoSuchDate,
        IssueKind::NotBoolean,
        IssueKind::FilterFailed,
        IssueKind::FilterNotBoolean,
        IssueKind::ExpressionFailed,
        IssueKind::IdInvalid,
        IssueKind::DuplicateId,
        IssueKind::DocumentTooLarge,
        IssueKind::WriteRefused,
        IssueKind::SeveralRowsForDocument,
        IssueKind::TwoPointsInTime,
        IssueKind::WriteConcernWeak,
        IssueKind::NothingRead,
        IssueKind::ReadPlan,
        IssueKind::Interrupted,
        IssueKind::StandsStill,
        IssueKind::OpenTransaction,
        IssueKind::LateChanges,
        IssueKind::RestNotApplied,
        IssueKind::LeftBehind,
        IssueKind::Note,
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issue(kind: IssueKind, key: &str) -> Issue {
        Issue {
            kind,
            location: Location::Table("public.t".into()),
            field: Some("v".into()),
            message: "m".into(),
            key: vec![("id".into(), key.into())],
        }
    }

    #[test]
    fn a_row_counts_once_and_warnings_do_not_count_as_errors() {
        let mut log = IssueLog::default();
        for key in ["1", "2", "1"] {
            log.add(issue(IssueKind::ValueNotConvertible, key), EventStage::Snapshotting);
        }
        log.add(issue(IssueKind::ValueRounded, "1"), EventStage::Snapshotting);
        assert_eq!(
            (log.errors, log.warnings, log.updates().len(), log.updates()[0].count),
            (2, 1, 2, 2)
        );
        // What its type costs a column is one warning, whatever the number of rows.
        log.add(issue(IssueKind::ValueRounded, "2"), EventStage::Snapshotting);
        assert_eq!((log.warnings, log.updates()[1].count), (1, 2));
        let restored = IssueLog::restore(log.updates(), &IssueKind::ALL);
        assert_eq!((restored.errors, restored.warnings), (2, 1));
    }

    #[test]
    fn a_row_that_is_tried_again_counts_no_more_until_it_fails_again() {
        let mut log = IssueLog::default();
        for key in ["1", "2"] {
            log.add(issue(IssueKind::WriteRefused, key), EventStage::Snapshotting);
        }
        let row = FailedRow::of(&issue(IssueKind::WriteRefused, "1")).expect("a row");
        log.withdraw(&row);
        assert_eq!((log.errors, log.updates()[0].count), (1, 1));
        assert!(log.add(issue(IssueKind::WriteRefused, "1"), EventStage::Streaming));
        log.withdraw(&row);
        log.withdraw(&FailedRow::of(&issue(IssueKind::WriteRefused, "2")).expect("a row"));
        assert_eq!((log.errors, log.updates().len()), (0, 0));
    }
}
