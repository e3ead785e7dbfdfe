//! Wires the rooms, serves, shuts down; decides nothing.

use crate::api::{AppState, router};
use crate::config::Serve;
use crate::jobs::{Hub, Supervisor};
use crate::store::{LocalMongod, Store, new_id};
use anyhow::{Context, bail};
use fs4::fs_std::FileExt;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// How long open requests may take after the end was asked for.
const GRACE: Duration = Duration::from_secs(3);

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
    let folder = &settings.data_dir;
    std::fs::create_dir_all(folder)
        .with_context(|| format!("the data directory {} cannot be made", folder.display()))?;
    let _lock = lock(folder)?;
    let listener = TcpListener::bind(settings.listen).await.with_context(|| {
        format!(
            "cannot listen on {}: is another Godwit running? Choose another port with --listen",
            settings.listen
        )
    })?;
    let mut local = None;
    let uri = match settings.store_uri {
        Some(uri) => uri,
        None => {
            let mongod = LocalMongod::start(folder).await?;
            let uri = mongod.uri.clone();
            local = Some(mongod);
            uri
        }
    };
    let store = Store::open(&uri, folder).await?;
    let hub = Arc::new(Hub::new(store.job_statuses().await?));
    let supervisor = Arc::new(Supervisor::new(store.clone(), hub.clone(), owner(folder)?));
    supervisor.recover().await?;
    let shutdown = CancellationToken::new();
    let state = AppState {
        store,
        hub,
        supervisor: supervisor.clone(),
        shutdown: shutdown.clone(),
    };
    let address = listener.local_addr()?;
    println!("Godwit listens on http://{address}");
    tracing::info!(%address, "Listening on {address}");
    let server = axum::serve(listener, router(state)).with_graceful_shutdown({
        let shutdown = shutdown.clone();
        async move { shutdown.cancelled().await }
    });
    let server = tokio::spawn(async move { server.await });
    end.await;
    tracing::info!("Shutting down");
    shutdown.cancel();
    supervisor.shut_down().await;
    // A browser keeps connections open; they need not hold up the end.
    let _ = tokio::time::timeout(GRACE, server).await;
    if let Some(mongod) = local {
        mongod.stop().await;
    }
    Ok(())
}

/// Two processes in one data directory would both think that they own its jobs.
fn lock(folder: &Path) -> anyhow::Result<File> {
    let path = folder.join("lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .with_context(|| path.display().to_string())?;
    if !FileExt::try_lock_exclusive(&file)? {
        bail!("another Godwit uses the data directory {}", folder.display());
    }
    Ok(file)
}

/// Stands for this installation in a store that several share.
fn owner(folder: &Path) -> anyhow::Result<String> {
    let path = folder.join("instance");
    match std::fs::read_to_string(&path) {
        Ok(id) if !id.trim().is_empty() => Ok(id.trim().to_owned()),
        _ => {
            let id = new_id();
            std::fs::write(&path, &id).with_context(|| path.display().to_string())?;
            Ok(id)
        }
    }
}

/// Resolves when the end is asked for. Asking counts from this call on, not from the first poll.
fn end_asked() -> anyhow::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    {
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
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}
