//! *New project*

use super::migration::MigrationPage;
use super::{SOON, testid, wait_text};
use fantoccini::Locator;
use godwit_tests::api::wait_for;
use godwit_tests::browser::Browser;
use godwit_tests::servers::Database;

pub struct NewProjectPage<'a> {
    browser: &'a Browser,
}

impl<'a> NewProjectPage<'a> {
    pub async fn opened(browser: &'a Browser) -> Self {
        browser.find(&testid("project-next")).await;
        NewProjectPage { browser }
    }

    pub async fn fill_source(&self, source: &Database, password: &str) {
        super::fill_source(self.browser, source, password).await;
    }

    /// The button that leads on.
    pub async fn next(&self) {
        self.browser.click(&testid("project-next")).await;
    }

    pub async fn back(&self) {
        self.browser.click(&testid("project-back")).await;
    }

    pub async fn error(&self) -> String {
        wait_text(self.browser, &testid("error-message"), "a message", SOON, |text| {
            !text.is_empty()
        })
        .await
    }

    pub async fn wait_field_error(&self, message: &str) {
        self.wait_text(message).await;
    }

    pub async fn wait_text(&self, part: &str) {
        self.browser.wait_text(part, SOON, |text| text.contains(part)).await;
    }

    /// Waits for the line that says how many tables are selected.
    pub async fn wait_count(&self, line: &str) {
        wait_text(self.browser, &testid("table-count"), line, SOON, |text| text == line).await;
    }

    /// Waits until the URL names a step.
    pub async fn wait_step(&self, name: &str) {
        let look = async || {
            let url = self.browser.client.current_url().await.ok()?;
            url.query().is_some_and(|q| q.contains(name)).then_some(())
        };
        wait_for(&format!("the step {name} in the URL"), SOON, look).await;
    }

    /// What *Bulk selection* holds.
    pub async fn bulk_names(&self, names: &str) {
        self.browser.fill(&testid("bulk-names"), names).await;
    }

    /// Waits for what is said of the names.
    pub async fn wait_bulk(&self, part: &str) {
        wait_text(self.browser, &testid("bulk-found"), part, SOON, |text| {
            text.contains(part)
        })
        .await;
    }

    /// The box of a table, schema or database.
    pub async fn toggle(&self, name: &str) {
        let path = format!("//*[contains(@class, 'gw-tree__line')]//label[normalize-space(.)='{name}']");
        let label = self.browser.client.find(Locator::XPath(&path)).await.expect("the line");
        label.click().await.expect("a click");
    }

    /// The names of the tables that the filter shows.
    pub async fn shown_tables(&self) -> Vec<String> {
        self.browser
            .texts(&format!("{}:not([hidden]) label", testid("table")))
            .await
    }

    /// The *Data Migration* tab of the project that was made.
    pub async fn migration(&self) -> MigrationPage<'a> {
        self.browser.click_text("Data Migration").await;
        MigrationPage::opened(self.browser).await
    }
}
