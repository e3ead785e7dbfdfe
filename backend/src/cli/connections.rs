//! `godwit connections`: saved connections of a running server, and whether one can be had.

use super::ask::{Api, encoded};
use super::exit::{Exit, Failure};
use super::output::Output;
use super::remote::Remote;
use super::secrets;
use crate::config::{ServerArgs, SourceArgs, TargetArgs};
use clap::{Args, Subcommand};
use godwit_shared::connection::{
    ConnectivityResult, SaveJdbcConnection, SaveMongodbConnection, SavedJdbcConnection, SavedMongodbConnection,
};
use serde_json::json;

pub const EXAMPLES: &str = "Examples:
  godwit connections list
  GODWIT_SOURCE_PASSWORD=… godwit connections add shop --source postgresql://reader@db/shop --save-password
  godwit connections test --target mongodb://mongo/shop";

#[derive(Args)]
pub struct Connections {
    #[command(subcommand)]
    command: ConnectionsCommand,
}

#[derive(Subcommand)]
enum ConnectionsCommand {
    /// List saved connections, without their passwords
    List {
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Save a connection to a source or to a destination
    Add(Box<Add>),
    /// Let the server try a source, a destination, or both
    Test(Box<Test>),
    /// Delete a saved connection
    Delete {
        /// The connection: its id or its name
        connection: String,
        #[command(flatten)]
        server: ServerArgs,
    },
}

#[derive(Args)]
struct Add {
    /// What to call it
    name: String,
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    server: ServerArgs,
    /// Keep the password, encrypted, with the connection
    #[arg(long)]
    save_password: bool,
}

#[derive(Args)]
struct Test {
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    server: ServerArgs,
}

pub async fn run(asked: Connections, output: &Output) -> Result<Exit, Failure> {
    match asked.command {
        ConnectionsCommand::List { server } => list(&Api::Remote(Remote::of(&server)?), output).await?,
        ConnectionsCommand::Add(add) => save(*add, output).await?,
        ConnectionsCommand::Test(test) => try_out(*test, output).await?,
        ConnectionsCommand::Delete { connection, server } => {
            let api = Api::Remote(Remote::of(&server)?);
            let sources: Vec<SavedJdbcConnection> = api.get("/connections/jdbc").await?;
            let targets: Vec<SavedMongodbConnection> = api.get("/connections/mongodb").await?;
            let sources = sources.into_iter().map(|c| ("jdbc", c.id, c.name));
            let all = sources.chain(targets.into_iter().map(|c| ("mongodb", c.id, c.name)));
            let found: Vec<_> = all
                .filter(|(_, id, name)| id.as_str() == connection || *name == connection)
                .collect();
            match found.as_slice() {
                [(kind, id, name)] => {
                    api.delete(&format!("/connections/{kind}/{}", encoded(id.as_str())))
                        .await?;
                    output.json(&json!({"event": "deleted", "connection": id}));
                    output.text(format!("{name} deleted"));
                }
                [] => {
                    return Err(Failure::new(
                        Exit::Usage,
                        "not_found",
                        format!("the server has no connection {connection}"),
                    ));
                }
                _ => {
                    return Err(Failure::usage(format!(
                        "several connections are called {connection}: name one by its id"
                    )));
                }
            }
        }
    }
    Ok(Exit::Done)
}

async fn list(api: &Api, output: &Output) -> Result<(), Failure> {
    let sources: Vec<SavedJdbcConnection> = api.get("/connections/jdbc").await?;
    let targets: Vec<SavedMongodbConnection> = api.get("/connections/mongodb").await?;
    let mut rows = Vec::new();
    for source in &sources {
        output.json(&json!({"kind": "source", "connection": source}));
        rows.push(vec![
            source.id.to_string(),
            source.name.clone(),
            source.kind.clone(),
            source.url.clone(),
        ]);
    }
    for target in &targets {
        output.json(&json!({"kind": "target", "connection": target}));
        rows.push(vec![
            target.id.to_string(),
            target.name.clone(),
            "MONGODB".into(),
            target.connection_string.clone(),
        ]);
    }
    output.table(&["id", "name", "type", "url"], &rows);
    Ok(())
}

/// A server has files of its own: a SQLite source is named as it lies there.
pub fn of_server(source: &SourceArgs) -> Result<godwit_shared::connection::JdbcConnectionDetails, Failure> {
    let named = source.source.clone().unwrap_or_default();
    let is_file =
        godwit_shared::connection::SourceKind::of_url(&named) == Some(godwit_shared::connection::SourceKind::Sqlite);
    if is_file {
        return Ok(godwit_shared::connection::JdbcConnectionDetails {
            kind: "SQLITE".into(),
            url: named,
            ..Default::default()
        });
    }
    secrets::source(source)
}

async fn save(add: Add, output: &Output) -> Result<(), Failure> {
    let api = Api::Remote(Remote::of(&add.server)?);
    match (add.source.source.is_some(), add.target.target.is_some()) {
        (true, false) => {
            let source = of_server(&add.source)?;
            let body = SaveJdbcConnection {
                id: None,
                name: add.name,
                kind: source.kind,
                url: source.url,
                user: source.user,
                password: source.password,
                save_password: add.save_password,
                environment_tag: Default::default(),
                ssl_root_cert_content: source.ssl_root_cert_content,
            };
            let saved: SavedJdbcConnection = api.post("/connections/jdbc", &body).await?;
            output.json(&json!({"kind": "source", "connection": saved}));
            output.text(format!("{}  {}", saved.id, saved.name));
        }
        (false, true) => {
            let target = secrets::target(&add.target)?;
            let body = SaveMongodbConnection {
                id: None,
                name: add.name,
                connection_string: target.connection_string,
                database: target.database,
                user: target.user,
                password: target.password,
                save_password: add.save_password,
                environment_tag: Default::default(),
                tls_ca_content: target.tls_ca_content,
                tls_certificate_key_content: target.tls_certificate_key_content,
            };
            let saved: SavedMongodbConnection = api.post("/connections/mongodb", &body).await?;
            output.json(&json!({"kind": "target", "connection": saved}));
            output.text(format!("{}  {}", saved.id, saved.name));
        }
        _ => {
            return Err(Failure::usage(
                "a connection is to a source (--source) or to a destination (--target)",
            ));
        }
    }
    Ok(())
}

async fn try_out(test: Test, output: &Output) -> Result<(), Failure> {
    if test.source.source.is_none() && test.target.target.is_none() {
        return Err(Failure::usage(
            "there is nothing to test: name --source, --target, or both",
        ));
    }
    let api = Api::Remote(Remote::of(&test.server)?);
    let say = |kind: &str, result: ConnectivityResult| {
        output.json(&json!({"kind": kind, "result": result}));
        output.text(format!("{} ({}, {})", result.message, result.version, result.topology));
    };
    if test.source.source.is_some() {
        say(
            "source",
            api.post("/connectivity/jdbc", &of_server(&test.source)?).await?,
        );
    }
    if test.target.target.is_some() {
        say(
            "target",
            api.post("/connectivity/mongodb", &secrets::target(&test.target)?)
                .await?,
        );
    }
    Ok(())
}
