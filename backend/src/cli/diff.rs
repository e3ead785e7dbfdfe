//! `godwit diff`: two projects, or a project and the schema of its source.

use super::exit::{Exit, Failure};
use super::output::Output;
use super::project_file;
use super::{schema, secrets};
use crate::config::SourceArgs;
use clap::Args;
use godwit_shared::edit::Draft;
use godwit_shared::edit::differences::between;
use godwit_shared::edit::schema::changes;
use godwit_shared::relmig::ProjectFile;
use serde_json::json;
use std::path::PathBuf;

pub const EXAMPLES: &str = "Examples:
  godwit diff old.relmig new.yaml
  godwit diff shop.relmig --source postgresql://reader@db/shop     what has changed in the source since

Exit code 5: they differ.";

#[derive(Args)]
pub struct Diff {
    /// The project: a .relmig file, or the same as text (.yaml)
    before: PathBuf,
    /// The other project; without it the schema of the source is compared
    after: Option<PathBuf>,
    #[command(flatten)]
    source: SourceArgs,
}

fn draft_of(file: ProjectFile) -> Draft {
    Draft {
        name: file.project.name,
        content: file.project.content,
        model: file.schema.full,
        revision: 0,
    }
}

pub async fn run(asked: Diff, output: &Output) -> Result<Exit, Failure> {
    let before = draft_of(project_file::read(&asked.before)?);
    let mut found = Vec::new();
    match &asked.after {
        Some(after) => {
            let after = draft_of(project_file::read(after)?);
            for difference in between(&before, &after) {
                found.push((
                    difference.words.clone(),
                    json!({"event": "difference", "words": difference.words, "place": difference.place}),
                ));
            }
            for change in changes(&before, &after.model) {
                found.push((
                    change.words.clone(),
                    json!({"event": "schemaDifference", "change": change}),
                ));
            }
        }
        None => {
            let source = secrets::source(&asked.source).map_err(|failure| {
                failure.with_hint("Name a second project, or the source with --source or in GODWIT_SOURCE.")
            })?;
            let (full, _) = schema::read(&source).await?;
            for change in changes(&before, &full) {
                found.push((
                    change.words.clone(),
                    json!({"event": "schemaDifference", "change": change}),
                ));
            }
        }
    }
    for (words, event) in &found {
        output.text(words);
        output.json(event);
    }
    let exit = if found.is_empty() { Exit::Done } else { Exit::Different };
    output.json(&json!({"event": "ended", "differences": found.len(), "exitCode": exit.code()}));
    if found.is_empty() {
        output.text("No differences.");
    }
    Ok(exit)
}
