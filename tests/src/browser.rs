//! A headless Chromium driven over WebDriver; nothing of it outlives its test.

use crate::process::{self, free_port, scratch, tail};
use base64::prelude::{BASE64_STANDARD, Engine};
use fantoccini::elements::Element;
use fantoccini::error::{CmdError, ErrorStatus, NewSessionError};
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper::Method;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use url::Url;

/// Time enough for anything on a page on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// One browser window with a fresh profile. Everything else that fantoccini can do: through `client`.
pub struct Browser {
    pub client: Client,
    // Dropped after the client.
    processes: Processes,
}

/// The driver and, found by their profile, the browser's own processes.
struct Processes {
    driver: Child,
    profile: tempfile::TempDir,
}

impl Browser {
    /// Opens a window of 1400 x 1000.
    pub async fn start() -> Browser {
        let port = free_port();
        let log = scratch().join(format!("chromedriver-{port}.log"));
        let mut command = Command::new("chromedriver");
        command
            .arg(format!("--port={port}"))
            .stdin(Stdio::null())
            .stderr(Stdio::null());
        command.stdout(std::fs::File::create(&log).expect("a log file"));
        let processes = Processes {
            profile: tempfile::tempdir_in(scratch()).expect("a folder for the profile"),
            driver: process::spawn(command, libc::SIGTERM).expect("chromedriver starts: `make test` installs it"),
        };
        let deadline = Instant::now() + PATIENCE;
        loop {
            match session(port, processes.profile.path()).await {
                Ok(client) => {
                    return Browser { client, processes };
                }
                Err(error) => assert!(Instant::now() < deadline, "no browser: {error}\n{}", tail(&log)),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub async fn open(&self, url: &str) {
        self.client
            .goto(url)
            .await
            .unwrap_or_else(|e| panic!("cannot open {url}: {e}"));
    }

    /// The element, once it is there.
    pub async fn find(&self, css: &str) -> Element {
        let found = self
            .client
            .wait()
            .at_most(PATIENCE)
            .for_element(Locator::Css(css))
            .await;
        match found {
            Ok(element) => element,
            Err(error) => panic!("no {css}: {error}\n{}", self.text().await),
        }
    }

    /// The innermost element with exactly this text, once it is there: buttons, links, headings.
    pub async fn find_text(&self, text: &str) -> Element {
        assert!(!text.contains('"'), "XPath knows no escapes");
        let path = format!("//*[normalize-space(.)=\"{text}\" and not(*[normalize-space(.)=\"{text}\"])]");
        let found = self
            .client
            .wait()
            .at_most(PATIENCE)
            .for_element(Locator::XPath(&path))
            .await;
        match found {
            Ok(element) => element,
            Err(error) => panic!("no element with the text {text:?}: {error}\n{}", self.text().await),
        }
    }

    pub async fn click(&self, css: &str) {
        click_one(css, async || self.find(css).await).await;
    }

    pub async fn click_text(&self, text: &str) {
        click_one(text, async || self.find_text(text).await).await;
    }

    /// Replaces what an input holds.
    pub async fn fill(&self, css: &str, text: &str) {
        let element = self.find(css).await;
        element
            .clear()
            .await
            .unwrap_or_else(|e| panic!("cannot clear {css}: {e}"));
        element
            .send_keys(text)
            .await
            .unwrap_or_else(|e| panic!("cannot type into {css}: {e}"));
    }

    /// What each element shows, a line each; read at one moment, as the page may draw itself again at any time.
    pub async fn texts(&self, css: &str) -> Vec<String> {
        let script = "return Array.from(document.querySelectorAll(arguments[0]), e => e.innerText.trim())";
        let found: Vec<String> = serde_json::from_value(self.run(script, &[json!(css)]).await).expect("texts");
        let line = |text: String| {
            text.split('\n')
                .filter(|part| !part.is_empty())
                .collect::<Vec<_>>()
                .join(" ")
        };
        found.into_iter().map(line).collect()
    }

    /// Attributes of each element, read at one moment.
    pub async fn attributes<const N: usize>(&self, css: &str, names: [&str; N]) -> Vec<[String; N]> {
        let script = "return Array.from(document.querySelectorAll(arguments[0]), \
                      e => arguments[1].map(name => e.getAttribute(name) ?? ''))";
        let found: Vec<Vec<String>> =
            serde_json::from_value(self.run(script, &[json!(css), json!(names.as_slice())]).await).expect("attributes");
        found
            .into_iter()
            .map(|all| all.try_into().expect("one per name"))
            .collect()
    }

    /// Everything that the page shows as text.
    pub async fn text(&self) -> String {
        let body = self.client.find(Locator::Css("body")).await;
        match body {
            Ok(body) => body.text().await.unwrap_or_default(),
            Err(_) => String::new(),
        }
    }

    /// Waits until the page's text fulfils a condition; that text.
    pub async fn wait_text(&self, what: &str, timeout: Duration, condition: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + timeout;
        loop {
            let text = self.text().await;
            if condition(&text) {
                return text;
            }
            assert!(
                Instant::now() < deadline,
                "waited {timeout:?} for {what}; the page shows:\n{text}"
            );
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    /// Runs a script in the page; its result.
    pub async fn run(&self, script: &str, arguments: &[Value]) -> Value {
        let result = self.client.execute(script, arguments.to_vec()).await;
        result.unwrap_or_else(|e| panic!("the script fails: {e}\n{script}"))
    }

    pub async fn resize(&self, width: u32, height: u32) {
        let resized = self.client.set_window_size(width, height).await;
        resized.unwrap_or_else(|e| panic!("the window cannot be {width} x {height}: {e}"));
    }

    /// A command of the browser's own protocol (<https://chromedevtools.github.io/devtools-protocol/>); its result.
    pub async fn devtools(&self, command: &str, parameters: Value) -> Value {
        let asked = Devtools(json!({"cmd": command, "params": parameters}));
        let result = self.client.issue_cmd(asked).await;
        result.unwrap_or_else(|e| panic!("{command} is refused: {e}"))
    }

    /// Shows the page as in a window of this size, which may be smaller than any window can be; with the scale of a page
    /// that was enlarged by its user. `resize` alone does not end it, [`Browser::stop_emulating`] does.
    pub async fn emulate(&self, width: u32, height: u32, scale: f64) {
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": scale, "mobile": false});
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    /// Shows the page as the window is.
    pub async fn stop_emulating(&self) {
        self.devtools("Emulation.clearDeviceMetricsOverride", json!({})).await;
    }

    /// The page as it is printed.
    pub async fn pdf(&self) -> Vec<u8> {
        let paper = json!({"printBackground": true, "paperWidth": 8.27, "paperHeight": 11.69});
        let printed = self.devtools("Page.printToPDF", paper).await;
        let text = printed["data"].as_str().expect("a file");
        BASE64_STANDARD.decode(text).expect("base64")
    }

    /// Presses the mouse at a point of the window, moves it to another one and lets it go there.
    pub async fn drag(&self, from: (f64, f64), to: (f64, f64)) {
        let event = async |kind: &str, (x, y): (f64, f64), buttons: u8| {
            let button = if kind == "mouseMoved" && buttons == 0 {
                "none"
            } else {
                "left"
            };
            let event = json!({"type": kind, "x": x, "y": y, "button": button, "buttons": buttons, "clickCount": 1});
            self.devtools("Input.dispatchMouseEvent", event).await;
        };
        event("mouseMoved", from, 0).await;
        event("mousePressed", from, 1).await;
        for step in 1..=4 {
            let share = f64::from(step) / 4.0;
            let place = (from.0 + (to.0 - from.0) * share, from.1 + (to.1 - from.1) * share);
            event("mouseMoved", place, 1).await;
        }
        event("mouseReleased", to, 0).await;
    }

    /// Processor time that the browser has had so far with all that belongs to it, in seconds.
    pub fn cpu_seconds(&self) -> f64 {
        process::cpu_seconds_of_tree(self.processes.driver.id())
    }

    /// A picture of the window.
    pub async fn screenshot(&self, file: &Path) -> Result<(), CmdError> {
        std::fs::write(file, self.client.screenshot().await?).expect("the picture can be written");
        Ok(())
    }
}

/// A command that chromedriver hands on.
#[derive(Debug)]
struct Devtools(Value);

impl WebDriverCompatibleCommand for Devtools {
    fn endpoint(&self, base_url: &Url, session_id: Option<&str>) -> Result<Url, url::ParseError> {
        base_url.join(&format!("session/{}/goog/cdp/execute", session_id.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.0.to_string()))
    }
}

/// Clicks an element; finds it again where the page has drawn itself anew in between.
async fn click_one(what: &str, find: impl AsyncFn() -> Element) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match find().await.click().await {
            Ok(()) => return,
            Err(CmdError::Standard(e))
                if e.error == ErrorStatus::StaleElementReference && Instant::now() < deadline => {}
            Err(error) => panic!("cannot click {what:?}: {error}"),
        }
    }
}

async fn session(port: u16, profile: &Path) -> Result<Client, NewSessionError> {
    let options = json!({"goog:chromeOptions": {"args": [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-dev-shm-usage",
        "--window-size=1400,1000",
        format!("--user-data-dir={}", profile.display()),
    ]}});
    let capabilities = options.as_object().expect("an object").clone();
    let mut builder = ClientBuilder::new(HttpConnector::new());
    builder.capabilities(capabilities);
    builder.connect(&format!("http://127.0.0.1:{port}")).await
}

impl Drop for Processes {
    fn drop(&mut self) {
        let _ = self.driver.kill();
        let _ = self.driver.wait();
        process::end_browsers(self.profile.path());
    }
}
