//! What the CDC stage shows, as text. Plain functions of the job.

use super::figures::{NONE, at};
use crate::components::badge::Tone;
use crate::format::text::sentence;
use crate::format::{number, time};
use crate::pages::migration::present::{has_slot, is_from_postgresql, is_streaming};
use chrono::TimeZone;
use godwit_shared::job::{CdcStatistics, CdcStatus, MigrationJobStatus};
use std::fmt::Display;

/// From here on the time that is left is a warning.
const LITTLE_TIME_SECONDS: f64 = 3600.0;

/// The CDC stage in words. Its rate and its lag stand above its charts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CdcFigures {
    pub started: String,
    pub started_exactly: String,
    pub last_event: String,
    pub last_event_exactly: String,
    pub last_commit: String,
    pub last_commit_exactly: String,
    pub total: String,
    pub last_hour: String,
    pub last_minute: String,
    pub slowest: String,
    pub rebuilt: String,
    pub deleted: String,
    pub position: String,
    pub retained: String,
    pub time_left: String,
}

pub fn cdc_figures<Z: TimeZone>(job: &MigrationJobStatus, zone: &Z) -> CdcFigures
where
    Z::Offset: Display,
{
    let Some(s) = job.cdc_statistics.as_ref() else {
        return unknown();
    };
    let is_at_work = is_at_work(job);
    // What holds only now is not shown of a stage that is over.
    let now = |text: String| if is_at_work { text } else { NONE.into() };
    CdcFigures {
        started: at(s.started_at, |t| time::date_and_clock(t, zone)),
        started_exactly: s.started_at.map(time::exact_utc).unwrap_or_default(),
        last_event: at(s.last_event_time, |t| time::date_and_clock(t, zone)),
        last_event_exactly: s.last_event_time.map(time::exact_utc).unwrap_or_default(),
        last_commit: at(s.last_event_source_database_time, |t| time::date_and_clock(t, zone)),
        last_commit_exactly: s
            .last_event_source_database_time
            .map(time::exact_utc)
            .unwrap_or_default(),
        total: number::count(s.total_events_seen),
        last_hour: number::count(s.events_in_last_hour),
        last_minute: number::count(s.events_in_last_minute),
        slowest: s.latest_batch_max_lag_ms.map_or_else(|| NONE.into(), time::lag),
        rebuilt: number::count(s.roots_rebuilt),
        deleted: number::count(s.documents_deleted),
        position: s.position.clone().unwrap_or_else(|| NONE.into()),
        retained: now(s
            .retained_log_bytes
            .map_or_else(|| NONE.into(), |n| number::bytes(n as f64))),
        time_left: now(time_left(s)),
    }
}

fn unknown() -> CdcFigures {
    let none = || NONE.to_owned();
    CdcFigures {
        started: none(),
        started_exactly: String::new(),
        last_event: none(),
        last_commit: none(),
        total: "0".into(),
        last_hour: "0".into(),
        last_minute: "0".into(),
        slowest: none(),
        rebuilt: "0".into(),
        deleted: "0".into(),
        position: none(),
        retained: none(),
        time_left: none(),
        ..CdcFigures::default()
    }
}

/// Whether the stage has begun and is not over: then the source keeps its log for it.
fn is_at_work(job: &MigrationJobStatus) -> bool {
    match job.cdc_status {
        CdcStatus::Running | CdcStatus::Paused | CdcStatus::Completing => true,
        CdcStatus::NotStarted | CdcStatus::Completed | CdcStatus::Failed | CdcStatus::Cancelled => false,
    }
}

/// Until the source discards what the job needs.
fn time_left(s: &CdcStatistics) -> String {
    match (s.seconds_until_log_lost, s.remaining_log_bytes) {
        (Some(seconds), _) => time::duration(seconds),
        (None, Some(bytes)) => format!("{} of log", number::bytes(bytes as f64)),
        (None, None) => "No limit".into(),
    }
}

/// How grave the time that is left is.
pub fn time_left_tone(job: &MigrationJobStatus) -> Tone {
    match little_time(job) {
        Some(_) => Tone::Warning,
        None => Tone::Neutral,
    }
}

/// The seconds that are left, where they are few.
fn little_time(job: &MigrationJobStatus) -> Option<f64> {
    let seconds = job.cdc_statistics.as_ref()?.seconds_until_log_lost?;
    (is_at_work(job) && seconds < LITTLE_TIME_SECONDS).then_some(seconds)
}

/// Something that the user of the stage has to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    pub title: String,
    pub text: String,
}

/// What stands above the figures, the gravest first.
pub fn notices(job: &MigrationJobStatus) -> Vec<Notice> {
    let is_paused = job.cdc_status == CdcStatus::Paused;
    let standing = job.cdc_statistics.as_ref().and_then(|s| s.notice.clone());
    let stands_still = is_paused || job.stand_still.is_some();
    let standing = standing
        // An outage is told at the head of the job.
        .filter(|_| is_at_work(job) && (job.outages.is_empty() || job.stand_still.is_some()))
        .map(|text| match (stands_still, job.cdc_status) {
            (true, _) => Notice {
                title: "The job stands still".into(),
                text: format!(
                    "{} When that is settled, choose Resume. Where it cannot be, End without the rest.",
                    sentence(&text)
                ),
            },
            (false, CdcStatus::Completing) => Notice {
                title: "The end cannot be reached just now".into(),
                text: format!(
                    "{} The job goes on trying. Where that cannot come right, choose End without the rest.",
                    sentence(&text)
                ),
            },
            (false, _) => Notice {
                title: "No changes are applied just now".into(),
                text: sentence(&text),
            },
        });
    let losing = little_time(job).map(|seconds| Notice {
        title: format!(
            "The source discards the log that this job needs in about {}",
            time::duration(seconds)
        ),
        text: match is_paused {
            true => "Resume the job, or raise max_slot_wal_keep_size in the source. Afterwards the job has to start anew.",
            false => {
                "The source writes faster than changes are applied: raise its max_slot_wal_keep_size, or lower its load. \
                 Afterwards the job has to start anew."
            }
        }
        .into(),
    });
    standing.into_iter().chain(losing).collect()
}

/// Whether the application may be switched to the destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cutover {
    Ready,
    NotReady,
    /// No changes are being applied.
    Unknown,
}

pub fn cutover(job: &MigrationJobStatus) -> Cutover {
    let is_ready = job.cdc_statistics.as_ref().is_some_and(|s| s.is_ready_for_cutover);
    match (is_streaming(job), is_ready) {
        (false, _) => Cutover::Unknown,
        (true, true) => Cutover::Ready,
        (true, false) => Cutover::NotReady,
    }
}

/// The lag in words: with the source away, what was known last and that it grows.
pub fn lag<Z: TimeZone>(job: &MigrationJobStatus, zone: &Z) -> (String, String)
where
    Z::Offset: Display,
{
    let Some(s) = job.cdc_statistics.as_ref().filter(|_| is_at_work(job)) else {
        return (NONE.into(), String::new());
    };
    if !s.is_lag_unknown {
        let bytes = match s.lag_bytes {
            0 => "Everything in the log of the source is applied".to_owned(),
            bytes => format!("{} of log not applied yet", number::bytes(bytes as f64)),
        };
        return (time::lag(s.lag_ms), bytes);
    }
    let known = s.last_known_lag.as_ref().map(|known| {
        format!(
            "last known {} and {} of log at {}, growing: at most {} now",
            time::lag(known.lag_ms),
            number::bytes(known.lag_bytes as f64),
            time::clock(known.at, zone),
            time::lag(s.lag_ms)
        )
    });
    (
        "Unknown".into(),
        known.unwrap_or_else(|| "the source has not answered yet".into()),
    )
}

/// The readiness for the cut-over in words, and why it is so.
pub fn readiness(job: &MigrationJobStatus) -> (&'static str, String) {
    let reason = job
        .cdc_statistics
        .as_ref()
        .and_then(|s| s.cutover.as_ref())
        .map(|c| c.reason.clone());
    match (cutover(job), reason) {
        (Cutover::Ready, _) => ("Ready", "lag under 1 s for more than a minute".into()),
        (Cutover::NotReady, reason) => ("Not ready", reason.unwrap_or_default()),
        // Its figures follow its status a moment later.
        (Cutover::Unknown, _) if job.cdc_status == CdcStatus::Paused && job.stand_still.is_none() => {
            ("Not ready", "the job is paused".into())
        }
        (Cutover::Unknown, reason) if is_at_work(job) => ("Not ready", reason.unwrap_or_default()),
        (Cutover::Unknown, _) => (NONE, String::new()),
    }
}

/// What keeps the log in the source, for those who let the job stand still.
pub fn retention(job: &MigrationJobStatus) -> String {
    let limit = job
        .cdc_statistics
        .as_ref()
        .map(|s| (s.seconds_until_log_lost, s.remaining_log_bytes));
    match limit {
        Some((Some(seconds), None)) => format!(
            "By its settings the source discards what this job needs in about {}. Resume before that; afterwards the job \
             has to start anew.",
            time::duration(seconds)
        ),
        Some((Some(seconds), Some(_))) => format!(
            "At the rate of the last minutes the source discards what this job needs in about {}. Resume before that; \
             afterwards the job has to start anew.",
            time::duration(seconds)
        ),
        Some((None, Some(bytes))) => format!(
            "The source discards what this job needs after another {} of log. Resume before that; afterwards the job has \
             to start anew.",
            number::bytes(bytes as f64)
        ),
        Some((None, None)) => "The source sets no limit to that: the log grows until the job goes on. Watch the disk of the source.".into(),
        None if !is_from_postgresql(job) => "How long it keeps its log is set in the source; afterwards the job has to start anew.".into(),
        None => "How much it keeps is set by its max_slot_wal_keep_size; without a limit the log grows until the job goes on.".into(),
    }
}

/// How far a completion has come.
#[derive(Debug, Clone, PartialEq)]
pub struct Completion {
    pub text: String,
    /// 0 to 100; `None` where it cannot be told.
    pub percent: Option<f64>,
}

/// `from` is where the job stood when the completion was first seen. `None` while the job is not completing.
pub fn completion(job: &MigrationJobStatus, from: Option<&str>) -> Option<Completion> {
    if job.cdc_status != CdcStatus::Completing {
        return None;
    }
    let statistics = job.cdc_statistics.as_ref();
    let end = statistics.and_then(|s| s.complete_position.as_deref());
    let position = statistics.and_then(|s| s.position.as_deref());
    let Some(end) = end else {
        return Some(Completion {
            text: "Noting the position of the source.".into(),
            percent: None,
        });
    };
    let [from, position_lsn, end_lsn] = [from, position, Some(end)].map(|text| text.and_then(lsn));
    let rest = match (position_lsn, end_lsn) {
        (Some(at), Some(end)) => Some(end.saturating_sub(at)),
        _ => None,
    };
    let percent = match (from, end_lsn, rest) {
        (_, _, Some(0)) => Some(100.0),
        (Some(from), Some(end), Some(rest)) if end > from => Some(100.0 - rest as f64 / (end - from) as f64 * 100.0),
        _ => None,
    };
    Some(Completion {
        text: match rest {
            Some(0) if has_slot(job) => {
                format!("Everything up to {end} is applied. Removing slot and publication from the source.")
            }
            Some(0) => format!("Everything up to {end} is applied."),
            Some(rest) => format!(
                "Applying changes up to {end}: {} of log left.",
                number::bytes(rest as f64)
            ),
            None => format!("Applying changes up to {end}."),
        },
        percent: percent.map(|p| p.clamp(0.0, 100.0)),
    })
}

/// A position of PostgreSQL's log as a number of bytes: `16/B374D848`.
fn lsn(text: &str) -> Option<u64> {
    let (high, low) = text.split_once('/')?;
    let part = |digits: &str| u32::from_str_radix(digits, 16).ok();
    Some(u64::from(part(high)?) << 32 | u64::from(part(low)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::migration::present::tests::{cdc_job, job};
    use chrono::Utc;
    use godwit_shared::job::JobStatus;
    use godwit_shared::outage::KnownLag;

    fn streaming(cdc_status: CdcStatus, change: impl FnOnce(&mut CdcStatistics)) -> MigrationJobStatus {
        let mut job = cdc_job(JobStatus::Running, cdc_status, true);
        let mut statistics = CdcStatistics {
            started_at: Some("2026-11-03T10:00:00Z".parse().unwrap()),
            last_event_time: Some("2026-11-03T10:05:00.250Z".parse().unwrap()),
            last_event_source_database_time: Some("2026-11-03T10:04:59Z".parse().unwrap()),
            total_events_seen: 12_345,
            events_in_last_hour: 1200,
            events_in_last_minute: 60,
            events_per_second: 1.5,
            latest_batch_max_lag_ms: Some(480),
            lag_ms: 2400,
            lag_bytes: 65_000,
            roots_rebuilt: 9000,
            documents_deleted: 12,
            position: Some("0/16B3748".into()),
            retained_log_bytes: Some(16_800_000),
            ..CdcStatistics::default()
        };
        change(&mut statistics);
        job.cdc_statistics = Some(statistics);
        job
    }

    #[test]
    fn a_stage_at_work_and_one_that_is_over() {
        let shown = |job: &MigrationJobStatus| {
            let f = cdc_figures(job, &Utc);
            [
                f.started,
                f.last_event,
                f.last_commit,
                f.total,
                f.last_hour,
                f.last_minute,
                f.slowest,
                f.rebuilt,
                f.deleted,
                f.position,
                f.retained,
                f.time_left,
            ]
        };
        assert_eq!(
            shown(&streaming(CdcStatus::Running, |_| ())),
            [
                "3 Nov 2026, 10:00:00",
                "3 Nov 2026, 10:05:00",
                "3 Nov 2026, 10:04:59",
                "12,345",
                "1,200",
                "60",
                "480 ms",
                "9,000",
                "12",
                "0/16B3748",
                "16.8 MB",
                "No limit",
            ]
        );
        assert_eq!(
            shown(&streaming(CdcStatus::Completed, |_| ()))[6..],
            ["480 ms", "9,000", "12", "0/16B3748", "–", "–"]
        );
        assert_eq!(
            shown(&job(JobStatus::Running)),
            ["–", "–", "–", "0", "0", "0", "–", "0", "0", "–", "–", "–"]
        );
    }

    #[test]
    fn little_time_is_a_warning() {
        let check = |seconds, bytes, text: &str, tone, notice: bool| {
            let job = streaming(CdcStatus::Running, |s| {
                (s.seconds_until_log_lost, s.remaining_log_bytes) = (seconds, bytes)
            });
            assert_eq!(
                (&*cdc_figures(&job, &Utc).time_left, time_left_tone(&job)),
                (text, tone)
            );
            assert_eq!(!notices(&job).is_empty(), notice);
        };
        check(None, None, "No limit", Tone::Neutral, false);
        check(None, Some(5_000_000_000), "5.0 GB of log", Tone::Neutral, false);
        check(Some(7200.0), Some(9), "2 h 00 min", Tone::Neutral, false);
        check(Some(3599.0), Some(9), "59 min 59 s", Tone::Warning, true);
        let over = streaming(CdcStatus::Completed, |s| s.seconds_until_log_lost = Some(10.0));
        assert_eq!((time_left_tone(&over), notices(&over)), (Tone::Neutral, vec![]));
    }

    #[test]
    fn why_nothing_moves_is_said_as_long_as_it_holds() {
        let titles = |status| {
            let job = streaming(status, |s| {
                s.notice = Some("The column shop.orders.total is gone.".into())
            });
            notices(&job).into_iter().map(|n| (n.title, n.text)).collect::<Vec<_>>()
        };
        assert_eq!(
            titles(CdcStatus::Running),
            [(
                "No changes are applied just now".into(),
                "The column shop.orders.total is gone.".into()
            )]
        );
        assert_eq!(
            titles(CdcStatus::Paused),
            [(
                "The job stands still".into(),
                "The column shop.orders.total is gone. When that is settled, choose Resume. Where it cannot be, End \
                 without the rest."
                    .into()
            )]
        );
        assert_eq!(titles(CdcStatus::Completing)[0].0, "The end cannot be reached just now");
        assert_eq!(titles(CdcStatus::Completed), []);
    }

    #[test]
    fn the_lag_of_a_source_that_is_away_is_unknown_and_grows() {
        let shown = |change: fn(&mut CdcStatistics)| lag(&streaming(CdcStatus::Running, change), &Utc);
        assert_eq!(shown(|_| ()), ("2.4 s".into(), "65.0 kB of log not applied yet".into()));
        let away = shown(|s| {
            (s.is_lag_unknown, s.lag_ms) = (true, 72_000);
            s.last_known_lag = Some(KnownLag {
                lag_ms: 340,
                lag_bytes: 0,
                at: "2026-11-03T10:42:07Z".parse().unwrap(),
            });
        });
        assert_eq!(
            away,
            (
                "Unknown".into(),
                "last known 340 ms and 0 B of log at 10:42:07, growing: at most 1 min 12 s now".into()
            )
        );
        assert_eq!(lag(&streaming(CdcStatus::Completed, |_| ()), &Utc).0, "–");
    }

    #[test]
    fn readiness_for_cutover() {
        let check = |status, is_ready, expected| {
            let job = streaming(status, |s| s.is_ready_for_cutover = is_ready);
            assert_eq!(cutover(&job), expected);
        };
        check(CdcStatus::Running, true, Cutover::Ready);
        check(CdcStatus::Running, false, Cutover::NotReady);
        check(CdcStatus::Paused, true, Cutover::Unknown);
        check(CdcStatus::Completed, true, Cutover::Unknown);
        let said = |status| readiness(&streaming(status, |_| ()));
        assert_eq!(said(CdcStatus::Paused), ("Not ready", "the job is paused".into()));
        assert_eq!(said(CdcStatus::Completed).0, "–");
    }

    #[test]
    fn how_long_a_pause_may_last() {
        let check = |change: fn(&mut CdcStatistics), part: &str| {
            let text = retention(&streaming(CdcStatus::Running, change));
            assert!(text.contains(part), "{text}");
        };
        check(|s| s.seconds_until_log_lost = Some(5400.0), "in about 1 h 30 min");
        check(|s| s.remaining_log_bytes = Some(2_000_000_000), "another 2.0 GB of log");
        check(|_| (), "no limit");
        assert!(retention(&job(JobStatus::Running)).contains("max_slot_wal_keep_size"));
    }

    #[test]
    fn how_far_a_completion_has_come() {
        let check = |position: Option<&str>, end: Option<&str>, from, text: &str, percent| {
            let job = streaming(CdcStatus::Completing, |s| {
                (s.position, s.complete_position) = (position.map(String::from), end.map(String::from));
            });
            let found = completion(&job, from).expect("a completion");
            assert_eq!((&*found.text, found.percent), (text, percent));
        };
        check(
            Some("0/10"),
            None,
            Some("0/10"),
            "Noting the position of the source.",
            None,
        );
        check(
            Some("1/3E8"),
            Some("1/7D0"),
            Some("1/0"),
            "Applying changes up to 1/7D0: 1.0 kB of log left.",
            Some(50.0),
        );
        check(
            Some("0/FFFFFFFF"),
            Some("1/0"),
            None,
            "Applying changes up to 1/0: 1 B of log left.",
            None,
        );
        check(
            Some("1/7D0"),
            Some("1/7D0"),
            None,
            "Everything up to 1/7D0 is applied. Removing slot and publication from the source.",
            Some(100.0),
        );
        check(None, Some("binlog.7"), None, "Applying changes up to binlog.7.", None);
        assert_eq!(completion(&streaming(CdcStatus::Running, |_| ()), None), None);
    }
}
