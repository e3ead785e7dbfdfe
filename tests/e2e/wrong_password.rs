//! What is wrong with a connection is said where it can be corrected.

use crate::library::Stage;
use crate::pages::migration::MigrationPage;
use crate::pages::{SOON, look, testid};
use godwit_tests::servers::{PASSWORD, SUPERUSER};

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_said_in_the_wizard() {
    let stage = Stage::new().await;
    let project = stage.import().await;
    let page = MigrationPage::open(&stage.browser, &stage.app, &project).await;
    let wizard = page.create_job().await;
    wizard.fill_source(stage.source, "not the password").await;
    let message = wizard.test_source_in_vain().await;
    let expected = format!("refused the user \"{SUPERUSER}\": the password is wrong or missing");
    assert!(message.contains(&expected), "{message}");
    look(&stage.browser, "wrong-password").await;

    // *Next* tests as well. Who goes on all the same is told at the start: back at the step where it is corrected, and no
    // job is made.
    wizard.next().await;
    assert!(wizard.error().await.contains(&expected));
    look(&stage.browser, "wrong-password-next").await;
    wizard.skip_test().await;
    wizard.fill_target(&stage.target).await;
    wizard.next().await;
    stage.browser.find(&testid("preflight-not-run")).await;
    stage.app.freeze();
    wizard.next().await;
    stage.browser.find("dialog .gw-skeleton").await;
    let start = stage.browser.find(&testid("wizard-start")).await;
    assert!(!start.is_enabled().await.expect("the state of a button"));
    look(&stage.browser, "wizard-review-loading").await;
    stage.app.thaw();
    wizard.error().await;
    look(&stage.browser, "wizard-review-error").await;
    stage.browser.click(&testid("wizard-start")).await;
    stage.browser.find(&testid("source-host")).await;
    let message = wizard.error().await;
    assert!(message.contains(&expected), "{message}");
    assert!(
        stage
            .app
            .api()
            .get("/jobs")
            .await
            .ok()
            .as_array()
            .is_some_and(Vec::is_empty)
    );

    wizard.fill_source(stage.source, PASSWORD).await;
    wizard.start().await;
    page.wait_status("RUNNING", SOON).await;
    page.terminate().await;
    page.wait_status("CANCELLED", SOON).await;
}
