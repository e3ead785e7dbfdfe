//! What is known of each job over the last minutes: rates, lag, and where a completion began.

use super::samples::Samples;
use godwit_shared::ids::JobId;
use godwit_shared::job::{CdcStatus, MigrationJobStatus};
use godwit_shared::sample::{JobSamples, Measured};
use std::collections::HashMap;

/// Jobs whose values are kept; those that have not changed for longest go first.
const JOBS_MAX: usize = 32;

/// The values of one job.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct JobHistory {
    /// Rows read per second, in the snapshot stage.
    pub rows: Samples,
    /// Bytes written per second, in the snapshot stage.
    pub bytes: Samples,
    /// Changes applied per second, in the CDC stage.
    pub events: Samples,
    /// How far the CDC stage is behind, ms.
    pub lag_ms: Samples,
    /// The position of the job when the page first saw that it is completing.
    pub completing_from: Option<String>,
    last_change: i64,
}

impl JobHistory {
    fn record(&mut self, second: i64, job: &MigrationJobStatus) {
        self.push(second, Measured::of(job));
        if self.completing_from.is_none() && job.cdc_status == CdcStatus::Completing {
            self.completing_from = job.cdc_statistics.as_ref().and_then(|s| s.position.clone());
        }
    }

    fn push(&mut self, second: i64, measured: Measured) {
        self.rows.push(second, measured.rows_per_second);
        self.bytes.push(second, measured.bytes_per_second);
        self.events.push(second, measured.events_per_second);
        self.lag_ms.push(second, measured.lag_ms);
        self.last_change = second;
    }

    fn break_off(&mut self, second: i64) {
        for samples in [&mut self.rows, &mut self.bytes, &mut self.events, &mut self.lag_ms] {
            samples.push(second, None);
        }
    }
}

/// Of all jobs.
#[derive(Debug, Clone, Default)]
pub struct Histories(HashMap<JobId, JobHistory>);

impl Histories {
    /// Takes what a state says, at a second of the page's clock.
    pub fn record(&mut self, second: i64, job: &MigrationJobStatus) {
        if job.status.is_ended() && !self.0.contains_key(&job.id) {
            return;
        }
        self.0.entry(job.id.clone()).or_default().record(second, job);
        self.make_room();
    }

    /// Replaces what the page has seen by what the server has, which is more: it was there before, and its clock has no
    /// gaps. `now` is the second of the page's clock at which they were taken.
    pub fn prime(&mut self, now: i64, id: &JobId, answer: &JobSamples) {
        if answer.samples.is_empty() {
            return;
        }
        let history = self.0.entry(id.clone()).or_default();
        let completing_from = history.completing_from.take();
        *history = JobHistory {
            completing_from,
            ..JobHistory::default()
        };
        for sample in &answer.samples {
            let age = (answer.taken_at - sample.at).num_seconds().max(0);
            history.push(now - age, sample.measured);
        }
        self.make_room();
    }

    fn make_room(&mut self) {
        if self.0.len() > JOBS_MAX {
            let oldest = self.0.iter().min_by_key(|(_, history)| history.last_change);
            if let Some(id) = oldest.map(|(id, _)| id.clone()) {
                self.0.remove(&id);
            }
        }
    }

    /// The link to the server is broken: nothing is known until it says something again.
    pub fn break_off(&mut self, second: i64) {
        self.0.values_mut().for_each(|history| history.break_off(second));
    }

    pub fn remove(&mut self, id: &JobId) {
        self.0.remove(id);
    }

    pub fn of(&self, id: &JobId) -> Option<&JobHistory> {
        self.0.get(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::migration::present::tests::{cdc_job, job};
    use godwit_shared::job::{CdcStatistics, JobStatus};
    use godwit_shared::sample::JobSample;

    fn last(samples: &Samples) -> Option<Option<f64>> {
        samples
            .window(100, None)
            .map(|w| w.values.last().copied().flatten().filter(|_| w.ended.is_none()))
    }

    fn shown(histories: &Histories, id: &str) -> [Option<Option<f64>>; 4] {
        let history = histories.of(&JobId::new(id)).expect("a history");
        [&history.rows, &history.bytes, &history.events, &history.lag_ms].map(last)
    }

    #[test]
    fn each_stage_has_its_own_values() {
        let mut histories = Histories::default();
        let mut running = cdc_job(JobStatus::Running, CdcStatus::NotStarted, false);
        (running.statistics.rows_per_second, running.statistics.bytes_per_second) = (500.0, 9000.0);
        histories.record(10, &running);
        assert_eq!(
            shown(&histories, "j"),
            [Some(Some(500.0)), Some(Some(9000.0)), None, None]
        );

        let mut streaming = cdc_job(JobStatus::Running, CdcStatus::Running, true);
        streaming.cdc_statistics = Some(CdcStatistics {
            events_per_second: 12.0,
            lag_ms: 340,
            ..Default::default()
        });
        histories.record(20, &streaming);
        assert_eq!(
            shown(&histories, "j"),
            [Some(None), Some(None), Some(Some(12.0)), Some(Some(340.0))]
        );

        streaming.cdc_status = CdcStatus::Paused;
        histories.record(30, &streaming);
        assert_eq!(shown(&histories, "j")[2..], [Some(Some(0.0)), Some(Some(340.0))]);

        streaming.cdc_status = CdcStatus::Completed;
        histories.record(40, &streaming);
        assert_eq!(shown(&histories, "j")[2..], [Some(None), Some(None)]);
    }

    #[test]
    fn a_paused_snapshot_reads_nothing_and_a_broken_link_says_nothing() {
        let mut histories = Histories::default();
        let mut snapshot = job(JobStatus::Running);
        snapshot.statistics.rows_per_second = 500.0;
        histories.record(10, &snapshot);
        snapshot.status = JobStatus::Paused;
        histories.record(20, &snapshot);
        assert_eq!(shown(&histories, "j")[0], Some(Some(0.0)));
        histories.break_off(30);
        assert_eq!(shown(&histories, "j")[0], Some(None));
    }

    #[test]
    fn a_completion_begins_where_it_was_first_seen() {
        let mut histories = Histories::default();
        let mut completing = cdc_job(JobStatus::Running, CdcStatus::Completing, true);
        for position in ["0/10", "0/20"] {
            completing.cdc_statistics = Some(CdcStatistics {
                position: Some(position.into()),
                ..Default::default()
            });
            histories.record(10, &completing);
        }
        let history = histories.of(&JobId::new("j")).expect("a history");
        assert_eq!(history.completing_from.as_deref(), Some("0/10"));
    }

    #[test]
    fn what_the_server_has_measured_stands_at_the_seconds_of_the_page() {
        let at = |text: &str| text.parse().expect("a time");
        let sample = |time: &str, rows: Option<f64>| JobSample {
            at: at(time),
            measured: Measured {
                rows_per_second: rows,
                ..Measured::default()
            },
        };
        let answer = JobSamples {
            taken_at: at("2026-11-03T10:00:30Z"),
            samples: vec![
                sample("2026-11-03T10:00:10Z", Some(500.0)),
                sample("2026-11-03T10:00:20Z", None),
            ],
        };
        let mut histories = Histories::default();
        let id = JobId::new("j");
        histories.prime(100, &id, &answer);
        let window = histories
            .of(&id)
            .and_then(|h| h.rows.window(100, None))
            .expect("a window");
        assert_eq!(window.ended, Some(90));
        assert_eq!(window.values.iter().flatten().count(), 11);
        // Nothing is taken away by a server that has started anew.
        let nothing = JobSamples {
            samples: vec![],
            ..answer
        };
        histories.prime(100, &id, &nothing);
        assert!(histories.of(&id).is_some_and(|h| h.rows.window(100, None).is_some()));
    }

    #[test]
    fn ended_jobs_begin_no_history_and_the_number_of_histories_is_bounded() {
        let mut histories = Histories::default();
        histories.record(1, &job(JobStatus::Completed));
        assert!(histories.of(&JobId::new("j")).is_none());
        for second in 0..100 {
            let mut running = job(JobStatus::Running);
            running.id = JobId::new(format!("j{second}"));
            histories.record(second, &running);
        }
        assert_eq!(histories.0.len(), JOBS_MAX);
        assert!(histories.of(&JobId::new("j99")).is_some() && histories.of(&JobId::new("j0")).is_none());
    }
}
