//! The page of a job on paper: all of it, and nothing that is only for pressing.

use crate::pages::migration::MigrationPage;
use crate::pages::{SOON, pictures};
use godwit_tests::browser::Browser;
use godwit_tests::migrate::Migration;
use serde_json::json;

/// Tables of the source: enough that finished ones are folded, and the log does not fit into its frame.
const TABLES: usize = 12;

/// What is shown on paper: texts, buttons that can still be seen, and frames that cut something off.
const ON_PAPER: &str = "
const seen = e => e.checkVisibility({visibilityProperty: true}) && e.getClientRects().length > 0;
return {
  text: document.body.innerText,
  buttons: [...document.querySelectorAll('button, .gw-button, nav, input')].filter(seen)
    .filter(e => !e.matches('.gw-log__sort, .gw-log__toggle, .gw-link-button, .gw-fold__toggle')).map(e => e.outerHTML.slice(0, 200)),
  cut: [...document.querySelectorAll('main, .gw-table-frame, .gw-migration__job, .gw-bounded')].filter(seen)
    .filter(e => e.scrollHeight > e.clientHeight + 2 && getComputedStyle(e).overflowY !== 'visible')
    .map(e => e.className),
};";

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_printed_as_a_report() {
    let table = |n: usize| {
        format!(
            "create table t{n:02} (id int primary key, d date not null default 'infinity');
             insert into t{n:02} select i from generate_series(1, 30) i;"
        )
    };
    let sql: String = (1..=TABLES).map(table).collect();
    let collections: Vec<_> = (1..=TABLES)
        .map(|n| json!({"collection": format!("t{n:02}"), "table": format!("t{n:02}")}))
        .collect();
    let spec = json!({"name": "Paper", "collections": collections});
    let (migration, browser) = tokio::join!(Migration::new(&sql, spec), Browser::start());
    let page = MigrationPage::open(&browser, &migration.app, &migration.project).await;
    let job = migration.job().with("/options/errorTolerance", json!(null));
    migration.run(&job).await;
    page.wait_status("COMPLETED", SOON).await;

    browser
        .devtools("Emulation.setEmulatedMedia", json!({"media": "print"}))
        .await;
    let shown = browser.run(ON_PAPER, &[]).await;
    browser
        .devtools("Emulation.setEmulatedMedia", json!({"media": ""}))
        .await;
    let text = shown["text"].as_str().expect("a text");
    for part in [
        "Job overview",
        "Documents written",
        "t12",
        "Job update log",
        "12 finished",
    ] {
        assert!(text.contains(part), "no {part} in {text}");
    }
    assert_eq!((&shown["buttons"], &shown["cut"]), (&json!([]), &json!([])));

    let pdf = browser.pdf().await;
    pictures::keep("job.pdf", &pdf);
    assert!(pdf.starts_with(b"%PDF-"));
    let count = |what: &[u8]| pdf.windows(what.len()).filter(|part| *part == what).count();
    // Pages, and text on them as text: with fonts that can be searched.
    let pages = count(b"/Type /Page\n") + count(b"/Type /Page ");
    assert!((2..20).contains(&pages), "{pages} pages");
    assert!(count(b"/ToUnicode") > 0, "no text");
}
