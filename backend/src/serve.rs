//! Wires the rooms, serves, shuts down; decides nothing.

use crate::api::{self, router};
use crate::certificates;
use crate::config::Serve;
use crate::engine::Claimed;
use crate::jobs::notices;
use crate::source::sqlite;
use crate::webhook::{Webhook, WebhookAddress};
use anyhow::{Context, bail};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// How long open requests may take after the end was asked for.
const GRACE: Duration = Duration::from_secs(3);

/// Whatever does not end in this time after the end was asked for is left behind.
const END_MAX: Duration = Duration::from_secs(8);

/// Serves until SIGTERM or Ctrl-C.
///
/// # Errors
/// When the address is taken, the data directory is in use, or the store does not answer.
pub async fn serve(settings: Serve) -> anyhow::Result<()> {
    if !settings.listen.ip().is_loopback() {
        bail!(
            "--listen {}: only loopback addresses are served, because there is no sign-on yet",
            settings.listen
        );
    }
    let end = end_asked()?;
    certificates::allow(settings.certificates_dir.as_deref(), settings.allow_unix_sockets)
        .context("the folder of --certificates-dir cannot be used")?;
    let webhook_address = settings.webhook_url.as_deref().map(WebhookAddress::parse);
    let webhook_address = webhook_address.transpose().context("--webhook-url cannot be used")?;
    api::raise_file_limit();
    let folder = &settings.data_dir;
    let claimed = Claimed::take(folder)?;
    sqlite::allow(&settings.sqlite_dir.clone().unwrap_or_else(|| folder.join("sqlite")));
    let listener = TcpListener::bind(settings.listen).await.with_context(|| {
        format!(
            "cannot listen on {}: is another Godwit running? Choose another port with --listen",
            settings.listen
        )
    })?;
    let engine = claimed.open(settings.store_uri, settings.new_key).await?;
    let webhook =
        webhook_address.map(|address| Webhook::start(address, settings.webhook_lag_seconds.saturating_mul(1_000)));
    if let Some(webhook) = webhook.clone() {
        // Before jobs go on: what they tell at once is told.
        tokio::spawn(notices::watch(engine.supervisor.clone(), engine.hub.clone(), webhook));
    }
    engine.go_on().await?;
    let shutdown = CancellationToken::new();
    let address = listener.local_addr()?;
    let state = engine.state((address, settings.page_origin), webhook, shutdown.clone());
    println!("Godwit listens on http://{address}");
    tracing::info!(%address, "Listening on {address}");
    let server = tokio::spawn(api::serve(listener, router(state), shutdown.clone()));
    end.cancelled().await;
    tracing::info!("Shutting down");
    shutdown.cancel();
    // A browser keeps connections open, and a store may not answer: neither need hold up the end.
    let _ = tokio::join!(engine.let_jobs_stand(), tokio::time::timeout(GRACE, server));
    engine.close().await;
    Ok(())
}

/// Is cancelled when the end is asked for. A thread of its own listens: however busy the others are, the process ends.
fn end_asked() -> anyhow::Result<CancellationToken> {
    let asked = CancellationToken::new();
    let told = asked.clone();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let signal = {
        let _inside = runtime.enter();
        // Asking counts from here on, not from the first poll.
        end_signal()?
    };
    let listen = async move {
        signal.await;
        told.cancel();
        tokio::time::sleep(END_MAX).await;
        tracing::error!("Something does not end: the process ends without it");
        std::process::exit(1);
    };
    std::thread::Builder::new()
        .name("end".into())
        .spawn(move || runtime.block_on(listen))?;
    Ok(asked)
}

#[cfg(unix)]
fn end_signal() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn end_signal() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}

/// The URL of a SQLite file that the user of a command names: from now on connections may read its folder.
///
/// # Errors
/// When there is no such file.
pub fn sqlite_url(url: &str) -> Result<String, String> {
    let native = url.trim();
    let native = native.strip_prefix("jdbc:").unwrap_or(native);
    let name = native.split_once(':').map_or("", |(_, name)| name);
    let name = name.strip_prefix("//").unwrap_or(name);
    let path = std::path::Path::new(name);
    let path = path.canonicalize().map_err(|e| format!("the source {name}: {e}"))?;
    let (Some(folder), Some(text)) = (path.parent(), path.to_str()) else {
        return Err(format!("the source {name} is no file whose name can be used"));
    };
    sqlite::allow(folder);
    Ok(format!("sqlite:{text}"))
}
