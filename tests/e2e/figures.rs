//! How big the page is and how much it asks of a machine.
//!
//! Times depend on the machine and are only printed. A page that was not built for a release is far larger than what
//! users get: `make figures` measures that one, and sets `PAGE_KB_MAX`, the limit of its size.

use crate::library::Stage;
use crate::pages::migration::MigrationPage;
use crate::pages::testid;
use godwit_tests::api::Api;
use godwit_tests::browser::Browser;
use godwit_tests::migrate::Migration;
use godwit_tests::process::{cpu_seconds, memory_mib};
use serde_json::json;
use std::time::{Duration, Instant};

const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Long enough for the figures of a process that does next to nothing.
const IDLE_FOR: Duration = Duration::from_secs(10);
/// Rows that keep a release busy for longer than `WATCHED_MAX`.
const READINGS: u32 = 4_000_000;
const WATCHED_MAX: Duration = Duration::from_secs(8);

/// The files that the first view needs, as its HTML names them.
fn files_of(html: &str) -> Vec<String> {
    let of = |mark: &str| {
        let parts = html
            .split(mark)
            .skip(1)
            .filter_map(|part| part.split(['"', '\'']).next());
        parts.map(ToOwned::to_owned).collect::<Vec<_>>()
    };
    let mut files: Vec<String> = [of("href=\""), of("src=\""), of("from '")].concat();
    files.retain(|file| file.starts_with('/') && file.len() > 1);
    files.sort();
    files.dedup();
    files
}

/// Bytes on the wire of the page with all its files.
async fn page_bytes(api: &Api) -> usize {
    let (_, html) = api.sent("/", "identity").await;
    let files = files_of(&String::from_utf8_lossy(&html));
    assert!(files.iter().any(|file| file.ends_with(".wasm")), "{files:?}");
    let mut bytes = 0;
    for file in ["/".to_owned()].into_iter().chain(files) {
        let (encoding, body) = api.sent(&file, "gzip, deflate, br, zstd").await;
        println!("{:>10} bytes {encoding:>5}  {file}", body.len());
        bytes += body.len();
    }
    bytes
}

/// Milliseconds from the start of the navigation to the first paint, and to the end of what the server sends.
const PAINT: &str = "
const [paint] = performance.getEntriesByName('first-contentful-paint');
return paint ? Math.round(paint.startTime) : null";

#[tokio::test(flavor = "multi_thread")]
async fn sizes_and_times_of_the_page() {
    let stage = Stage::new().await;
    let (app, browser) = (&stage.app, &stage.browser);
    stage.import().await;
    let size_kb = page_bytes(&app.api()).await / 1000;
    println!("page, compressed: {size_kb} kB");
    if let Ok(limit) = std::env::var("PAGE_KB_MAX") {
        let limit: usize = limit.parse().expect("PAGE_KB_MAX is a number");
        assert!(size_kb <= limit, "the page has {size_kb} kB, more than {limit}");
    }

    let asked_at = Instant::now();
    browser.open(&app.base()).await;
    browser.find(&testid("project-card")).await;
    println!("first view with its projects: {} ms", asked_at.elapsed().as_millis());
    println!("first paint: {} ms", browser.run(PAINT, &[]).await);

    let (before, since) = (cpu_seconds(app.pid()), Instant::now());
    tokio::time::sleep(IDLE_FOR).await;
    let share = (cpu_seconds(app.pid()) - before) / since.elapsed().as_secs_f64() * 100.0;
    println!(
        "idle server with one page open: {:.0} MiB, {share:.2} % of a core",
        memory_mib(app.pid())
    );
}

/// The page of a job that reads and writes as fast as it can: its figures change with every message.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_page_of_a_running_job_takes() {
    let sql = format!(
        "create table readings (id int primary key, value int not null);
                       insert into readings select i, i % 1000 from generate_series(1, {READINGS}) i"
    );
    let spec = json!({"name": "Readings", "collections": [{"collection": "readings", "table": "readings"}]});
    let (migration, browser) = tokio::join!(Migration::new(&sql, spec), Browser::start());
    let page = MigrationPage::open(&browser, &migration.app, &migration.project).await;
    let id = migration.app.api().start_job(&migration.job()).await;
    page.wait_rows_above(0).await;
    let (before, since) = (browser.cpu_seconds(), Instant::now());
    while since.elapsed() < WATCHED_MAX && !migration.app.api().job(&id).await.status.is_ended() {
        tokio::time::sleep(LOOK_EVERY).await;
    }
    let watched = since.elapsed().as_secs_f64();
    let share = (browser.cpu_seconds() - before) / watched * 100.0;
    println!("browser with the page of a running job: {share:.1} % of a core over {watched:.1} s");
}
