//! Wires the rooms, serves, shuts down; decides nothing.

use crate::api::{self, AppState, Doors, Health, Texts, router};
use crate::certificates;
use crate::config::Serve;
use crate::crash;
use crate::jobs::{Hub, Supervisor, keeper, notices};
use crate::source::sqlite;
use crate::store::signing::SigningKey;
use crate::store::{LocalMongod, Store, claim_folder, new_id};
use crate::webhook::{Webhook, WebhookAddress};
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

/// How long jobs may take to store where they stand.
const JOBS_GRACE: Duration = Duration::from_secs(4);
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
    claim_folder(folder)?;
    let data_lock = lock(folder)?;
    sqlite::allow(&settings.sqlite_dir.clone().unwrap_or_else(|| folder.join("sqlite")));
    let has_crashed = crash::has_crashed(folder)?;
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
    let store = Store::open(&uri, folder, settings.new_key).await?;
    let hub = Arc::new(Hub::new(store.job_statuses().await?));
    let supervisor = Arc::new(Supervisor::new(
        store.clone(),
        hub.clone(),
        owner(folder)?,
        seat(&data_lock),
        has_crashed,
    ));
    supervisor.verifier.sign_with(SigningKey::of(folder)?);
    let webhook =
        webhook_address.map(|address| Webhook::start(address, settings.webhook_lag_seconds.saturating_mul(1_000)));
    if let Some(webhook) = webhook.clone() {
        // Before jobs go on: what they tell at once is told.
        tokio::spawn(notices::watch(supervisor.clone(), hub.clone(), webhook));
    }
    supervisor.recover().await?;
    // Beside the start: a source that is away holds up its verification alone.
    let recovering = supervisor.clone();
    tokio::spawn(async move {
        if let Err(error) = Box::pin(recovering.recover_verifications()).await {
            tracing::warn!(%error, "Verifications could not be found again");
        }
    });
    let keeper = tokio::spawn(keeper::keep(supervisor.clone()));
    let shutdown = CancellationToken::new();
    let address = listener.local_addr()?;
    let state = AppState {
        store: store.asked(),
        health: Health::default(),
        texts: Texts::default(),
        doors: Doors::of(address, settings.page_origin),
        hub,
        supervisor: supervisor.clone(),
        webhook,
        shutdown: shutdown.clone(),
    };
    println!("Godwit listens on http://{address}");
    tracing::info!(%address, "Listening on {address}");
    let server = tokio::spawn(api::serve(listener, router(state), shutdown.clone()));
    end.cancelled().await;
    tracing::info!("Shutting down");
    shutdown.cancel();
    keeper.abort();
    // A browser keeps connections open, and a store may not answer: neither need hold up the end.
    let _ = tokio::join!(
        tokio::time::timeout(JOBS_GRACE, supervisor.shut_down()),
        tokio::time::timeout(GRACE, server)
    );
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

/// Stands for the lock on the data folder: whoever had the same one on this machine is gone when this process has it. That
/// of a copied folder is another one. Empty where the system does not tell.
fn seat(lock: &File) -> String {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let machine = std::fs::read_to_string("/proc/sys/kernel/random/boot_id");
        if let (Ok(machine), Ok(file)) = (machine, lock.metadata()) {
            return format!("{} {} {}", machine.trim(), file.dev(), file.ino());
        }
    }
    String::new()
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
