//! The program `godwit`.

use clap::Parser;
use godwit::config::{Cli, Command};
use tracing_subscriber::EnvFilter;

fn main() -> anyhow::Result<()> {
    let Command::Serve(settings) = Cli::parse().command;
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_new(&settings.log)?)
        .with_writer(std::io::stderr)
        .init();
    // Two providers are linked, by two drivers: one has to be chosen before the first use.
    let _ = rustls::crypto::ring::default_provider().install_default();
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(Box::pin(godwit::serve::serve(settings)))
}
