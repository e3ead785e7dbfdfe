//! The tables of TPC-H: from its generator where there is one, else made here with the same columns and keys.

use godwit_tests::servers::{Database, PASSWORD, SUPERUSER};
use std::path::PathBuf;
use std::process::{Command, Stdio};

const LIKE_TPCH: &str = include_str!("like_tpch.sql");

/// Where the rows come from.
#[derive(Clone, Copy)]
pub enum Origin {
    /// Of the benchmark itself, by its generator.
    TpcH,
    /// Rows of this project in the same tables.
    Similar,
}

impl Origin {
    pub fn name(self) -> &'static str {
        match self {
            Origin::TpcH => "TPC-H",
            Origin::Similar => "like TPC-H",
        }
    }
}

/// Fills an empty database.
pub async fn load(database: &Database, scale: f64) -> Origin {
    let origin = match generator() {
        Ok(script) => {
            generate(&script, database, scale);
            Origin::TpcH
        }
        Err(missing) => {
            eprintln!("{missing}: similar rows are made instead; compare them with nothing but themselves");
            let small = |rows: f64| format!("{}", (rows * scale).ceil().max(10.0));
            let sql = LIKE_TPCH
                .replace(":customers", &small(150_000.0))
                .replace(":orders", &small(1_500_000.0))
                .replace(":parts", &small(200_000.0))
                .replace(":suppliers", &small(10_000.0));
            database.run(&sql).await;
            Origin::Similar
        }
    };
    database.run("vacuum analyze").await;
    origin
}

/// The script that runs the generator, or what is missing for it.
fn generator() -> Result<PathBuf, String> {
    let shared = godwit_tests::checkout().parent().map(|p| p.join("shared"));
    let script = shared.map(|s| s.join("data/tpch.sh")).filter(|s| s.is_file());
    let script = script.ok_or("there is no ../shared/data/tpch.sh beside the checkout")?;
    let program = std::env::var("TPCHGEN").unwrap_or_else(|_| "tpchgen-cli".into());
    let answer = Command::new(&program)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    match answer {
        Ok(status) if status.success() => Ok(script),
        _ => Err(format!(
            "{program} does not run (pip install tpchgen-cli, or set TPCHGEN)"
        )),
    }
}

fn generate(script: &PathBuf, database: &Database, scale: f64) {
    let connection = format!(
        "host=127.0.0.1 port={} dbname={} user={SUPERUSER}",
        database.port, database.name
    );
    let done = Command::new("bash")
        .arg(script)
        .arg(connection)
        .arg(scale.to_string())
        .env("PGPASSWORD", PASSWORD)
        .env("PGOPTIONS", "-c client_min_messages=warning")
        .stdin(Stdio::null())
        .output()
        .expect("bash runs");
    assert!(
        done.status.success(),
        "{}: {}",
        script.display(),
        String::from_utf8_lossy(&done.stderr)
    );
}
