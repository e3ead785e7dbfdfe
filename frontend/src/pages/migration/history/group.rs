//! Which jobs stand under which day.

use crate::format::time::day_label;
use chrono::{NaiveDate, TimeZone};
use godwit_shared::ids::JobId;
use godwit_shared::job::MigrationJobStatus;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DayGroup {
    pub label: String,
    /// Newest first.
    pub jobs: Vec<JobId>,
}

/// Groups by the day of submission in the zone of the user; newest day and job first, whatever the order given.
pub fn by_day<'a, Z: TimeZone>(
    jobs: impl Iterator<Item = &'a MigrationJobStatus>,
    today: NaiveDate,
    zone: &Z,
) -> Vec<DayGroup> {
    let mut jobs: Vec<_> = jobs.collect();
    jobs.sort_by(|a, b| b.submitted_at.cmp(&a.submitted_at).then_with(|| a.id.cmp(&b.id)));
    let mut groups: Vec<(NaiveDate, DayGroup)> = Vec::new();
    for job in jobs {
        let day = job.submitted_at.with_timezone(zone).date_naive();
        match groups.last_mut() {
            Some((last, group)) if *last == day => group.jobs.push(job.id.clone()),
            _ => groups.push((
                day,
                DayGroup {
                    label: day_label(day, today),
                    jobs: vec![job.id.clone()],
                },
            )),
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::migration::present::tests::job;
    use chrono::FixedOffset;
    use godwit_shared::job::JobStatus;

    fn job_at(id: &str, at: &str) -> MigrationJobStatus {
        let mut job = job(JobStatus::Completed);
        job.id = JobId::new(id);
        job.submitted_at = at.parse().unwrap();
        job
    }

    #[test]
    fn days_of_the_user_newest_first() {
        let jobs = [
            job_at("old", "2026-10-20T12:00:00Z"),
            job_at("first", "2026-11-03T08:00:00Z"),
            job_at("second", "2026-11-03T09:00:00Z"),
            // In a zone two hours ahead this is today already.
            job_at("night", "2026-11-02T22:30:00Z"),
            job_at("eve", "2026-11-02T21:30:00Z"),
        ];
        let zone = FixedOffset::east_opt(2 * 3600).unwrap();
        let groups = by_day(jobs.iter(), "2026-11-03".parse().unwrap(), &zone);
        let shown: Vec<_> = groups
            .iter()
            .map(|g| (&*g.label, g.jobs.iter().map(JobId::as_str).collect::<Vec<_>>()))
            .collect();
        assert_eq!(
            shown,
            [
                ("Today, 3 Nov", vec!["second", "first", "night"]),
                ("Yesterday, 2 Nov", vec!["eve"]),
                ("Tuesday, 20 Oct", vec!["old"]),
            ]
        );
    }
}
