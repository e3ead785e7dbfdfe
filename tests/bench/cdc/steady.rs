//! A steady load: how far the documents lie behind, and what the server holds in memory meanwhile.

use super::Measured;
use super::following::Following;
use super::load::{Keys, Load};
use super::sums;
use crate::bed::Bed;
use crate::meter::{self, percentile};
use crate::plans::ORDERS;
use crate::settings::Settings;
use bson::{Document, doc};
use godwit_tests::servers::Database;
use serde_json::json;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

const SAMPLE_EVERY: Duration = Duration::from_millis(200);
const TELL_EVERY: Duration = Duration::from_secs(10);
const WATCH_EVERY: Duration = Duration::from_secs(1);

/// What was seen during some time.
#[derive(Default)]
struct Window {
    /// As the job says, ms.
    lag: Vec<u64>,
    /// From a commit until its change was seen in MongoDB, ms.
    seen: Vec<u64>,
}

impl Window {
    fn take_in(&mut self, other: Window) {
        self.lag.extend(other.lag);
        self.seen.extend(other.seen);
    }
}

pub async fn run(bed: &Bed, base: &Database, settings: &Settings) -> Measured {
    let f = Following::start(bed, base, &ORDERS, "steady").await;
    let pid = f.app.pid();
    let keys = Arc::new(Keys::read(&f.source).await);
    let watcher = Watcher::start(&f, keys.orders[0]).await;
    let begin_mib = meter::memory_mib(pid);
    let load = Load::start(&f.source, &keys, settings.rate).await;
    let (started, length) = (Instant::now(), Duration::from_secs_f64(settings.minutes * 60.0));
    let (mut all, mut window, mut memory) = (Window::default(), Window::default(), Vec::new());
    let (mut told, mut told_changes) = (started, 0);
    let mut ticks = tokio::time::interval(SAMPLE_EVERY);
    loop {
        ticks.tick().await;
        let job = f.job().await;
        assert!(!job.status.is_ended(), "the job has ended: {job:#?}");
        window.lag.push(job.cdc_statistics.unwrap_or_default().lag_ms);
        let is_over = started.elapsed() >= length;
        if told.elapsed() >= TELL_EVERY || is_over {
            window.seen = watcher.take();
            let changes = load.changes();
            let rate = (changes - told_changes) as f64 / told.elapsed().as_secs_f64();
            memory.push(meter::memory_mib(pid));
            println!("{}", line(started.elapsed(), rate, &window, memory[memory.len() - 1]));
            all.take_in(std::mem::take(&mut window));
            (told, told_changes) = (Instant::now(), changes);
        }
        if is_over {
            break;
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    let changes = load.stop().await;
    drop(watcher);
    let stopped = Instant::now();
    f.applied(&f.log_end().await).await;
    let rest = stopped.elapsed().as_secs_f64();
    sums::check(&f).await;
    f.end().await;

    let rate = changes as f64 / seconds;
    let (middle_mib, end_mib) = (memory[(memory.len() - 1) / 2], memory[memory.len() - 1]);
    let half = |values: &[u64]| percentile(values, 0.5);
    let most = |values: &[u64]| percentile(values, 1.0);
    println!("  {changes} changes; the last of them applied {rest:.1} s after the load; sums of both sides are equal");
    Measured {
        lines: vec![format!(
            "bench-cdc steady rate={rate:.0} lag_median_ms={} lag_highest_ms={} seen_median_ms={} seen_highest_ms={} \
             rss_mb={begin_mib}/{middle_mib}/{end_mib}",
            half(&all.lag),
            most(&all.lag),
            half(&all.seen),
            most(&all.seen)
        )],
        figures: json!({
            "wantedRate": settings.rate, "rate": rate, "seconds": seconds, "changes": changes,
            "lagMs": {"median": half(&all.lag), "p99": percentile(&all.lag, 0.99), "highest": most(&all.lag)},
            "seenAfterMs": {"median": half(&all.seen), "p99": percentile(&all.seen, 0.99), "highest": most(&all.seen)},
            "secondsToApplyTheRest": rest,
            "memoryMib": {"begin": begin_mib, "middle": middle_mib, "end": end_mib, "everyTenSeconds": memory},
        }),
    }
}

fn line(at: Duration, rate: f64, window: &Window, memory_mib: u64) -> String {
    format!(
        "  {:>5.0} s {rate:>6.0} changes/s   lag {:>5} ms, highest {:>5} ms   in MongoDB after {:>5} ms, at the latest {:>5} ms   {memory_mib} MiB",
        at.as_secs_f64(),
        percentile(&window.lag, 0.5),
        percentile(&window.lag, 1.0),
        percentile(&window.seen, 0.5),
        percentile(&window.seen, 1.0),
    )
}

/// Changes one order now and then and looks when MongoDB has it: what the job says of itself is not asked.
struct Watcher {
    seen: Arc<Mutex<Vec<u64>>>,
    task: JoinHandle<()>,
}

impl Watcher {
    async fn start(f: &Following, order: i64) -> Watcher {
        let seen: Arc<Mutex<Vec<u64>>> = Arc::default();
        let orders = f.target.database.collection::<Document>(ORDERS.collection);
        let task = tokio::spawn(watch(f.source.connect().await, orders, order, seen.clone()));
        Watcher { seen, task }
    }

    fn take(&self) -> Vec<u64> {
        std::mem::take(&mut self.seen.lock().expect("nobody panics with it"))
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn watch(
    client: tokio_postgres::Client,
    orders: mongodb::Collection<Document>,
    order: i64,
    seen: Arc<Mutex<Vec<u64>>>,
) {
    let mut ticks = tokio::time::interval(WATCH_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    for number in 1_i32.. {
        ticks.tick().await;
        let change = format!("update orders set o_shippriority = {number} where o_orderkey = {order}");
        client.batch_execute(&change).await.expect("the source takes a change");
        let committed = Instant::now();
        let filter = doc! {"_id": order, "o_shippriority": number};
        while orders
            .find_one(filter.clone())
            .await
            .expect("MongoDB answers")
            .is_none()
        {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let waited = u64::try_from(committed.elapsed().as_millis()).unwrap_or(u64::MAX);
        seen.lock().expect("nobody panics with it").push(waited);
    }
}
