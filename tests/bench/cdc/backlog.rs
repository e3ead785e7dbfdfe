//! The highest rate that a job keeps up: a backlog is made while it stands still, and the time is taken until it is
//! applied. Beside it the same log read alone, and the same documents written alone.

use super::Measured;
use super::following::Following;
use super::log_reader::LogReader;
use crate::bed::Bed;
use crate::limits::{self, Dump, How};
use crate::meter::{self, Cpu};
use crate::plans::Plan;
use crate::settings::Settings;
use bson::doc;
use godwit_tests::servers::{Database, Target};
use serde_json::{Map, Value, json};
use std::time::Instant;

/// Row changes of one transaction.
const TRANSACTION: u64 = 100;

/// Which rows change in turn.
#[derive(Clone, Copy)]
enum Order {
    /// Any row of the table.
    Random,
    /// Neighbours.
    Sequential,
}

impl Order {
    fn name(self) -> &'static str {
        match self {
            Order::Random => "random",
            Order::Sequential => "sequential",
        }
    }

    /// As SQL. The mark at the end makes the order the same in every run.
    fn sql(self) -> &'static str {
        match self {
            Order::Random => "hashint8(l_orderkey * 8 + l_linenumber), l_orderkey, l_linenumber",
            Order::Sequential => "l_orderkey, l_linenumber",
        }
    }
}

pub async fn run(bed: &Bed, base: &Database, settings: &Settings, plan: &Plan, part: &str) -> Measured {
    let f = Following::start(bed, base, plan, part).await;
    let (mut lines, mut figures) = (Vec::new(), Map::new());
    for order in [Order::Random, Order::Sequential] {
        let result = measure(bed, &f, settings, plan, order).await;
        let name = match order {
            Order::Random => part.to_owned(),
            Order::Sequential => format!("{part}-sequential"),
        };
        lines.push(result.line(&name));
        figures.insert(order.name().to_owned(), result.json());
    }
    f.end().await;
    Measured {
        lines,
        figures: Value::Object(figures),
    }
}

struct Result {
    changes: u64,
    documents: u64,
    seconds: f64,
    log_seconds: f64,
    /// In the order in which the log brings the changes.
    mongo_seconds: f64,
    /// In the order in which the documents lie in the collection.
    mongo_in_order_seconds: f64,
    /// Of the job.
    cpu: Cpu,
    peak_mib: u64,
}

impl Result {
    fn rate(&self) -> f64 {
        self.changes as f64 / self.seconds
    }

    fn line(&self, name: &str) -> String {
        format!(
            "bench-cdc {name} rate={:.0} of_log={:.2} of_mongo={:.2} ratio_to_slower={:.2} of_mongo_in_order={:.2} rss_mb={}",
            self.rate(),
            self.log_seconds / self.seconds,
            self.mongo_seconds / self.seconds,
            self.log_seconds.max(self.mongo_seconds) / self.seconds,
            self.mongo_in_order_seconds / self.seconds,
            self.peak_mib,
        )
    }

    fn json(&self) -> Value {
        json!({
            "changes": self.changes, "documents": self.documents, "seconds": self.seconds, "rate": self.rate(),
            "logSeconds": self.log_seconds, "logRate": self.changes as f64 / self.log_seconds,
            "mongoSeconds": self.mongo_seconds, "mongoInOrderSeconds": self.mongo_in_order_seconds, "mongoDocumentsPerSecond": self.documents as f64 / self.mongo_seconds,
            "cpuSeconds": self.cpu.json(), "peakMemoryMib": self.peak_mib,
        })
    }
}

async fn measure(bed: &Bed, f: &Following, settings: &Settings, plan: &Plan, order: Order) -> Result {
    // The rows to change are chosen into a table that is not in the log.
    f.run(&format!(
        "drop table if exists backlog; create unlogged table backlog as
         select row_number() over () as place, picked.* from
         (select l_orderkey, l_linenumber from lineitem order by {} limit {}) picked",
        order.sql(),
        settings.changes
    ))
    .await;
    let changes = f.count("select count(*) from backlog").await;
    f.applied(&f.log_end().await).await;
    f.pause().await;
    let before = copy_documents(f, plan).await;
    let log = LogReader::prepare(&f.source, &f.project).await;
    let started = Instant::now();
    let mark = format!("backlog {}", order.name());
    f.run(&changing(&mark)).await;
    let end = f.log_end().await;
    println!(
        "  {}: a backlog of {changes} changes made in {:.1} s",
        order.name(),
        started.elapsed().as_secs_f64()
    );
    bed.settle(&f.source, &f.target).await;
    let log_seconds = log.read(changes).await.as_secs_f64();

    bed.settle(&f.source, &f.target).await;
    meter::forget_peak(f.app.pid());
    let pids = bed.pids(&f.app);
    let (before_job, started) = (Cpu::read(pids), Instant::now());
    f.resume().await;
    f.applied(&end).await;
    let seconds = started.elapsed().as_secs_f64();
    let cpu = before_job.until_now(pids);
    let peak_mib = meter::peak_mib(f.app.pid());
    f.pause().await;

    let (filter, expected) = match plan.collection {
        "lineitem" => (doc! {"l_comment": &mark}, "select count(*) from backlog"),
        _ => (
            doc! {"lines.l_comment": &mark},
            "select count(distinct l_orderkey) from backlog",
        ),
    };
    let mut changed = Dump::of(&f.target, plan.collection, filter).await;
    assert_eq!(
        changed.documents(),
        f.count(expected).await,
        "documents with the changes"
    );
    bed.settle(&f.source, &f.target).await;
    let in_order = limits::write(&changed, &before, plan.collection, How::Replace).await;
    let as_changed = match order {
        Order::Sequential => in_order,
        Order::Random => {
            changed.shuffle();
            changed.alter(&mark, &mark.to_uppercase());
            bed.settle(&f.source, &f.target).await;
            limits::write(&changed, &before, plan.collection, How::Replace).await
        }
    };
    before.database.drop().await.expect("the copy can be dropped");
    f.resume().await;
    let result = Result {
        changes,
        documents: changed.documents(),
        seconds,
        log_seconds,
        mongo_seconds: as_changed.as_secs_f64(),
        mongo_in_order_seconds: in_order.as_secs_f64(),
        cpu,
        peak_mib,
    };
    println!(
        "  {}: {seconds:.2} s for the job, {log_seconds:.2} s for the log alone, {:.2} s for MongoDB to replace its {} \
         documents ({:.2} s in the order of their keys); CPU seconds of source {:.1}, server {:.1}, mongod {:.1}; {peak_mib} MiB",
        order.name(),
        result.mongo_seconds,
        result.documents,
        result.mongo_in_order_seconds,
        cpu.source,
        cpu.server,
        cpu.mongod,
    );
    result
}

/// The documents as they are before the changes: replacing one by its equal would be no work.
async fn copy_documents(f: &Following, plan: &Plan) -> Target {
    let name = format!("{}_before", f.target.database.name());
    let out = doc! {"$out": {"db": &name, "coll": plan.collection}};
    let collection = f.target.database.collection::<bson::Document>(plan.collection);
    collection.aggregate([out]).await.expect("the documents can be copied");
    Target {
        uri: f.target.uri.clone(),
        database: f.target.database.client().database(&name),
    }
}

/// One statement for each row.
fn changing(mark: &str) -> String {
    format!(
        "do $$ declare picked record; changed int := 0; begin
           for picked in select l_orderkey, l_linenumber from backlog order by place loop
             update lineitem set l_quantity = l_quantity + 1, l_comment = '{mark}'
               where l_orderkey = picked.l_orderkey and l_linenumber = picked.l_linenumber;
             changed := changed + 1;
             if changed % {TRANSACTION} = 0 then commit; end if;
           end loop; end $$"
    )
}
