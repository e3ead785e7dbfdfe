//! `godwit projects`: projects of a running server.

use super::ask::{Api, encoded};
use super::exit::{Exit, Failure};
use super::output::Output;
use super::remote::Remote;
use crate::config::ServerArgs;
use clap::{Args, Subcommand};
use godwit_shared::project::{ProjectCollection, ProjectSummary};
use serde_json::json;

#[derive(Args)]
pub struct Projects {
    #[command(subcommand)]
    command: ProjectsCommand,
}

#[derive(Subcommand)]
enum ProjectsCommand {
    /// List projects, the one that was changed last first
    List {
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Show a project: its collections and the tables that feed them
    Show {
        #[command(flatten)]
        named: Named,
    },
    /// Delete a project and the history of its jobs. Documents in MongoDB stay
    Delete {
        #[command(flatten)]
        named: Named,
        /// Do it without being asked
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Args)]
struct Named {
    /// The project: its id or its name
    project: String,
    #[command(flatten)]
    server: ServerArgs,
}

/// A project by its id or its name.
///
/// # Errors
/// When there is none.
pub async fn find(api: &Api, named: &str) -> Result<ProjectSummary, Failure> {
    let all: Vec<ProjectSummary> = api.get("/project").await?;
    let mut found = all.into_iter().filter(|p| p.id.as_str() == named || p.name == named);
    found.next().ok_or_else(|| {
        Failure::new(Exit::Usage, "not_found", format!("the server has no project {named}"))
            .with_hint("`godwit projects list` shows them.")
    })
}

pub async fn run(asked: Projects, output: &Output) -> Result<Exit, Failure> {
    match asked.command {
        ProjectsCommand::List { server } => {
            let api = Api::Remote(Remote::of(&server)?);
            let all: Vec<ProjectSummary> = api.get("/project").await?;
            all.iter().for_each(|project| output.json(project));
            let row = |p: &ProjectSummary| {
                let changed = p.last_modified.format("%Y-%m-%d %H:%M UTC").to_string();
                vec![p.id.to_string(), p.name.clone(), p.kind.clone(), changed]
            };
            output.table(
                &["id", "name", "type", "changed"],
                &all.iter().map(row).collect::<Vec<_>>(),
            );
        }
        ProjectsCommand::Show { named } => {
            let api = Api::Remote(Remote::of(&named.server)?);
            let project = find(&api, &named.project).await?;
            let path = format!("/project/{}/collections", encoded(project.id.as_str()));
            let collections: Vec<ProjectCollection> = api.get(&path).await?;
            output.json(&json!({"project": project, "collections": collections}));
            output.text(format!("{}  {}  {}", project.id, project.name, project.kind));
            let row = |c: &ProjectCollection| vec![c.name.clone(), c.tables.join(", ")];
            output.table(
                &["collection", "tables"],
                &collections.iter().map(row).collect::<Vec<_>>(),
            );
        }
        ProjectsCommand::Delete { named, yes } => {
            if !yes {
                return Err(Failure::usage("a project is deleted with the history of its jobs")
                    .with_hint("Say --yes if that is what you want."));
            }
            let api = Api::Remote(Remote::of(&named.server)?);
            let project = find(&api, &named.project).await?;
            api.delete(&format!("/project/{}", encoded(project.id.as_str())))
                .await?;
            output.json(&json!({"event": "deleted", "project": project.id}));
            output.text(format!("{} deleted", project.name));
        }
    }
    Ok(Exit::Done)
}
