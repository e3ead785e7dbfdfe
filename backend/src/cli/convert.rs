//! `godwit convert`: between `.relmig` and the text form.

use super::exit::{Exit, Failure};
use super::output::Output;
use super::project_file::{self, Form};
use super::{schema, secrets, text};
use crate::config::SourceArgs;
use clap::Args;
use godwit_shared::relmig::ProjectFile;
use serde_json::json;
use std::path::PathBuf;

pub const EXAMPLES: &str = "Examples:
  godwit convert shop.relmig shop.yaml
  godwit convert shop.yaml shop.relmig
  godwit convert shop.relmig - | less
  godwit convert mapping.yaml shop.relmig --source sqlite:shop.db     a mapping written by hand, without a schema
  godwit convert --json-schema > mapping.schema.json";

#[derive(Args)]
pub struct Convert {
    /// The project to read; - is standard input
    #[arg(required_unless_present = "json_schema")]
    from: Option<PathBuf>,
    /// The file to write: .relmig, .yaml or .yml; - is standard output, in the other form
    #[arg(required_unless_present = "json_schema")]
    to: Option<PathBuf>,
    #[command(flatten)]
    source: SourceArgs,
    /// Leave the schema of the tables out of the text: it is read from a live source when the text is used
    #[arg(long)]
    without_schema: bool,
    /// Replace the file if it is there
    #[arg(long)]
    force: bool,
    /// Print the JSON schema of the text form
    #[arg(long, conflicts_with_all = ["from", "to"])]
    json_schema: bool,
}

pub async fn run(asked: Convert, output: &Output) -> Result<Exit, Failure> {
    let (Some(from), Some(to)) = (&asked.from, &asked.to) else {
        output.raw(&(text::json_schema() + "\n"));
        return Ok(Exit::Done);
    };
    let input = secrets::read(from, project_file::TEXT_BYTES_MAX)?;
    let is_relmig = input.trim_start_matches('\u{feff}').trim_start().starts_with('{');
    let is_live = !is_relmig && asked.source.source.is_some() && !text::has_schema(&input);
    let file = match is_live {
        true => with_live_schema(&input, &asked.source).await?,
        false => project_file::parse(&input, from)?,
    };
    let form = match (to.as_os_str() == "-", is_relmig) {
        (false, _) => Form::of(to),
        (true, true) => Form::Text,
        (true, false) => Form::Relmig,
    };
    let written = project_file::written(&file, form, !asked.without_schema)?;
    if to.as_os_str() == "-" {
        output.raw(&written);
        return Ok(Exit::Done);
    }
    project_file::write(to, &written, asked.force)?;
    output.json(&json!({"event": "written", "file": to, "project": file.project.id}));
    output.text(format!("{} written", to.display()));
    Ok(Exit::Done)
}

/// A text without a schema, with that of the source.
async fn with_live_schema(input: &str, source: &SourceArgs) -> Result<ProjectFile, Failure> {
    let source = secrets::source(source)?;
    let (full, _) = schema::read(&source).await?;
    let wrong = |e: String| Failure::new(Exit::Usage, "invalid_project_file", e);
    text::from_text_with(input, full).map_err(wrong)
}
