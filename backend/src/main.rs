//! The program `godwit`.

use clap::Parser;
use godwit::config::{Cli, Command};
use tracing_subscriber::EnvFilter;

/// Twice the usual: expressions of rules may recurse, on top of everything that leads to them.
const THREAD_STACK: usize = 4 << 20;

fn main() -> anyhow::Result<()> {
    let Command::Serve(settings) = Cli::parse().command;
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_new(&settings.log)?)
        .with_writer(std::io::stderr)
        .init();
    // Two providers are linked, by two drivers: one has to be chosen before the first use.
    let _ = rustls::crypto::ring::default_provider().install_default();
    tokio::runtime::Builder::new_multi_thread()
        .thread_stack_size(THREAD_STACK)
        .enable_all()
        .build()?
        .block_on(Box::pin(godwit::serve::serve(settings)))
}
