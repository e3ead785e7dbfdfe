//! The program `godwit`.

use clap::Parser;
use godwit::config::{Cli, Command};
use std::time::Duration;
use tracing_subscriber::EnvFilter;

/// Twice the usual: rules and the documents that they make lie in each other.
const THREAD_STACK: usize = 4 << 20;

/// How long threads may take to end that nobody waits for any more.
const LEFT_OVER: Duration = Duration::from_millis(500);

fn main() -> anyhow::Result<()> {
    let settings = match Cli::parse().command {
        Command::Serve(settings) => *settings,
        Command::CheckReport(asked) => return godwit::check_report::check(&asked.file, asked.key.as_deref()),
        Command::ScriptWorker => return Ok(godwit::scripts::run_worker()?),
    };
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_new(&settings.log)?)
        .with_writer(std::io::stderr)
        .init();
    // Two providers are linked, by two drivers: one has to be chosen before the first use.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .thread_stack_size(THREAD_STACK)
        .enable_all()
        .build()?;
    let ended = runtime.block_on(Box::pin(godwit::serve::serve(settings)));
    // A thread that hangs, in a file or a name server, must not hold up the end.
    runtime.shutdown_timeout(LEFT_OVER);
    ended
}
