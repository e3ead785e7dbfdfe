//! The list of projects.

use super::migration::MigrationPage;
use super::new_project::NewProjectPage;
use super::{look, testid};
use godwit_tests::app::App;
use godwit_tests::browser::Browser;
use std::path::Path;

pub struct HomePage<'a> {
    browser: &'a Browser,
}

impl<'a> HomePage<'a> {
    pub async fn open(browser: &'a Browser, app: &App) -> Self {
        browser.open(&app.base()).await;
        browser.find(&testid("import-file")).await;
        HomePage { browser }
    }

    /// Chooses a file in the browser's dialog.
    pub async fn import(&self, file: &Path) {
        let input = self.browser.find(&testid("import-file")).await;
        let path = file.to_str().expect("a path of text");
        input.send_keys(path).await.expect("the file can be chosen");
    }

    /// *New project*
    pub async fn new_project(&self) -> NewProjectPage<'a> {
        self.browser.click(&testid("new-project")).await;
        NewProjectPage::opened(self.browser).await
    }

    pub async fn wait_project(&self, name: &str) {
        super::wait_text(
            self.browser,
            &testid("project-card"),
            "the project",
            super::SOON,
            |text| text.contains(name),
        )
        .await;
    }

    pub async fn open_project(&self, name: &str) -> MigrationPage<'a> {
        self.wait_project(name).await;
        look(self.browser, "home").await;
        self.browser.click_text(name).await;
        MigrationPage::opened(self.browser).await
    }
}
