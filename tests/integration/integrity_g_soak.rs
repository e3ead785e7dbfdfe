//! Group G of the integrity cases: everything breaks in a random order, always the same one.

use crate::common::issues;
use crate::family::{RANGE, ROWS, TABLES, mapping};
use godwit_shared::job::EventType;
use godwit_tests::continuous::{Continuous, full_identity};
use godwit_tests::migrate::Migration;
use godwit_tests::servers::{PrivateMongo, PrivatePostgres};
use godwit_tests::writers::{Numbers, Writers};
use std::time::Duration;

const SEED: u64 = 18;
const FAULTS: usize = 12;

/// G18, as far as a test may take that everybody runs.
#[tokio::test(flavor = "multi_thread")]
async fn g18_faults_in_a_random_order() {
    let (mut server, mut mongo) = tokio::join!(PrivatePostgres::start(&[]), PrivateMongo::start());
    let source = server.database("soak", &format!("{TABLES}{ROWS}")).await;
    full_identity(&source).await;
    let target = mongo.target_at(mongo.port, "soak").await;
    let mut c = Continuous::start(Migration::between(source, target, mapping()).await).await;
    let writers = Writers::start(&c.m.source, 3, RANGE, Duration::from_millis(1));
    let mut numbers = Numbers(SEED);
    let mut told = Vec::new();
    for _ in 0..FAULTS {
        writers.more(numbers.up_to(60)).await;
        let fault = numbers.up_to(6);
        told.push(fault);
        match fault {
            1 => c.kill_and_restart().await,
            2 => {
                server.stop_at_once();
                server.start_again();
                c.reconnect().await;
            }
            3 => {
                server.stop();
                server.start_again();
                c.reconnect().await;
            }
            4 => {
                mongo.kill();
                mongo.start_again().await;
            }
            5 => {
                let ended =
                    "select count(pg_terminate_backend(pid))::text from pg_stat_activity where pid <> pg_backend_pid()
                    and datname = current_database() and application_name = 'godwit'";
                c.ask(ended).await;
            }
            _ => {
                c.streaming().await;
                c.pause().await;
                writers.more(20).await;
                c.resume().await;
            }
        }
    }
    writers.more(50).await;
    writers.stop().await;
    c.streaming().await;
    c.expect_like_snapshot(&format!("G18, seed {SEED}, faults {told:?}"))
        .await;
    let job = c.complete().await;
    assert_eq!(issues(&job, EventType::Error), [""; 0], "G18, seed {SEED}");
}
