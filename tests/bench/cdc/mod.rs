//! Continuous jobs: under a steady load, against a backlog, and with one very large transaction.
//!
//! Every part has a copy of the tables and a server process of its own.

mod backlog;
mod following;
mod large;
mod load;
mod log_reader;
mod steady;
mod sums;

use crate::bed::Bed;
use crate::machine::Machine;
use crate::plans::{FLAT, ORDERS};
use crate::settings::Settings;
use crate::{data, report};
use serde_json::{Map, Value, json};

/// What a part has measured.
pub struct Measured {
    /// The lines that scripts read.
    lines: Vec<String>,
    figures: Value,
}

/// Runs the chosen parts and writes what came out.
pub async fn run(settings: &Settings) {
    let machine = Machine::read();
    println!("{}", machine.line());
    let bed = Bed::start(&machine).await;
    let base = bed.postgres.database("tpch", "").await;
    let origin = data::load(&base, settings.scale).await;
    // As every application has it that looks for the orders of a customer: so does a change of a customer.
    base.run("create index orders_customer on orders (o_custkey); analyze orders")
        .await;
    println!(
        "{} at scale {}, with an index on orders.o_custkey",
        origin.name(),
        settings.scale
    );
    let (mut lines, mut figures) = (Vec::new(), Map::new());
    for part in &settings.parts {
        println!("\n{part}");
        let measured = match part.as_str() {
            "steady" => steady::run(&bed, &base, settings).await,
            "flat" => backlog::run(&bed, &base, settings, &FLAT, part).await,
            "embedded" => backlog::run(&bed, &base, settings, &ORDERS, part).await,
            "large" => large::run(&bed, &base, settings).await,
            unknown => unreachable!("the settings let {unknown} through"),
        };
        lines.extend(measured.lines);
        figures.insert(part.clone(), measured.figures);
    }
    let all = json!({
        "machine": machine.json(), "data": origin.name(), "scale": settings.scale, "loadAtEnd": crate::machine::load(),
        "parts": figures
    });
    let name = format!("{}.json", machine.file_stem("cdc"));
    let json = report::write(&settings.out, &name, &format!("{all:#}\n"));
    println!("\n{}\n", json.display());
    for line in lines {
        println!("{line}");
    }
}
