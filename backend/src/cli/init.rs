//! `godwit init`: a project from a live source.

use super::exit::{Exit, Failure};
use super::output::Output;
use super::project_file::{self, Form};
use super::schema;
use super::secrets;
use crate::config::SourceArgs;
use crate::drafts;
use crate::store::new_id;
use clap::{Args, ValueEnum};
use godwit_shared::casing::Casing;
use godwit_shared::edit::{Draft, apply};
use godwit_shared::initial::{InitialMapping, content_of};
use godwit_shared::mapping::KeyHandling;
use godwit_shared::project::NAME_LENGTH_MAX;
use godwit_shared::proposal::take;
use godwit_shared::relmig::ProjectFile;
use serde_json::json;
use std::path::PathBuf;

pub const EXAMPLES: &str = "Examples:
  godwit init shop.relmig --source postgresql://reader@db/shop
  godwit init shop.yaml --source sqlite:shop.db --recommended     one file to review and to keep in Git
  godwit init - --source sqlite:shop.db --tables main.customer,main.orders | less

Without --recommended every table becomes a collection of its own. With it, rows are embedded where keys and statistics
speak for it; each decision is printed with its reason.";

#[derive(Args)]
pub struct Init {
    /// The file to write: .relmig, or .yaml for a mapping as text; - is standard output
    file: PathBuf,
    #[command(flatten)]
    source: SourceArgs,
    /// Embed rows where keys and statistics speak for it
    #[arg(long)]
    recommended: bool,
    /// Count all rows for the recommendation, in place of the source's statistics
    #[arg(long, requires = "recommended")]
    exact: bool,
    /// Only these tables, as schema.table
    #[arg(long, value_name = "TABLE", value_delimiter = ',')]
    tables: Vec<String>,
    /// How names of collections and fields are spelled
    #[arg(long, value_enum, default_value = "camel")]
    casing: CasingName,
    /// What becomes the _id of documents
    #[arg(long, value_enum, default_value = "generated")]
    keys: KeyName,
    /// The name of the project; without it that of the file
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Replace the file if it is there
    #[arg(long)]
    force: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum CasingName {
    Camel,
    Title,
    Kebab,
    Snake,
    UpperSnake,
    Original,
}

impl From<CasingName> for Casing {
    fn from(name: CasingName) -> Self {
        match name {
            CasingName::Camel => Casing::CamelCase,
            CasingName::Title => Casing::TitleCase,
            CasingName::Kebab => Casing::KebabCase,
            CasingName::Snake => Casing::SnakeCase,
            CasingName::UpperSnake => Casing::UpperSnakeCase,
            CasingName::Original => Casing::Original,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum KeyName {
    /// An ObjectId, the same for the same row in every run
    Generated,
    /// The primary key's value
    Single,
    /// A document of the primary key's fields
    Wrapped,
}

impl From<KeyName> for KeyHandling {
    fn from(name: KeyName) -> Self {
        match name {
            KeyName::Generated => KeyHandling::Generated,
            KeyName::Single => KeyHandling::Single,
            KeyName::Wrapped => KeyHandling::Wrapped,
        }
    }
}

pub async fn run(asked: Init, output: &Output) -> Result<Exit, Failure> {
    let source = secrets::source(&asked.source)?;
    let (mut full, _) = schema::read(&source).await?;
    if !asked.tables.is_empty() {
        let known: Vec<String> = full.tables().map(|(path, _)| path.name().to_string()).collect();
        if let Some(unknown) = asked.tables.iter().find(|t| !known.contains(t)) {
            return Err(Failure::usage(format!("the source has no table {unknown}"))
                .with_hint(format!("It has {}.", known.join(", "))));
        }
        full.retain_tables(|name| asked.tables.contains(&name.to_string()));
    }
    let stem = asked.file.file_stem().and_then(|s| s.to_str()).filter(|s| *s != "-");
    let name = asked
        .name
        .clone()
        .or_else(|| stem.map(Into::into))
        .unwrap_or_else(|| "Project".into());
    let name: String = name.chars().take(NAME_LENGTH_MAX).collect();
    let initial = if asked.recommended {
        InitialMapping::Empty
    } else {
        InitialMapping::Relational
    };
    let content = content_of(&full, asked.casing.into(), asked.keys.into(), initial);
    let kind = full.metadata.database_type.clone();
    let mut draft = Draft {
        name,
        content,
        model: full,
        revision: 0,
    };
    if asked.recommended {
        let opened = drafts::open(&source, &kind).await?;
        let proposal = drafts::proposal::with_figures(&opened, &draft.model, asked.exact).await?;
        for decision in &proposal.decisions {
            let mut event = json!({"event": "decision"});
            if let (Some(into), Ok(members)) = (event.as_object_mut(), serde_json::to_value(decision)) {
                into.extend(members.as_object().cloned().unwrap_or_default());
            }
            if asked.file.as_os_str() != "-" {
                output.json(&event);
            }
            output.note(format!("{}: {}", decision.table, decision.reason));
        }
        let all: Vec<String> = proposal.decisions.iter().map(|d| d.id.clone()).collect();
        let edit = take(&draft, &proposal, &all);
        apply(&mut draft, &edit).map_err(|e| Failure::new(Exit::Failed, "proposal", e.to_string()))?;
    }
    let (content, full, id) = (draft.content, draft.model, new_id());
    let mut file = ProjectFile::new(draft.name, kind, id.clone(), content, full);
    file.project.id = id;
    // Read again as any file: what an import would refuse is refused here too.
    let file = ProjectFile::from_value(file.to_exported_value())?;
    let text = project_file::written(&file, Form::of(&asked.file), true)?;
    if asked.file.as_os_str() == "-" {
        output.raw(&text);
        return Ok(Exit::Done);
    }
    project_file::write(&asked.file, &text, asked.force)?;
    let collections: Vec<&String> = file.project.content.collections.values().map(|c| &c.name).collect();
    output
        .json(&json!({"event": "written", "file": asked.file, "project": file.project.id, "collections": collections}));
    output.text(format!("{}: {} collections", asked.file.display(), collections.len()));
    Ok(Exit::Done)
}
