//! `godwit schema`: the tables of a source.

use super::exit::{Exit, Failure};
use super::output::{Output, bytes, count};
use super::secrets;
use crate::config::SourceArgs;
use crate::jobs::prepare::PATIENCE;
use crate::source::{model, source_of};
use clap::Args;
use godwit_shared::connection::JdbcConnectionDetails;
use godwit_shared::schema::RelationalModel;
use serde_json::json;

pub const EXAMPLES: &str = "Examples:
  godwit schema --source postgresql://reader@db/shop
  godwit schema --source sqlite:shop.db --table main.customer
  godwit schema --source sqlite:shop.db --output json | jq -r .table";

#[derive(Args)]
pub struct Schema {
    #[command(flatten)]
    source: SourceArgs,
    /// Only these tables, as schema.table; with their columns
    #[arg(long, value_name = "TABLE", value_delimiter = ',')]
    table: Vec<String>,
}

/// The relational model of a live source.
///
/// # Errors
/// When it cannot be read, or has no table.
pub async fn read(source: &JdbcConnectionDetails) -> Result<(RelationalModel, crate::data::catalog::Catalog), Failure> {
    let source = source_of(source, Some(PATIENCE))?;
    let catalog = source.session().await?.read_catalog().await?;
    let full = model::model_of(source.kind(), &catalog);
    let is_empty = full.tables().next().is_none();
    match is_empty {
        false => Ok((full, catalog)),
        true => Err(Failure::usage("the database holds no table that this user can see")
            .with_hint("Check the database's name and the user's rights on its schemas.")),
    }
}

pub async fn run(asked: Schema, output: &Output) -> Result<Exit, Failure> {
    let source = secrets::source(&asked.source)?;
    let (full, catalog) = read(&source).await?;
    let mut rows = Vec::new();
    for (path, table) in full.tables() {
        let name = path.name();
        if !asked.table.is_empty() && !asked.table.contains(&name.to_string()) {
            continue;
        }
        let known = catalog.tables.get(&name);
        let (estimated, size) = known.map_or((0, 0), |t| (t.rows_estimated, t.size_bytes));
        output.json(&json!({
            "table": name.to_string(), "rowsEstimated": estimated, "sizeBytes": size, "columns": table.columns,
            "foreignKeys": table.foreign_keys, "canSelect": known.is_some_and(|t| t.can_select),
        }));
        let keys = table.columns.values().filter(|c| c.primary_key.is_some()).count();
        rows.push(vec![
            name.to_string(),
            count(estimated),
            bytes(size),
            table.columns.len().to_string(),
            if keys == 0 { "no".to_owned() } else { "yes".to_owned() },
            table.foreign_keys.len().to_string(),
        ]);
        if !asked.table.is_empty() && !output.is_json() {
            let mut columns: Vec<_> = table.columns.iter().collect();
            columns.sort_by_key(|(_, c)| c.ordinal_position);
            let columns: Vec<Vec<String>> = (columns.iter())
                .map(|(column, c)| {
                    let null = if c.nullable { "" } else { "not null" };
                    let key = if c.primary_key.is_some() { "primary key" } else { "" };
                    vec![
                        (*column).clone(),
                        c.kind.database_specific_type.clone(),
                        null.into(),
                        key.into(),
                    ]
                })
                .collect();
            output.text(format!("{name}"));
            output.table(&["column", "type", "null", "key"], &columns);
            output.text("");
        }
    }
    if rows.is_empty() {
        return Err(Failure::usage(format!(
            "the source has no table {}",
            asked.table.join(", ")
        )));
    }
    output.table(
        &[
            "table",
            "rows (estimated)",
            "size",
            "columns",
            "primary key",
            "foreign keys",
        ],
        &rows,
    );
    Ok(Exit::Done)
}
