//! Whether the servers that a job needs answer. Asked for beside the job, whatever it is doing: who waits for an answer
//! learns late that there will be none.

use super::tracker::Tracker;
use crate::sink::Sink;
use crate::source::source_of;
use crate::store::Store;
use chrono::{DateTime, Utc};
use godwit_shared::job::PostMigrationJobRequest;
use godwit_shared::outage::Dependency;
use std::time::Duration;

/// Between an answer and the next question.
const ASK_EVERY: Duration = Duration::from_secs(1);
/// Who does not answer for so long is asked again, and is away if that is in vain as well.
const ANSWER_MAX: Duration = Duration::from_secs(2);
/// Questions in vain until a server counts as away: one may get lost when a server starts again.
const VAIN_MAX: u32 = 2;

/// Tells of every outage of the three servers, for ever.
pub async fn watch(tracker: &Tracker, store: &Store, request: &PostMigrationJobRequest, sink: Option<&Sink>) {
    let source = source_of(&request.jdbc_connection_details, None);
    let of_source = async {
        // Where the address is none the job says so itself.
        if let Ok(source) = &source {
            let ask = || async { source.answers(ANSWER_MAX).await.map_err(|e| e.reason_alone()) };
            follow(tracker, Dependency::Source, ask).await;
        }
    };
    let of_destination = async {
        if let Some(sink) = sink {
            let ask = || async { sink.ping(ANSWER_MAX).await.map_err(|e| e.reason_alone()) };
            follow(tracker, Dependency::Destination, ask).await;
        }
    };
    let of_store = async {
        let ask = || async {
            match tokio::time::timeout(ANSWER_MAX, store.ping()).await {
                Ok(answer) => answer.map_err(|e| e.to_string()),
                Err(_) => Err(format!("no answer within {} seconds", ANSWER_MAX.as_secs())),
            }
        };
        follow(tracker, Dependency::Store, ask).await;
    };
    tokio::join!(of_source, of_destination, of_store);
}

async fn follow<F>(tracker: &Tracker, server: Dependency, ask: impl Fn() -> F)
where
    F: Future<Output = Result<(), String>>,
{
    // An outage may have begun before a restart.
    let mut vain = Vain::default();
    loop {
        let asked_at = Utc::now();
        match vain.take(ask().await.err(), asked_at) {
            Some(Said::Away { since, reason }) => tracker.begin_outage(server, since, reason),
            Some(Said::Answers) => tracker.end_outage(server),
            None => {}
        }
        tokio::time::sleep(ASK_EVERY).await;
    }
}

/// Questions in vain, one after the other.
#[derive(Debug, Default)]
struct Vain {
    count: u32,
    since: Option<DateTime<Utc>>,
}

/// What is to be told.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    Away { since: DateTime<Utc>, reason: String },
    Answers,
}

impl Vain {
    /// Takes what became of a question that was asked at this time.
    fn take(&mut self, failure: Option<String>, asked_at: DateTime<Utc>) -> Option<Said> {
        let Some(reason) = failure else {
            *self = Self::default();
            return Some(Said::Answers);
        };
        let since = *self.since.get_or_insert(asked_at);
        self.count = self.count.saturating_add(1);
        (self.count >= VAIN_MAX).then_some(Said::Away { since, reason })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    #[test]
    fn one_question_in_vain_is_no_outage_and_two_are_one_since_the_first() {
        let at = |seconds: i64| DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds);
        let refused = || Some("connection refused".to_owned());
        let mut vain = Vain::default();
        assert_eq!(vain.take(refused(), at(1)), None);
        assert_eq!(vain.take(None, at(2)), Some(Said::Answers));
        assert_eq!(vain.take(refused(), at(3)), None);
        for seconds in [4, 5] {
            let away = Said::Away {
                since: at(3),
                reason: "connection refused".into(),
            };
            assert_eq!(vain.take(refused(), at(seconds)), Some(away));
        }
        assert_eq!(vain.take(None, at(6)), Some(Said::Answers));
    }
}
