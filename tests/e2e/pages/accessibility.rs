//! What assistive technology finds on a page, judged by axe-core.

use godwit_tests::browser::Browser;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

const VERSION: &str = "4.10.3";

/// Both themes: colours differ, everything else is the same page. Nothing may be on its way between two colours.
const RUN: &str = r#"
const done = arguments[arguments.length - 1];
// Not a style element: the page's own policy of content forbids those.
const still = new CSSStyleSheet();
still.replaceSync('*, *::before, *::after { transition: none !important; animation: none !important; }');
document.adoptedStyleSheets = [...document.adoptedStyleSheets, still];
const root = document.documentElement, theme = root.getAttribute('data-theme');
const problems = async (name, options) => {
  root.setAttribute('data-theme', name);
  const { violations } = await axe.run(document, { resultTypes: ['violations'], ...options });
  const places = rule => rule.nodes.slice(0, 5).map(node => node.target.join(' ') + '\n' + node.failureSummary).join('\n');
  return violations.map(rule => `${rule.id} (${name}): ${rule.help}\n${places(rule)}`);
};
(async () => {
  try {
    const colours = { runOnly: ['color-contrast'] };
    return [...await problems('light', {}), ...await problems('dark', colours)];
  } catch (error) {
    return ['axe did not run: ' + error];
  } finally {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter(sheet => sheet !== still);
    theme === null ? root.removeAttribute('data-theme') : root.setAttribute('data-theme', theme);
  }
})().then(done);
"#;

/// Fails when axe finds something wrong with what the page shows now.
pub async fn check(browser: &Browser, name: &str) {
    let client = &browser.client;
    let is_loaded = client.execute("return typeof axe === 'object'", vec![]).await;
    if is_loaded.expect("a script runs") != true {
        client.execute(axe(), vec![]).await.expect("axe can be loaded");
    }
    let found = client.execute_async(RUN, vec![]).await.expect("axe runs");
    let found: Vec<&str> = found
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert!(found.is_empty(), "{name} is not accessible:\n{}", found.join("\n\n"));
}

/// The text of axe-core, fetched with npm at the first run on a machine.
fn axe() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| {
        let file = cache().join(format!("axe-core-{VERSION}.min.js"));
        if !file.is_file() {
            fetch(&file);
        }
        std::fs::read_to_string(&file).expect("the text of axe-core")
    })
}

/// Where `make` keeps what it fetches.
fn cache() -> PathBuf {
    let of = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let home = || of("HOME").expect("a home").join(".cache");
    of("GODWIT_CACHE").unwrap_or_else(|| of("XDG_CACHE_HOME").unwrap_or_else(home).join("godwit"))
}

fn fetch(file: &Path) {
    let folder = tempfile::tempdir().expect("a folder");
    let run = |command: &mut Command| {
        let what = format!("{command:?}");
        let done = command.current_dir(folder.path()).output();
        let done = done.unwrap_or_else(|e| panic!("{what}: {e}; the checks of accessibility need npm and tar"));
        assert!(
            done.status.success(),
            "{what}: {}",
            String::from_utf8_lossy(&done.stderr)
        );
    };
    run(Command::new("npm").args(["pack", "--silent", &format!("axe-core@{VERSION}")]));
    run(Command::new("tar").args(["xzf", &format!("axe-core-{VERSION}.tgz"), "package/axe.min.js"]));
    std::fs::create_dir_all(cache()).expect("the cache");
    // Whole or not at all, whoever else fetches it now.
    let part = file.with_extension(format!("part-{}", std::process::id()));
    std::fs::copy(folder.path().join("package/axe.min.js"), &part).expect("the text of axe-core");
    std::fs::rename(&part, file).expect("the text of axe-core");
}
