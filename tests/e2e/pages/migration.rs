//! The *Data Migration* tab: history and overview of a job.

use super::wizard::Wizard;
use super::{SOON, attribute_now, testid, text_now, wait_text};
use fantoccini::Locator;
use godwit_tests::api::wait_for;
use godwit_tests::app::App;
use godwit_tests::browser::Browser;
use std::time::Duration;

pub struct MigrationPage<'a> {
    browser: &'a Browser,
}

impl<'a> MigrationPage<'a> {
    pub async fn opened(browser: &'a Browser) -> Self {
        browser.find(&testid("create-job")).await;
        MigrationPage { browser }
    }

    pub async fn open(browser: &'a Browser, app: &App, project: &str) -> Self {
        browser
            .open(&format!("{}/projects/{project}/migration", app.base()))
            .await;
        Self::opened(browser).await
    }

    /// *Create migration job*
    pub async fn create_job(&self) -> Wizard<'a> {
        self.browser.click(&testid("create-job")).await;
        Wizard::opened(self.browser).await
    }

    /// *Create new job*, for a job that has ended.
    pub async fn create_job_like_this(&self) -> Wizard<'a> {
        self.browser.click(&testid("create-new-job")).await;
        Wizard::opened(self.browser).await
    }

    /// Waits for a status by its name on the wire.
    pub async fn wait_status(&self, status: &str, timeout: Duration) {
        let css = format!("{}[data-status='{status}']", testid("job-status"));
        wait_text(self.browser, &css, status, timeout, |_| true).await;
    }

    /// Waits for the label of the snapshot stage.
    pub async fn wait_snapshot(&self, label: &str, timeout: Duration) {
        wait_text(self.browser, &testid("snapshot-status"), label, timeout, |text| {
            text == label
        })
        .await;
    }

    /// The label of the job's status.
    pub async fn status(&self) -> String {
        text_now(self.browser, &testid("job-status")).await.expect("a status")
    }

    /// The rows shown as migrated, at this moment.
    async fn rows_now(&self) -> Option<u64> {
        let text = text_now(self.browser, &testid("rows-migrated")).await?;
        rows_in(&text)
    }

    /// Waits until more rows are shown than these; how many.
    pub async fn wait_rows_above(&self, rows: u64) -> u64 {
        let look = async || self.rows_now().await.filter(|shown| *shown > rows);
        wait_for(&format!("more than {rows} rows"), SOON, look).await
    }

    pub async fn rows(&self) -> u64 {
        self.rows_now().await.expect("a number of rows")
    }

    /// What the bar stands at, from 0 to 100.
    pub async fn percent(&self) -> u8 {
        let value = attribute_now(self.browser, &testid("progress"), "aria-valuenow").await;
        value.and_then(|v| v.parse().ok()).expect("a share in percent")
    }

    /// *Terminate*: its question is open afterwards.
    pub async fn ask_terminate(&self) {
        self.browser.click(&testid("terminate")).await;
        self.browser.find(&testid("terminate-confirm")).await;
    }

    /// *Terminate* and the question that follows.
    pub async fn terminate(&self) {
        self.ask_terminate().await;
        self.browser.click(&testid("terminate-confirm")).await;
    }

    /// *Pause* and the question that follows.
    pub async fn pause(&self) {
        self.browser.click(&testid("pause")).await;
        self.browser.click(&testid("pause-confirm")).await;
    }

    /// *Resume* and the question that follows.
    pub async fn resume(&self) {
        self.browser.click(&testid("resume")).await;
        self.browser.click(&testid("resume-confirm")).await;
    }

    /// *Pause* of a continuous job; what its question says of the log that the source keeps.
    pub async fn pause_continuous(&self) -> String {
        self.browser.click(&testid("pause")).await;
        let kept = wait_text(self.browser, &testid("retention"), "what is kept", SOON, |text| {
            !text.is_empty()
        })
        .await;
        super::look(self.browser, "pause").await;
        self.browser.click(&testid("pause-confirm")).await;
        kept
    }

    /// *Resume* of a continuous job.
    pub async fn resume_continuous(&self) {
        self.browser.click(&testid("resume")).await;
        super::look(self.browser, "resume").await;
        self.browser.click(&testid("resume-confirm")).await;
    }

    /// *Complete CDC* and its green question.
    pub async fn complete_cdc(&self) {
        self.browser.click(&testid("complete-cdc")).await;
        self.browser.find("dialog[data-tone='success']").await;
        super::look(self.browser, "complete-cdc").await;
        self.browser.click(&testid("complete-cdc-confirm")).await;
    }

    /// Waits for the label of the CDC stage.
    pub async fn wait_cdc(&self, label: &str, timeout: Duration) {
        wait_text(self.browser, &testid("cdc-status"), label, timeout, |text| {
            text == label
        })
        .await;
    }

    /// Waits until more changes are shown as seen than these.
    pub async fn wait_events_above(&self, events: u64) {
        wait_text(self.browser, &testid("cdc-events"), "changes", SOON, |text| {
            rows_in(text).is_some_and(|shown| shown > events)
        })
        .await;
    }

    /// A chart in words.
    pub async fn chart(&self, title: &str) -> String {
        let chart = self.browser.find(&format!("[role='img'][aria-label^='{title}']")).await;
        chart
            .attr("aria-label")
            .await
            .expect("an attribute")
            .unwrap_or_default()
    }

    /// Waits until there is an element with this test id.
    pub async fn wait_for(&self, name: &str) {
        self.browser.find(&testid(name)).await;
    }

    /// Whether there is a button or field with this test id.
    pub async fn has(&self, name: &str) -> bool {
        self.browser.client.find(Locator::Css(&testid(name))).await.is_ok()
    }

    /// Icon and its spoken label of every job of the history, newest first.
    async fn history_now(&self) -> Vec<[String; 2]> {
        let css = format!("{} [role='img']", testid("history-icon"));
        self.browser.attributes(&css, ["data-icon", "aria-label"]).await
    }

    /// Waits until the history shows exactly these icons and labels, newest first.
    pub async fn wait_history(&self, expected: &[(&str, &str)]) {
        let look = async || {
            let found = self.history_now().await;
            let found: Vec<(&str, &str)> = found.iter().map(|[icon, label]| (&**icon, &**label)).collect();
            (found == expected).then_some(())
        };
        wait_for(&format!("the history {expected:?}"), SOON, look).await;
    }

    /// The rows of the job update log that are in the page, each as a line.
    pub async fn log_rows(&self) -> Vec<String> {
        self.browser.texts(&testid("log-row")).await
    }

    /// The message of a failed job.
    pub async fn failure(&self) -> String {
        wait_text(self.browser, &testid("error-message"), "a message", SOON, |text| {
            !text.is_empty()
        })
        .await
    }
}

/// `120,000` or `120,000 of about 300,000`: the first number.
fn rows_in(text: &str) -> Option<u64> {
    let first = text.split_whitespace().next()?;
    first.replace(',', "").parse().ok()
}
