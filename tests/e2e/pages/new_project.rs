//! *New project*

use super::migration::MigrationPage;
use super::{SOON, testid, wait_text};
use fantoccini::Locator;
use godwit_tests::browser::Browser;
use godwit_tests::servers::{Database, SUPERUSER};

pub struct NewProjectPage<'a> {
    browser: &'a Browser,
}

impl<'a> NewProjectPage<'a> {
    pub async fn opened(browser: &'a Browser) -> Self {
        browser.find(&testid("project-next")).await;
        NewProjectPage { browser }
    }

    pub async fn fill_source(&self, source: &Database, password: &str) {
        let fill = async |name: &str, text: &str| self.browser.fill(&testid(name), text).await;
        fill("source-host", "127.0.0.1").await;
        fill("source-port", &source.port.to_string()).await;
        fill("source-database", &source.name).await;
        fill("source-user", SUPERUSER).await;
        fill("source-password", password).await;
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

    /// The box of a table, schema or database.
    pub async fn toggle(&self, name: &str) {
        let path = format!("//*[contains(@class, 'gw-tree__line')]//label[normalize-space(.)='{name}']");
        let label = self.browser.client.find(Locator::XPath(&path)).await.expect("the line");
        label.click().await.expect("a click");
    }

    /// The names of the tables that the filter shows.
    pub async fn shown_tables(&self) -> Vec<String> {
        let css = format!("{}:not([hidden]) label", testid("table"));
        let mut names = Vec::new();
        for label in self.browser.client.find_all(Locator::Css(&css)).await.expect("tables") {
            names.push(label.text().await.expect("a text"));
        }
        names
    }

    /// The *Data Migration* tab of the project that was made.
    pub async fn migration(&self) -> MigrationPage<'a> {
        self.browser.click_text("Data Migration").await;
        MigrationPage::opened(self.browser).await
    }
}
