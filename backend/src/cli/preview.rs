//! `godwit preview`: documents as a job would write them. Nothing is written.

use super::exit::{Exit, Failure};
use super::output::Output;
use super::project_file::{self, project_id};
use super::secrets;
use crate::config::SourceArgs;
use crate::drafts;
use clap::Args;
use godwit_shared::draft::Pick;
use indexmap::IndexMap;
use serde_json::json;
use std::path::PathBuf;

pub const EXAMPLES: &str = "Examples:
  godwit preview shop.relmig --source sqlite:shop.db --collection customers
  godwit preview shop.relmig --source sqlite:shop.db --key id=17
  godwit preview shop.relmig --source sqlite:shop.db --search miller --limit 10";

const LIMIT_MAX: i64 = 100;

#[derive(Args)]
pub struct Preview {
    /// The project: a .relmig file, or the same as text (.yaml); - is standard input
    file: PathBuf,
    #[command(flatten)]
    source: SourceArgs,
    /// The collection, by name; without it all, one after the other
    #[arg(long, value_name = "NAME")]
    collection: Option<String>,
    /// How many documents of each, at most 100
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=LIMIT_MAX))]
    limit: u32,
    /// The document of the row with this primary key: column=value, once for each of its columns
    #[arg(long, value_name = "COLUMN=VALUE", conflicts_with = "search")]
    key: Vec<String>,
    /// Documents of rows with a value that holds this text
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
}

impl Preview {
    fn pick(&self) -> Result<Pick, Failure> {
        if let Some(text) = &self.search {
            return Ok(Pick::Search {
                text: text.clone(),
                limit: self.limit,
            });
        }
        if self.key.is_empty() {
            return Ok(Pick::First { limit: self.limit });
        }
        let parts = self.key.iter().map(|part| match part.split_once('=') {
            Some((column, value)) => Ok((column.to_owned(), value.to_owned())),
            None => Err(Failure::usage(format!("--key {part}: write column=value"))),
        });
        Ok(Pick::Key {
            key: parts.collect::<Result<IndexMap<_, _>, _>>()?,
        })
    }
}

pub async fn run(asked: Preview, output: &Output) -> Result<Exit, Failure> {
    let file = project_file::read(&asked.file)?;
    let pick = asked.pick()?;
    let content = &file.project.content;
    let wanted: Vec<_> = (content.collections.iter())
        .filter(|(_, c)| asked.collection.as_ref().is_none_or(|name| c.name == *name))
        .collect();
    if wanted.is_empty() {
        let names: Vec<&str> = content.collections.values().map(|c| c.name.as_str()).collect();
        return Err(Failure::usage(match &asked.collection {
            Some(name) => format!("the project has no collection {name}"),
            None => "the project has no collection".to_owned(),
        })
        .with_hint(format!("It has {}.", names.join(", "))));
    }
    let source = secrets::source(&asked.source)?;
    let opened = drafts::open(&source, &file.project.kind).await?;
    let mut exit = Exit::Done;
    for (id, collection) in wanted {
        let shown = drafts::preview::preview(&opened, &file, project_id(&file).as_str(), id, &pick).await?;
        output.text(format!("# {}", collection.name));
        for document in &shown.documents {
            output.json(&json!({"collection": collection.name, "document": document.document, "size": document.size}));
            output.text(serde_json::to_string_pretty(&document.document).unwrap_or_default());
        }
        for issue in &shown.issues {
            output.json(&json!({"collection": collection.name, "issue": issue}));
            output.text(format!("! {}", issue.message));
        }
        for fault in &shown.faults {
            exit = Exit::NotReady;
            output.json(&json!({"collection": collection.name, "fault": fault.message}));
            output.text(format!("! {}", fault.message));
        }
    }
    Ok(exit)
}
