//! The benchmarks. They start servers of their own, run the product in them as its users do, and measure in the same run
//! what limits it: reading the tables, reading the log, writing the finished documents. What counts are the ratios;
//! nothing here fails because of a time, but everything that was moved is checked.
//!
//! `scripts/bench.sh` builds and starts this; the variables are those of [`settings`].

mod bed;
mod cdc;
mod chart;
mod data;
mod inside;
mod limits;
mod machine;
mod meter;
mod micro;
mod more;
mod plans;
mod report;
mod settings;
mod snapshot;

use settings::{Settings, What};

#[tokio::main]
async fn main() {
    let settings = match Settings::read() {
        Ok(settings) => settings,
        Err(error) => {
            eprintln!("error: {error}");
            std::process::exit(2);
        }
    };
    match settings.what {
        What::Snapshot => snapshot::run(&settings).await,
        What::Cdc => cdc::run(&settings).await,
        What::Micro => micro::run().await,
    }
    let _ = std::fs::remove_dir_all(godwit_tests::process::scratch());
}
