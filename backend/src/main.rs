//! The program `godwit`.

use godwit::cli::{self, Command, Exit};
use std::ffi::OsString;
use std::process::ExitCode;
use std::time::Duration;
use tracing_subscriber::EnvFilter;

/// Twice the usual: rules and the documents that they make lie in each other.
const THREAD_STACK: usize = 4 << 20;

/// How long threads may take to end that nobody waits for any more.
const LEFT_OVER: Duration = Duration::from_millis(500);

fn main() -> anyhow::Result<ExitCode> {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    // It is started with an empty environment, often, and reads no configuration.
    if arguments
        .get(1)
        .is_some_and(|word| word == godwit::scripts::WORKER_COMMAND)
    {
        godwit::scripts::run_worker()?;
        return Ok(ExitCode::SUCCESS);
    }
    let cli = match cli::parse(&arguments) {
        Ok(cli) => cli,
        Err(wrong) => return Ok(ExitCode::from(wrong.exit(&arguments).code())),
    };
    if let Command::CheckReport(asked) = &cli.command {
        godwit::check_report::check(&asked.file, asked.key.as_deref())?;
        return Ok(ExitCode::SUCCESS);
    }
    let usual = if matches!(cli.command, Command::Serve(_)) {
        "info"
    } else {
        "off"
    };
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_new(cli.common.log.as_deref().unwrap_or(usual))?)
        .with_writer(std::io::stderr)
        .init();
    // Two providers are linked, by two drivers: one has to be chosen before the first use.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .thread_stack_size(THREAD_STACK)
        .enable_all()
        .build()?;
    let ended = runtime.block_on(Box::pin(async move {
        match cli.command {
            Command::Serve(settings) => godwit::serve::serve(*settings).await.map(|()| Exit::Done),
            command => Ok(cli::run(cli.common, command).await),
        }
    }));
    // A thread that hangs, in a file or a name server, must not hold up the end.
    runtime.shutdown_timeout(LEFT_OVER);
    ended.map(|exit| ExitCode::from(exit.code()))
}
