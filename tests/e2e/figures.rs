//! How big the page is and how much it asks of a machine.
//!
//! Times depend on the machine and are only printed. A page that was not built for a release is far larger than what
//! users get: `make figures` measures that one, and sets `PAGE_KB_MAX`, the limit of its size.

use crate::library::Stage;
use crate::pages::mapping::MappingTab;
use crate::pages::migration::MigrationPage;
use crate::pages::{SOON, testid};
use godwit_tests::api::{Api, wait_for};
use godwit_tests::app::App;
use godwit_tests::browser::Browser;
use godwit_tests::migrate::Migration;
use godwit_tests::process::{cpu_seconds, memory_mib};
use serde_json::{Map, Value, json};
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

/// Files, and requests of the API; the live channel is none of either.
const REQUESTS: &str = "
const names = performance.getEntriesByType('resource').map(e => e.name);
const api = names.filter(name => name.includes('/api/')).length;
return `${names.length - api + 1} files, ${api} of the API`";

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
    println!("requests of the first view: {}", browser.run(REQUESTS, &[]).await);

    let (before, since) = (cpu_seconds(app.pid()), Instant::now());
    tokio::time::sleep(IDLE_FOR).await;
    let share = (cpu_seconds(app.pid()) - before) / since.elapsed().as_secs_f64() * 100.0;
    println!(
        "idle server with one page open: {:.0} MiB, {share:.2} % of a core",
        memory_mib(app.pid())
    );
}

/// Each column has a group of its own in the log, and each row an issue in each of them.
const BAD_COLUMNS: usize = 400;
const BAD_ROWS: usize = 25;
/// The log of so many issues is there within this time, of a release.
const LOG_MAX: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread")]
async fn figures_of_a_long_log() {
    let columns: Vec<String> = (1..=BAD_COLUMNS)
        .map(|i| format!("d{i} date not null default 'infinity'"))
        .collect();
    let sql = format!(
        "create table bad (id int primary key, {}); insert into bad select generate_series(1, {BAD_ROWS})",
        columns.join(", ")
    );
    let spec = json!({"name": "Bad", "collections": [{"collection": "bad", "table": "bad"}]});
    let (migration, browser) = tokio::join!(Migration::new(&sql, spec), Browser::start());
    let job = migration
        .run(&migration.job().with("/options/errorTolerance", json!(null)))
        .await;
    assert_eq!(job.statistics.errors as usize, BAD_COLUMNS * BAD_ROWS);
    // What the browser keeps of the page is kept as for any user.
    browser.open(&migration.app.base()).await;
    browser.find(&testid("project-card")).await;
    let asked_at = Instant::now();
    MigrationPage::open(&browser, &migration.app, &migration.project).await;
    browser.find(&testid("log-row")).await;
    let taken = asked_at.elapsed();
    println!(
        "log of {} issues: {} ms until it is there",
        job.statistics.errors,
        taken.as_millis()
    );
    if std::env::var_os("PAGE_KB_MAX").is_some() {
        assert!(taken < LOG_MAX, "the log took {taken:?}");
    }
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

const TABLES: usize = 1_000;
const COLUMNS: usize = 12;

/// A project of a thousand tables that refer to each other, half of them embedded in others.
fn thousand_tables() -> Value {
    let column = |place: usize, name: String| {
        let mut column = json!({"type": {"databaseSpecificType": if place == 0 { "integer" } else { "text" }}, "ordinalPosition": place + 1});
        if place == 0 {
            column["primaryKey"] = json!({"name": "pk"});
        }
        (name, column)
    };
    let name = |n: usize| format!("table_{n:04}");
    // Ten groups of a hundred; in each a tree of tables that refer to the one above.
    let above = |n: usize| (!n.is_multiple_of(100)).then(|| n - n % 100 + (n % 100 - 1) / 3);
    let (mut tables, mut entries) = (Map::new(), Map::new());
    let (mut collections, mut mappings, mut below) = (Map::new(), Map::new(), Map::new());
    for n in 0..TABLES {
        let names = (0..COLUMNS).map(|c| match c {
            0 => "id".to_owned(),
            1 => "parent_id".to_owned(),
            c => format!("column_{c}"),
        });
        let columns: Map<String, Value> = names.enumerate().map(|(place, name)| column(place, name)).collect();
        let keys = above(n).map(|to| {
            json!({"to_parent": {"targetTable": {"database": "wide", "schema": "public", "table": name(to)},
                "columnMappings": [{"source": "parent_id", "target": "id"}]}})
        });
        let fields: Map<String, Value> = columns
            .iter()
            .map(|(column, of)| {
                let source = json!({"name": column, "databaseSpecificType": of["type"]["databaseSpecificType"], "isPrimaryKey": column == "id"});
                (column.clone(), json!({"target": {"name": column, "included": true, "type": "DEFAULT"}, "source": source}))
            })
            .collect();
        tables.insert(
            name(n),
            json!({"columns": columns, "foreignKeys": keys.unwrap_or_else(|| json!({}))}),
        );
        entries.insert(
            format!("t{n}"),
            json!({"path": {"database": "wide", "schema": "public", "table": name(n)}}),
        );
        let embedded = above(n).filter(|_| n % 2 == 1);
        let collection = match embedded {
            Some(to) => mappings[&format!("m{to}")]["collectionId"].clone(),
            None => json!(format!("c{n}")),
        };
        if embedded.is_none() {
            collections.insert(format!("c{n}"), json!({"name": name(n), "type": "REGULAR"}));
        }
        let settings = match embedded {
            Some(to) => {
                let children = below.entry(format!("m{to}")).or_insert_with(|| json!({"children": []}));
                children["children"]
                    .as_array_mut()
                    .expect("a list")
                    .push(json!(format!("m{n}")));
                json!({"type": "EMBEDDED_DOCUMENT_ARRAY", "embeddedPath": name(n)})
            }
            None => json!({"type": "NEW_DOCUMENT"}),
        };
        below.entry(format!("m{n}")).or_insert_with(|| json!({"children": []}));
        mappings.insert(
            format!("m{n}"),
            json!({"settings": settings, "fields": fields, "calculatedFields": {}, "collectionId": collection, "table": format!("t{n}")}),
        );
    }
    json!({"version": "1.14.0",
        "project": {"id": "wide", "name": "A thousand tables", "type": "POSTGRESQL", "lastModified": "2026-01-01T00:00:00.000Z",
            "schemasId": "wide", "connectionDetails": {}, "content": {"settings": {"casing": "ORIGINAL", "keyHandling": "SINGLE"},
                "collections": collections, "mappings": mappings, "relationships": {"tables": {}, "collections": {}, "mappings": below},
                "tables": entries}},
        "schema": {"id": "wide", "full": {"databases": {"wide": {"schemas": {"public": {"tables": tables}}}},
            "metadata": {"databaseType": "POSTGRESQL", "databaseVersion": "15"}}, "imported": {}, "all": {}}})
}

/// Runs a function of the page for a while, frame by frame; the longest time between two frames, and what the function
/// itself took at most.
const FRAMES: &str = "
const [name, frames, done] = arguments;
const canvas = document.querySelector(\"[data-side='relational'] .gw-canvas__window\");
const box = canvas.getBoundingClientRect(), x = box.x + box.width / 2, y = box.y + box.height / 2;
const wheel = options => canvas.dispatchEvent(new WheelEvent('wheel',
  {bubbles: true, cancelable: true, clientX: x, clientY: y, ...options}));
const steps = {
  pan: n => wheel({deltaX: 40 * Math.cos(n / 9), deltaY: 40 * Math.sin(n / 9)}),
  zoom: n => wheel({ctrlKey: true, deltaY: n % 60 < 30 ? -25 : 25}),
};
let n = 0, last = null, longest = 0, own = 0;
const frame = now => {
  if (last !== null) longest = Math.max(longest, now - last);
  last = now;
  if (n++ >= frames) return done([Math.round(longest), Math.round(own)]);
  const since = performance.now();
  steps[name](n);
  own = Math.max(own, performance.now() - since);
  requestAnimationFrame(frame);
};
requestAnimationFrame(frame);";

/// What one thing takes until the next frame has been painted.
const ONCE: &str = "
const [code, done] = arguments;
const since = performance.now();
new Function(code)();
requestAnimationFrame(() => setTimeout(() => done(Math.round(performance.now() - since))));";

/// Times depend on the machine: they are printed, and only that it opens is checked.
#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_tables_on_the_drawing_table() {
    let (app, browser) = tokio::join!(App::start(), Browser::start());
    let project = app.api().import_project(&thousand_tables()).await;
    browser.open(&app.base()).await;
    browser.find(&testid("project-card")).await;
    let asked_at = Instant::now();
    let page = MappingTab::open(&browser, &app, &project).await;
    page.wait_collection("table_0000").await;
    let cards = "return document.querySelector(\"[data-side='relational'] .gw-canvas__svg\")?.querySelector('path[d^=M]') != null";
    let is_drawn = async || (browser.run(cards, &[]).await == true).then_some(());
    wait_for("a diagram of the tables", SOON, is_drawn).await;
    println!("{TABLES} tables: open after {} ms", asked_at.elapsed().as_millis());

    for (what, frames) in [("pan", 90), ("zoom", 120)] {
        let answer = browser
            .client
            .execute_async(FRAMES, vec![json!(what), json!(frames)])
            .await;
        let [longest, own]: [u64; 2] = serde_json::from_value(answer.expect("a script")).expect("figures");
        println!("{TABLES} tables: {what}: longest frame {longest} ms, of which the page's own events {own} ms");
    }
    let once = async |code: &str| {
        let answer = browser
            .client
            .execute_async(ONCE, vec![json!(code)])
            .await
            .expect("a script");
        answer.as_u64().expect("a figure")
    };
    let filter = "const e = document.querySelector(\"[aria-label='Search in Relational']\");
        e.value = 'table_05'; e.dispatchEvent(new Event('input', {bubbles: true}))";
    println!("{TABLES} tables: filter of the list {} ms", once(filter).await);
    let search = "const e = document.querySelector('[data-testid=diagram-search]');
        e.value = 'table_0777'; e.dispatchEvent(new Event('input', {bubbles: true}))";
    println!("{TABLES} tables: search in the diagram {} ms", once(search).await);
    for layout in ["Left to right", "Top to bottom", "Star"] {
        browser.click(&testid("diagram-layout")).await;
        let press = format!(
            "[...document.querySelectorAll('.gw-menu__item')].find(e => e.innerText.trim() === '{layout}').click()"
        );
        println!("{TABLES} tables: layout {layout}: {} ms", once(&press).await);
    }
    page.choose_collection("table_0000").await;
    let rename = "const e = document.querySelector('[data-testid=collection-name]');
        e.value = 'renamed'; e.dispatchEvent(new Event('change', {bubbles: true}))";
    println!("{TABLES} tables: one edit {} ms", once(rename).await);
    page.wait_collection("renamed").await;
}
