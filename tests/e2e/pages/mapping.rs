//! The *Mapping* tab.

use super::{SOON, testid, wait_text};
use fantoccini::actions::{InputSource, MouseActions, PointerAction};
use godwit_tests::api::wait_for;
use godwit_tests::app::App;
use godwit_tests::browser::Browser;
use godwit_tests::servers::Database;
use serde_json::{Value, json};
use std::time::Duration;

/// The middle of the first element that a selector finds; what lies over it counts as it.
const MIDDLE: &str = "const e = document.querySelector(arguments[0]); if (!e) return null;
    const r = e.getBoundingClientRect(); return [Math.round(r.x + r.width / 2), Math.round(r.y + r.height / 2)]";
/// A line of a tree by its label, a line of the documents by its path.
const FIND: &str = "const [css, text] = arguments;
    return [...document.querySelectorAll(css)].some(e => e.innerText.trim().split('\\n')[0] === text)";

pub struct MappingTab<'a> {
    browser: &'a Browser,
}

impl<'a> MappingTab<'a> {
    pub async fn open(browser: &'a Browser, app: &App, project: &str) -> Self {
        browser
            .open(&format!("{}/projects/{project}/mapping", app.base()))
            .await;
        browser.find(&testid("forms")).await;
        MappingTab { browser }
    }

    /// The tab that is in sight already.
    pub fn opened(browser: &'a Browser) -> Self {
        MappingTab { browser }
    }

    /// Chooses a collection by its name.
    pub async fn choose_collection(&self, name: &str) {
        let css = "[role='tree'][aria-label='MongoDB'] [role='treeitem']";
        self.wait(&format!("the collection {name}"), FIND, &[json!(css), json!(name)])
            .await;
        let click = "const [css, text] = arguments;
            [...document.querySelectorAll(css)].find(e => e.innerText.trim().split('\\n')[0] === text).click()";
        self.browser.run(click, &[json!(css), json!(name)]).await;
        self.wait_collection(name).await;
    }

    pub async fn wait_collection(&self, name: &str) {
        let script = "const [css, name] = arguments; return document.querySelector(css)?.value === name";
        let css = testid("collection-name");
        self.wait(&format!("the collection {name}"), script, &[json!(css), json!(name)])
            .await;
    }

    /// The fields of the documents in sight, as paths; those that are left out end with `-`.
    pub async fn fields(&self) -> Vec<String> {
        let script = "return [...document.querySelectorAll('[role=row][data-path]')]
            .map(e => e.dataset.path + (e.classList.contains('gw-outline__row--hidden') ? '-' : ''))";
        serde_json::from_value(self.browser.run(script, &[]).await).expect("paths")
    }

    pub async fn wait_field(&self, path: &str) {
        let is_there = async || self.fields().await.iter().any(|own| own == path).then_some(());
        wait_for(&format!("the field {path}"), SOON, is_there).await;
    }

    /// Renames a field with the keyboard alone.
    pub async fn rename(&self, path: &str, name: &str) {
        self.press_on(path, "F2").await;
        // The old name is selected: what is typed takes its place. To clear it would leave the input, and so rename.
        let is_selected = async || {
            let script = "const e = document.querySelector(arguments[0]);
                return e !== null && e === document.activeElement && e.selectionEnd - e.selectionStart === e.value.length";
            let selected = self.browser.run(script, &[json!(testid("rename-input"))]).await;
            (selected == json!(true)).then_some(())
        };
        wait_for("the old name is selected", SOON, is_selected).await;
        let input = self.browser.find(&testid("rename-input")).await;
        input.send_keys(name).await.expect("a name is typed");
        self.key(&testid("rename-input"), "Enter").await;
    }

    /// Presses a key on a line of the documents.
    pub async fn press_on(&self, path: &str, key: &str) {
        self.wait_field(path.trim_end_matches('-')).await;
        self.key(&format!("[role=row][data-path='{path}']"), key).await;
    }

    async fn key(&self, css: &str, key: &str) {
        let script = "const [css, key] = arguments; const e = document.querySelector(css); e.focus();
            e.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true, cancelable: true}))";
        self.browser.run(script, &[json!(css), json!(key)]).await;
    }

    /// Whether everything is stored.
    pub async fn wait_saved(&self) {
        wait_text(self.browser, &testid("saving"), "a save", SOON, |text| text == "Saved").await;
    }

    /// Drags with the pointer from the middle of one element to that of another.
    pub async fn drag(&self, from: &str, to: &str) {
        let (from, to) = (self.middle(from).await, self.middle(to).await);
        let step = |(x, y): (f64, f64)| PointerAction::MoveTo {
            duration: Some(Duration::from_millis(50)),
            x,
            y,
        };
        let half = ((from.0 + to.0) / 2.0, (from.1 + to.1) / 2.0);
        let actions = MouseActions::new("mouse".into())
            .then(step(from))
            .then(PointerAction::Down { button: 0 })
            .then(step(half))
            .then(step(to))
            .then(step(to))
            .then(PointerAction::Up { button: 0 });
        self.browser.client.perform_actions(actions).await.expect("a drag");
    }

    async fn middle(&self, css: &str) -> (f64, f64) {
        self.browser.find(css).await;
        let found = self.browser.run(MIDDLE, &[json!(css)]).await;
        serde_json::from_value(found).expect("a place")
    }

    /// Chooses what a table becomes.
    pub async fn take_offer(&self, part: &str) {
        let script = "const o = [...document.querySelectorAll('[data-testid=offer]')].find(e => e.innerText.includes(arguments[0]));
            if (!o) return false; o.click(); return true";
        self.wait(&format!("the offer {part}"), script, &[json!(part)]).await;
    }

    async fn wait(&self, what: &str, script: &str, arguments: &[Value]) {
        let is_so = async || (self.browser.run(script, arguments).await == true).then_some(());
        wait_for(what, SOON, is_so).await;
    }

    /// *Connect the source* and its drawer.
    pub async fn connect(&self, source: &Database, password: &str) {
        super::fill_source(self.browser, source, password).await;
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
