//! Names as long as they may be, in the narrowest window.

use crate::pages::home::HomePage;
use crate::pages::{SOON, look};
use godwit_tests::browser::Browser;
use godwit_tests::migrate::Migration;
use godwit_tests::servers::PASSWORD;
use serde_json::json;

const PROJECT: &str = "Kundenauftragsverwaltung der Hauptniederlassung XY";
const TABLE: &str = "donaudampfschifffahrtsgesellschaftskapitaensmuetzenverzeichnis_";

#[tokio::test(flavor = "multi_thread")]
async fn long_names_fit_everywhere() {
    assert_eq!((PROJECT.len(), TABLE.len()), (50, 63));
    let sql = format!(
        "create table {TABLE} (id int primary key, geburtsdatum_des_rechnungsempfaengers date,
           rechtsschutzversicherungsgesellschaftsbezeichnung text);
         insert into {TABLE} select i, date 'infinity', 'Gesellschaft' from generate_series(1, 20) i"
    );
    let spec = json!({"name": PROJECT, "collections": [{"collection": TABLE, "table": TABLE}]});
    let (migration, browser) = tokio::join!(Migration::new(&sql, spec), Browser::start());
    let home = HomePage::open(&browser, &migration.app).await;
    home.wait_project(PROJECT).await;
    look(&browser, "long-names-home").await;
    for verb in ["Rename", "Delete"] {
        browser.click(&format!("[aria-label='{verb} {PROJECT}']")).await;
        browser.find("dialog[open]").await;
        look(&browser, &format!("long-names-{}", verb.to_lowercase())).await;
        browser.click("dialog [aria-label='Close']").await;
    }
    let page = home.open_project(PROJECT).await;
    let wizard = page.create_job().await;
    wizard.fill_source(&migration.source, PASSWORD).await;
    wizard.next().await;
    wizard.fill_target(&migration.target).await;
    wizard.start().await;
    page.wait_status("COMPLETED", SOON).await;
    page.wait_for("collection-row").await;
    page.wait_for("log-row").await;
    look(&browser, "long-names-job").await;
    browser.click_text("Mapping").await;
    browser.find_text(TABLE).await;
    look(&browser, "long-names-mapping").await;
    let title = browser.client.title().await.expect("a title");
    assert_eq!(title, format!("{PROJECT} · Mapping · Godwit"));
}
