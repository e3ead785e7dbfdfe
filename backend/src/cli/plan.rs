//! `godwit plan`: what a job would read, in which order and with which statements, and how long it may take.

use super::exit::{Exit, Failure};
use super::migrate::JobArgs;
use super::output::{Output, bytes, count, duration};
use super::project_file::{self, project_id};
use super::secrets;
use crate::config::{SourceArgs, TargetArgs};
use crate::documents::streamed_nodes;
use crate::jobs::prepare::prepare_source;
use crate::jobs::summary::rows_expected;
use crate::plan::{Node, RootPlan};
use crate::sink::Sink;
use crate::source::api::{Reader, Snapshot};
use clap::Args;
use serde_json::json;
use std::path::PathBuf;

pub const EXAMPLES: &str = "Examples:
  godwit plan shop.relmig --source postgresql://reader@db/shop
  godwit plan shop.relmig --source postgresql://reader@db/shop --target mongodb://mongo/shop --sql

Rows and sizes are those of the source's statistics. The time is what they take at --rows-per-second, and no promise:
what embeds much is slower, and so is a source or a destination with other work to do.";

#[derive(Args)]
pub struct PlanArgs {
    /// The project: a .relmig file, or the same as text (.yaml); - is standard input
    file: PathBuf,
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    job: JobArgs,
    /// Print the statements too
    #[arg(long)]
    sql: bool,
    /// What a job is taken to read in a second
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..))]
    rows_per_second: u64,
}

/// One read of the plan.
struct Step {
    table: String,
    how: &'static str,
    depth: usize,
    rows: u64,
    size: u64,
    sql: String,
}

pub async fn run(asked: PlanArgs, output: &Output) -> Result<Exit, Failure> {
    let file = project_file::read(&asked.file)?;
    let source = secrets::source(&asked.source)?;
    let target = secrets::target_if_given(&asked.target)?;
    let sink = match &target {
        Some(target) => Some(Sink::open(target).await?),
        None => None,
    };
    let request = asked.job.request(project_id(&file), source, target.unwrap_or_default());
    let (plan, source, _) = prepare_source(&request, &file).await?;
    let snapshot = source.begin_snapshot(&[], 1).await?;
    let reader = snapshot.reader().await?;
    let (mut rows_of_all, mut bytes_of_all) = (0_u64, 0_u64);
    for collection in &plan.collections {
        let there = match &sink {
            Some(sink) => Some(sink.count(&collection.name).await?),
            None => None,
        };
        let held = there.map_or_else(String::new, |n| format!(" ({} documents there now)", count(n)));
        output.text(format!("{}{held}", collection.name));
        let mut number = 0;
        for root in &collection.roots {
            for step in steps(root, &*snapshot, &*reader).await? {
                number += 1;
                (rows_of_all, bytes_of_all) = (rows_of_all + step.rows, bytes_of_all + step.size);
                output.json(&json!({
                    "event": "read", "collection": collection.name, "step": number, "table": step.table, "how": step.how,
                    "rowsEstimated": step.rows, "sizeBytes": step.size, "sql": step.sql,
                }));
                output.text(format!(
                    "  {number}. {}{}: {} rows, {}, {}",
                    "  ".repeat(step.depth),
                    step.table,
                    count(step.rows),
                    bytes(step.size),
                    step.how
                ));
                if asked.sql {
                    output.text(format!("     {}", step.sql));
                }
            }
        }
        output.json(&json!({"event": "collection", "collection": collection.name, "documentsExisting": there}));
    }
    let seconds = rows_of_all.div_ceil(asked.rows_per_second);
    output.json(&json!({
        "event": "ended", "rowsEstimated": rows_of_all, "sizeBytes": bytes_of_all, "secondsEstimated": seconds,
        "rowsPerSecond": asked.rows_per_second, "mode": request.options.mode, "dropCollections": request.options.drop_collections,
    }));
    output.text(format!(
        "Together {} rows, {}; about {} at {} rows a second.",
        count(rows_of_all),
        bytes(bytes_of_all),
        duration(seconds),
        count(asked.rows_per_second)
    ));
    reader.give_back();
    Ok(Exit::Done)
}

/// The reads of a root and of what lies below it, in their order.
async fn steps(root: &RootPlan, snapshot: &dyn Snapshot, reader: &dyn Reader) -> Result<Vec<Step>, Failure> {
    let streamed: Vec<usize> = streamed_nodes(root)
        .iter()
        .filter_map(|path| path.last().map(|node| node.id))
        .collect();
    let mut found = Vec::new();
    let mut open: Vec<Vec<&Node>> = vec![vec![&root.node]];
    while let Some(path) = open.pop() {
        let node = path[path.len() - 1];
        let how = match path.len() {
            1 => "all rows, in parts",
            _ if streamed.contains(&node.id) => "once, in the order of the roots: no index leads with its key",
            _ => "by the keys of the rows above",
        };
        found.push(Step {
            table: node.table.name.to_string(),
            how,
            depth: path.len() - 1,
            rows: rows_expected(snapshot, &node.table).await?,
            size: node.table.size_bytes,
            sql: reader.statement(&path),
        });
        for child in node.children.iter().rev() {
            open.push(path.iter().copied().chain([child]).collect());
        }
    }
    Ok(found)
}
