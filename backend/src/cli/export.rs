//! `godwit export` and `godwit import`: project files out of and into a running server.

use super::ask::{Api, encoded};
use super::exit::{Exit, Failure};
use super::output::Output;
use super::project_file::{self, Form};
use super::projects::find;
use super::remote::Remote;
use crate::config::ServerArgs;
use clap::Args;
use godwit_shared::project::ProjectSummary;
use godwit_shared::relmig::ProjectFile;
use serde_json::Value;
use std::path::PathBuf;

#[derive(Args)]
pub struct Export {
    /// The project: its id or its name
    project: String,
    /// The file to write: .relmig or .yaml; without it standard output
    file: Option<PathBuf>,
    #[command(flatten)]
    server: ServerArgs,
    /// Replace the file if it is there
    #[arg(long)]
    force: bool,
}

#[derive(Args)]
pub struct Import {
    /// The project file: .relmig or .yaml; - is standard input
    file: PathBuf,
    #[command(flatten)]
    server: ServerArgs,
    /// The file is somebody else's: nothing of the SQL and JavaScript in it runs before somebody has agreed to it in the page
    #[arg(long)]
    ask: bool,
}

pub async fn export(asked: Export, output: &Output) -> Result<Exit, Failure> {
    let api = Api::Remote(Remote::of(&asked.server)?);
    let project = find(&api, &asked.project).await?;
    let value: Value = api
        .get(&format!("/project/{}/export", encoded(project.id.as_str())))
        .await?;
    let file = ProjectFile::from_value(value)?;
    match asked.file.filter(|file| file.as_os_str() != "-") {
        None => output.raw(&project_file::written(&file, Form::Relmig, true)?),
        Some(path) => {
            project_file::write(
                &path,
                &project_file::written(&file, Form::of(&path), true)?,
                asked.force,
            )?;
            output.json(&serde_json::json!({"event": "written", "file": path, "project": project.id}));
            output.text(format!("{} written", path.display()));
        }
    }
    Ok(Exit::Done)
}

pub async fn import(asked: Import, output: &Output) -> Result<Exit, Failure> {
    let file = project_file::read(&asked.file)?;
    let api = Api::Remote(Remote::of(&asked.server)?);
    let made = put(&api, &file, asked.ask).await?;
    output.json(&made);
    output.text(format!("{}  {}", made.id, made.name));
    Ok(Exit::Done)
}

/// Makes a project of a file.
///
/// # Errors
/// When the server refuses it.
pub async fn put(api: &Api, file: &ProjectFile, asks: bool) -> Result<ProjectSummary, Failure> {
    let query = if asks { "?consent=ask" } else { "" };
    api.post(&format!("/project/import{query}"), &file.to_exported_value())
        .await
}
