//! The *Mapping* tab.

use super::{SOON, testid, wait_text};
use fantoccini::Locator;
use godwit_tests::app::App;
use godwit_tests::browser::Browser;
use godwit_tests::servers::{Database, SUPERUSER};

pub struct MappingTab<'a> {
    browser: &'a Browser,
}

impl<'a> MappingTab<'a> {
    pub async fn open(browser: &'a Browser, app: &App, project: &str) -> Self {
        browser
            .open(&format!("{}/projects/{project}/mapping", app.base()))
            .await;
        browser.find(&testid("rules")).await;
        MappingTab { browser }
    }

    /// The lines of a tree, each with its note.
    pub async fn lines(&self, tree: &str) -> Vec<String> {
        let css = format!("[role='tree'][aria-label='{tree}'] [role='treeitem']");
        self.browser.texts(&css).await
    }

    pub async fn search(&self, tree: &str, text: &str) {
        self.browser
            .fill(&format!("input[aria-label='Search in {tree}']"), text)
            .await;
    }

    /// Chooses a line.
    pub async fn choose(&self, tree: &str, label: &str) {
        let path =
            format!("//*[@role='tree'][@aria-label='{tree}']//*[@role='treeitem'][.//*[normalize-space(.)='{label}']]");
        let line = self.browser.client.find(Locator::XPath(&path)).await.expect("the line");
        line.click().await.expect("a click");
    }

    pub async fn wait_collection(&self, name: &str) {
        wait_text(self.browser, &testid("collection-name"), name, SOON, |text| {
            text == name
        })
        .await;
    }

    /// What the rules say.
    pub async fn rules(&self) -> String {
        wait_text(self.browser, &testid("rules"), "rules", SOON, |text| !text.is_empty()).await
    }

    /// *Connect the source* and its drawer.
    pub async fn connect(&self, source: &Database, password: &str) {
        self.browser.fill(&testid("source-uri"), &source.jdbc_url()).await;
        self.browser.fill(&testid("source-user"), SUPERUSER).await;
        self.browser.fill(&testid("source-password"), password).await;
        self.browser.click(&testid("preview-use-source")).await;
    }

    /// Waits for a document that holds a text; the whole of it with its title.
    pub async fn document(&self, part: &str) -> String {
        wait_text(self.browser, &testid("document"), "a document", SOON, |text| {
            text.contains(part)
        })
        .await
    }
}
