//! What a message means for the state. Plain Rust: no browser, no store.

use godwit_shared::ids::JobId;
use godwit_shared::job::MigrationJobStatus;
use godwit_shared::live::{Seq, ServerMessage};
use serde::Deserialize;

/// What to do about a message.
#[derive(Debug, Clone, PartialEq)]
pub enum Update {
    ReplaceAll {
        seq: Seq,
        jobs: Vec<MigrationJobStatus>,
    },
    SetJob {
        seq: Seq,
        job: Box<MigrationJobStatus>,
    },
    RemoveJob {
        seq: Seq,
        job_id: JobId,
    },
    ReloadProjects {
        seq: Seq,
    },
    ReloadConnections {
        seq: Seq,
    },
    /// A sign of life, or a message of a newer server, which this page does not know.
    Skip {
        seq: Seq,
    },
    /// Something was missed: connect anew, which begins with a snapshot.
    Resync,
}

/// Every message has it, whatever else it says.
#[derive(Deserialize)]
struct Numbered {
    seq: Seq,
}

/// Reads one message and decides. `last` is the number of the last message that was applied; 0 before the first.
pub fn interpret_text(last: Seq, text: &str) -> Update {
    match serde_json::from_str::<ServerMessage>(text) {
        Ok(message) => interpret(last, message),
        Err(_) => match serde_json::from_str::<Numbered>(text) {
            Ok(Numbered { seq }) if seq == last.next() => Update::Skip { seq },
            _ => Update::Resync,
        },
    }
}

pub fn interpret(last: Seq, message: ServerMessage) -> Update {
    let expected = last.next();
    match message {
        // A snapshot stands for itself: it repairs whatever was missed before it.
        ServerMessage::Snapshot { seq, jobs } => Update::ReplaceAll { seq, jobs },
        ServerMessage::JobChanged { seq, job } if seq == expected && last > Seq(0) => Update::SetJob { seq, job },
        ServerMessage::JobRemoved { seq, job_id } if seq == expected && last > Seq(0) => {
            Update::RemoveJob { seq, job_id }
        }
        ServerMessage::ProjectsChanged { seq } if seq == expected && last > Seq(0) => Update::ReloadProjects { seq },
        ServerMessage::ConnectionsChanged { seq } if seq == expected && last > Seq(0) => {
            Update::ReloadConnections { seq }
        }
        ServerMessage::Beat { seq } if seq == expected && last > Seq(0) => Update::Skip { seq },
        ServerMessage::JobChanged { .. }
        | ServerMessage::JobRemoved { .. }
        | ServerMessage::ProjectsChanged { .. }
        | ServerMessage::ConnectionsChanged { .. }
        | ServerMessage::Beat { .. } => Update::Resync,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn removed(seq: u64) -> ServerMessage {
        ServerMessage::JobRemoved {
            seq: Seq(seq),
            job_id: JobId::new("j"),
        }
    }

    #[test]
    fn a_snapshot_is_taken_whatever_was_before() {
        for last in [0, 7] {
            let message = ServerMessage::Snapshot {
                seq: Seq(1),
                jobs: vec![],
            };
            assert_eq!(
                interpret(Seq(last), message),
                Update::ReplaceAll {
                    seq: Seq(1),
                    jobs: vec![]
                }
            );
        }
    }

    #[test]
    fn changes_are_applied_in_order_and_a_gap_means_resync() {
        let job_id = JobId::new("j");
        assert_eq!(interpret(Seq(4), removed(5)), Update::RemoveJob { seq: Seq(5), job_id });
        assert_eq!(
            interpret(Seq(4), ServerMessage::ProjectsChanged { seq: Seq(5) }),
            Update::ReloadProjects { seq: Seq(5) }
        );
        assert_eq!(
            interpret(Seq(4), ServerMessage::ConnectionsChanged { seq: Seq(5) }),
            Update::ReloadConnections { seq: Seq(5) }
        );
        assert_eq!(
            interpret(Seq(4), ServerMessage::Beat { seq: Seq(5) }),
            Update::Skip { seq: Seq(5) }
        );
        assert_eq!(interpret(Seq(4), ServerMessage::Beat { seq: Seq(6) }), Update::Resync);
        for (last, seq) in [(4, 6), (4, 4), (4, 1), (0, 1)] {
            assert_eq!(interpret(Seq(last), removed(seq)), Update::Resync, "{last} {seq}");
        }
    }

    #[test]
    fn a_kind_of_message_that_is_not_known_is_skipped_and_counted() {
        let check = |last, text, expected| assert_eq!(interpret_text(Seq(last), text), expected);
        check(
            2,
            r#"{"type":"moonPhase","seq":3,"phase":"full"}"#,
            Update::Skip { seq: Seq(3) },
        );
        check(2, r#"{"type":"moonPhase","seq":9}"#, Update::Resync);
        check(2, "no JSON", Update::Resync);
        check(
            2,
            r#"{"type":"projectsChanged","seq":3}"#,
            Update::ReloadProjects { seq: Seq(3) },
        );
    }
}
