//! *New migration job*.

use super::{SOON, look, testid, text_now, wait_text};
use fantoccini::Locator;
use godwit_tests::api::wait_for;
use godwit_tests::browser::Browser;
use godwit_tests::servers::{Database, Target};

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
        super::fill_source(self.browser, source, password).await;
    }

    pub async fn fill_target(&self, target: &Target) {
        self.browser.fill(&testid("target-uri"), &target.uri).await;
    }

    /// The saved source that is chosen.
    pub async fn chosen_source(&self) -> String {
        let css = format!("{} option:checked", testid("source-saved"));
        wait_text(self.browser, &css, "a chosen source", SOON, |text| !text.is_empty()).await
    }

    /// *Next*: afterwards another step is there, or an error says why not. The connection of the step is tested before.
    pub async fn next(&self) {
        let before = self.step().await;
        self.browser.click(&testid("wizard-next")).await;
        let came = async || {
            let errors = format!("dialog :is({}, [aria-invalid])", testid("error-message"));
            let has_error = self.browser.client.find(Locator::Css(&errors)).await.is_ok();
            (has_error || self.step().await != before).then_some(())
        };
        wait_for("another step, or an error", SOON, came).await;
    }

    /// The title of the step that is open.
    pub async fn step(&self) -> String {
        text_now(self.browser, "dialog [aria-current='step']")
            .await
            .unwrap_or_default()
    }

    /// *Go on without it*: the connection does not answer.
    pub async fn skip_test(&self) {
        self.browser.click(&testid("skip-test")).await;
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

    /// *Selective migration* without these collections; only on its step.
    pub async fn leave_out(&self, collections: &[&str]) {
        self.browser.click(&testid("selective")).await;
        for collection in collections {
            let path = format!("//*[@data-testid='collection-box']//label[normalize-space(.)='{collection}']");
            let label = self
                .browser
                .client
                .wait()
                .at_most(SOON)
                .for_element(Locator::XPath(&path));
            label.await.expect("the collection").click().await.expect("a click");
        }
    }

    /// Waits until the preflight checks have passed.
    pub async fn passed_checks(&self) {
        self.browser.find(&testid("preflight-passed")).await;
    }

    /// Types what agrees to the loss of documents, where the review asks for it.
    async fn agree_to_drop(&self) {
        let css = testid("drop-confirmation");
        let Ok(field) = self.browser.client.find(Locator::Css(&css)).await else {
            return;
        };
        let word = field
            .attr("placeholder")
            .await
            .expect("an attribute")
            .unwrap_or_default();
        self.browser.fill(&css, &word).await;
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
        self.agree_to_drop().await;
        look(self.browser, "wizard-review").await;
        self.browser.click(&testid("wizard-start")).await;
    }
}
