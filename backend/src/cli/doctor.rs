//! `godwit doctor`: whether everything that commands need is there.

use super::exit::{Exit, Failure, word};
use super::output::{Output, member};
use super::remote::Remote;
use super::secrets;
use crate::config::{ServerArgs, SourceArgs, TargetArgs};
use crate::drafts;
use crate::jobs::prepare::PATIENCE;
use crate::sink::check_connection;
use crate::source::source_of;
use crate::store::LocalMongod;
use clap::Args;
use godwit_shared::API_BASE;
use godwit_shared::preflight::CheckStatus;
use hyper::Method;
use serde_json::{Value, json};
use std::time::Duration;

pub const EXAMPLES: &str = "Examples:
  godwit doctor
  godwit doctor --source postgresql://reader@db/shop --target mongodb://mongo/shop
  godwit doctor --server https://godwit.example --output json

Exit codes: 3 when something is missing, 4 when a server does not answer.";

const ANSWER_MAX: Duration = Duration::from_secs(5);

#[derive(Args)]
pub struct Doctor {
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    server: ServerArgs,
    /// Ask the server even where it is only the usual one
    #[arg(long)]
    with_server: bool,
}

struct Looks<'o> {
    output: &'o Output,
    exit: Exit,
}

impl Looks<'_> {
    fn tell(&mut self, what: &str, status: CheckStatus, message: &str, hint: Option<&str>) {
        self.output
            .json(&json!({"event": "look", "what": what, "status": status, "message": message, "hint": hint}));
        self.output
            .text(format!("{:<8} {what}: {message}", word(&status).to_lowercase()));
        if let Some(hint) = hint {
            self.output.text(format!("         {hint}"));
        }
    }

    fn fail(&mut self, what: &str, failure: &Failure) {
        self.exit = failure.exit;
        self.tell(what, CheckStatus::Failed, &failure.message, failure.hint.as_deref());
    }
}

pub async fn run(asked: Doctor, output: &Output) -> Result<Exit, Failure> {
    let mut looks = Looks {
        output,
        exit: Exit::Done,
    };
    looks.tell(
        "godwit",
        CheckStatus::Passed,
        concat!("version ", env!("CARGO_PKG_VERSION")),
        None,
    );
    match LocalMongod::program() {
        Some(path) => {
            let message = format!("{}, {}", path.display(), version_of(&path).await);
            looks.tell("mongod", CheckStatus::Passed, &message, None);
        }
        None => looks.tell(
            "mongod",
            CheckStatus::Warning,
            "there is none in the PATH: migrate and verify cannot keep their state beside the project",
            Some("Install it, or use --store-uri or --store-in-target."),
        ),
    }
    settings(&mut looks);
    if asked.source.source.is_some() {
        source(&asked, &mut looks).await;
    }
    if asked.target.target.is_some() {
        let tried = async { Ok::<_, Failure>(check_connection(&secrets::target(&asked.target)?).await?) };
        match tried.await {
            Ok(found) => {
                let message = format!("{}: {}, {}", found.message, found.version, found.topology);
                looks.tell("destination", CheckStatus::Passed, &message, None);
            }
            Err(failure) => looks.fail("destination", &failure),
        }
    }
    let is_named = asked.server.server != ServerArgs::USUAL || asked.with_server;
    if is_named {
        match Box::pin(server(&asked.server)).await {
            Ok(info) => {
                let message = format!(
                    "{} answers, version {}",
                    asked.server.server,
                    member(&info, "/build/version")
                );
                looks.tell("server", CheckStatus::Passed, &message, None);
            }
            Err(failure) => looks.fail("server", &failure),
        }
    }
    let exit = looks.exit;
    output.json(&json!({"event": "ended", "exitCode": exit.code()}));
    Ok(exit)
}

/// Which settings come from the environment: their names, never their values.
fn settings(looks: &mut Looks<'_>) {
    let names: Vec<String> = (std::env::vars_os())
        .filter_map(|(name, _)| name.into_string().ok())
        .filter(|name| name.starts_with("GODWIT_"))
        .collect();
    let message = match names.is_empty() {
        true => "no variable GODWIT_… is set".to_owned(),
        false => format!("from the environment: {}", names.join(", ")),
    };
    looks.tell("settings", CheckStatus::Passed, &message, None);
}

async fn version_of(program: &std::path::Path) -> String {
    let asked = tokio::process::Command::new(program)
        .arg("--version")
        .kill_on_drop(true)
        .output();
    let answer = tokio::time::timeout(ANSWER_MAX, asked).await;
    let text = answer
        .ok()
        .and_then(Result::ok)
        .map(|o| String::from_utf8_lossy(&o.stdout).into_owned());
    let line = text
        .as_deref()
        .and_then(|t| t.lines().next())
        .unwrap_or("which does not tell its version");
    line.to_owned()
}

async fn source(asked: &Doctor, looks: &mut Looks<'_>) {
    let tried = async {
        let details = secrets::source(&asked.source)?;
        let source = source_of(&details, Some(PATIENCE))?;
        let found = source.test().await?;
        let kind = source.kind();
        let opened = drafts::open(&details, kind.code()).await?;
        let version = opened.session.check_version().await?;
        Ok::<_, Failure>((found, opened, version, kind, source.change_log().is_some()))
    };
    match Box::pin(tried).await {
        Ok((found, opened, version, kind, follows)) => {
            let message = format!("{}: {}, {}", found.message, found.version, found.topology);
            looks.tell("source", version.status, &message, None);
            let all = opened.catalog.tables.len();
            let unreadable = opened.catalog.tables.values().filter(|t| !t.can_select).count();
            let hidden = opened.catalog.tables.values().filter(|t| t.has_row_security).count();
            let status = if unreadable + hidden > 0 {
                CheckStatus::Warning
            } else {
                CheckStatus::Passed
            };
            let message =
                format!("{all} tables, {unreadable} of them may not be read, {hidden} hide rows from this user");
            looks.tell("rights", status, &message, None);
            let changes = match follows {
                true => "can be followed; `godwit check FILE --continuous` says whether the source is ready",
                false => "cannot be followed by this version",
            };
            looks.tell(
                "changes",
                CheckStatus::Passed,
                &format!("those of {} {changes}", kind.name()),
                None,
            );
        }
        Err(failure) => looks.fail("source", &failure),
    }
}

async fn server(args: &ServerArgs) -> Result<Value, Failure> {
    let (status, bytes) = Remote::of(args)?
        .ask(Method::GET, &format!("{API_BASE}/info"), None)
        .await?;
    match status.is_success() {
        true => Ok(serde_json::from_slice(&bytes).unwrap_or_default()),
        false => Err(Failure::new(
            Exit::Unreachable,
            "answer",
            format!("it answers with {status}"),
        )),
    }
}
