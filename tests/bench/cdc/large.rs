//! One transaction that changes a whole table and more.

use super::Measured;
use super::following::Following;
use super::sums;
use crate::bed::Bed;
use crate::meter;
use crate::plans::ORDERS;
use crate::settings::Settings;
use godwit_tests::servers::Database;
use serde_json::json;
use std::time::Instant;

pub async fn run(bed: &Bed, base: &Database, settings: &Settings) -> Measured {
    let f = Following::start(bed, base, &ORDERS, "large").await;
    let pid = f.app.pid();
    f.applied(&f.log_end().await).await;
    meter::forget_peak(pid);
    let begin_mib = meter::memory_mib(pid);
    let started = Instant::now();
    let changes = change(&f, settings.large).await;
    let committed = Instant::now();
    f.applied(&f.log_end().await).await;
    let seconds = committed.elapsed().as_secs_f64();
    let peak_mib = meter::peak_mib(pid);
    sums::check(&f).await;
    f.end().await;
    let transaction = (committed - started).as_secs_f64();
    println!(
        "  {changes} changes in one transaction of {transaction:.1} s, applied {seconds:.1} s after its commit; {begin_mib} MiB \
         before, {peak_mib} MiB at most; sums of both sides are equal"
    );
    Measured {
        lines: vec![format!(
            "bench-cdc large changes={changes} seconds={seconds:.1} rate={:.0} rss_mb={peak_mib}",
            changes as f64 / seconds
        )],
        figures: json!({
            "changes": changes, "transactionSeconds": transaction, "secondsAfterCommit": seconds,
            "memoryBeforeMib": begin_mib, "peakMemoryMib": peak_mib,
        }),
    }
}

/// Updates lines in one transaction, all of them as often as it takes; how many updates they were.
async fn change(f: &Following, wanted: u64) -> u64 {
    let all = f.count("select count(*) from lineitem").await;
    let mut changed = 0;
    f.run("begin").await;
    while changed < wanted {
        let rest = wanted - changed;
        let rows = if rest >= all {
            String::new()
        } else {
            format!(" where ctid = any (array(select ctid from lineitem limit {rest}))")
        };
        let update = format!("update lineitem set l_quantity = l_quantity + 1{rows}");
        changed += f.sql.execute(&update, &[]).await.expect("the lines can be changed");
    }
    f.run("commit").await;
    changed
}
