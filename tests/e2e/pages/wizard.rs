//! *New migration job*.

use super::{SOON, look, testid, text_now, wait_text};
use fantoccini::Locator;
use godwit_tests::browser::Browser;
use godwit_tests::servers::{Database, SUPERUSER, Target};

const STEPS: usize = 4;

pub struct Wizard<'a> {
    browser: &'a Browser,
}

impl<'a> Wizard<'a> {
    pub async fn opened(browser: &'a Browser) -> Self {
        browser.find(&testid("wizard-next")).await;
        Wizard { browser }
    }

    pub async fn fill_source(&self, source: &Database, password: &str) {
        self.browser.fill(&testid("source-uri"), &source.jdbc_url()).await;
        self.browser.fill(&testid("source-user"), SUPERUSER).await;
        self.browser.fill(&testid("source-password"), password).await;
    }

    pub async fn fill_target(&self, target: &Target) {
        self.browser.fill(&testid("target-uri"), &target.uri).await;
    }

    /// What the field of the source's address holds.
    pub async fn source_uri(&self) -> String {
        let field = self.browser.find(&testid("source-uri")).await;
        field.prop("value").await.expect("a property").unwrap_or_default()
    }

    pub async fn next(&self) {
        self.browser.click(&testid("wizard-next")).await;
    }

    /// *Test connection*, which must succeed.
    pub async fn test_source(&self) {
        self.browser.click(&testid("source-test")).await;
        self.browser.find(&testid("test-passed")).await;
    }

    pub async fn test_target(&self) {
        self.browser.click(&testid("target-test")).await;
        self.browser.find(&testid("test-passed")).await;
    }

    /// *Test connection*, which must fail; the message.
    pub async fn test_source_in_vain(&self) -> String {
        self.browser.click(&testid("source-test")).await;
        self.error().await
    }

    /// The message that the wizard shows.
    pub async fn error(&self) -> String {
        wait_text(self.browser, &testid("error-message"), "a message", SOON, |text| {
            !text.is_empty()
        })
        .await
    }

    /// Whether *Drop destination collections before migration* is ticked; only on its step.
    pub async fn is_drop_ticked(&self) -> bool {
        let field = self.browser.find(&testid("drop-collections")).await;
        field.is_selected().await.expect("the state of a check box")
    }

    /// *Continuous*; only on its step.
    pub async fn choose_continuous(&self) {
        self.browser.click(&testid("mode-continuous")).await;
    }

    pub async fn is_continuous(&self) -> bool {
        let field = self.browser.find(&testid("mode-continuous")).await;
        field.is_selected().await.expect("the state of a radio button")
    }

    /// The details of the preflight, which must have found something missing.
    pub async fn failed_checks(&self) -> String {
        self.browser.find(&testid("preflight-failed")).await;
        self.browser.click(&testid("preflight-details")).await;
        let title = self.browser.find_text("Preflight checks failed").await;
        assert!(title.is_displayed().await.expect("the state of a title"));
        look(self.browser, "preflight-details").await;
        let checks = text_now(self.browser, "dialog dialog").await.expect("the details");
        self.browser.click(&testid("preflight-close")).await;
        checks
    }

    /// What the review says of the job: its figures, then its warnings.
    pub async fn review(&self) -> (String, Option<String>) {
        let figures = wait_text(self.browser, &testid("review-figures"), "figures", SOON, |text| {
            !text.is_empty()
        })
        .await;
        (figures, text_now(self.browser, &testid("review-warnings")).await)
    }

    /// *Prepare the source*
    pub async fn prepare_source(&self) {
        self.browser.click(&testid("prepare-source")).await;
    }

    /// From any step to the end; the job is shown afterwards.
    pub async fn start(&self) {
        for _ in 0..STEPS {
            let start = Locator::Css("[data-testid='wizard-start']");
            if self.browser.client.find(start).await.is_ok() {
                break;
            }
            self.next().await;
        }
        // What will be written is asked of the server: seen, it is right to start.
        let answered = format!("dialog :is({}, {})", testid("review-figures"), testid("error-message"));
        self.browser.find(&answered).await;
        look(self.browser, "wizard-review").await;
        self.browser.click(&testid("wizard-start")).await;
    }
}
