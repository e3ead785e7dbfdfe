//! What runs jobs, without a door: the store, the supervisor, and what keeps both, in one data folder. `serve` puts the
//! page and the API in front of it; the commands that need no server run one job in it.

use crate::api::{AppState, Doors, Health, Texts};
use crate::crash;
use crate::jobs::{Hub, Supervisor, keeper};
use crate::store::signing::SigningKey;
use crate::store::{LocalMongod, Store, StoreError, claim_folder, new_id};
use crate::webhook::Webhook;
use anyhow::{Context, bail};
use fs4::fs_std::FileExt;
use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use url::Url;

/// How long jobs may take to store where they stand.
const JOBS_GRACE: Duration = Duration::from_secs(4);

/// A data folder that is this process's alone.
#[derive(Debug)]
pub struct Claimed {
    folder: PathBuf,
    lock: File,
    has_crashed: bool,
}

impl Claimed {
    /// Takes a data folder, and makes it where it is missing.
    ///
    /// # Errors
    /// When another process has it, or it cannot be used.
    pub fn take(folder: &Path) -> anyhow::Result<Self> {
        claim_folder(folder)?;
        let lock = lock(folder)?;
        let has_crashed = crash::has_crashed(folder)?;
        Ok(Self {
            folder: folder.to_owned(),
            lock,
            has_crashed,
        })
    }

    /// Opens the store: the one at the URI, else that of a private `mongod` in the folder. No job goes on yet.
    ///
    /// # Errors
    /// When the store does not answer, or there is no `mongod`.
    pub async fn open(self, store_uri: Option<String>, new_key: bool) -> anyhow::Result<Engine> {
        let (uri, local) = match store_uri {
            Some(uri) => (uri, None),
            None => {
                let mongod = LocalMongod::start(&self.folder).await?;
                (mongod.uri.clone(), Some(mongod))
            }
        };
        let store = Store::open(&uri, &self.folder, new_key).await?;
        let hub = Arc::new(Hub::new(store.job_statuses().await?));
        let owner = owner(&self.folder)?;
        let supervisor = Arc::new(Supervisor::new(
            store.clone(),
            hub.clone(),
            owner.clone(),
            seat(&self.lock),
            self.has_crashed,
        ));
        supervisor.verifier.sign_with(SigningKey::of(&self.folder)?);
        Ok(Engine {
            store,
            hub,
            supervisor,
            owner,
            local,
            keeper: Mutex::default(),
            _lock: self.lock,
        })
    }
}

/// See the module.
pub struct Engine {
    pub store: Store,
    pub hub: Arc<Hub>,
    pub supervisor: Arc<Supervisor>,
    owner: String,
    local: Option<LocalMongod>,
    keeper: Mutex<Option<JoinHandle<()>>>,
    /// Two processes in one data folder would both think that they own its jobs.
    _lock: File,
}

impl Engine {
    /// Stands for this data folder in a store that several share.
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// Lets jobs and verifications go on that were under way, and keeps their leases from now on.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn go_on(&self) -> Result<(), StoreError> {
        self.supervisor.recover().await?;
        self.supervisor.analyser.recover().await?;
        // Beside the start: a source that is away holds up its verification alone.
        let recovering = self.supervisor.clone();
        tokio::spawn(async move {
            if let Err(error) = Box::pin(recovering.recover_verifications()).await {
                tracing::warn!(%error, "Verifications could not be found again");
            }
        });
        let keeper = tokio::spawn(keeper::keep(self.supervisor.clone()));
        *self.keeper.lock().unwrap_or_else(PoisonError::into_inner) = Some(keeper);
        Ok(())
    }

    /// What the API needs of it. `address` is the one that requests are sent to, `page` another origin of the page.
    pub fn state(
        &self,
        (address, page): (SocketAddr, Option<Url>),
        webhook: Option<Webhook>,
        shutdown: CancellationToken,
    ) -> AppState {
        AppState {
            store: self.store.asked(),
            health: Health::default(),
            texts: Texts::default(),
            doors: Doors::of(address, page),
            hub: self.hub.clone(),
            supervisor: self.supervisor.clone(),
            webhook,
            shutdown,
        }
    }

    /// Lets jobs store where they stand: they go on at the next start. Takes a few seconds at most.
    pub async fn let_jobs_stand(&self) {
        if let Some(keeper) = &*self.keeper.lock().unwrap_or_else(PoisonError::into_inner) {
            keeper.abort();
        }
        let _ = tokio::time::timeout(JOBS_GRACE, self.supervisor.shut_down()).await;
    }

    /// Ends a `mongod` of its own.
    pub async fn close(self) {
        if let Some(mongod) = self.local {
            mongod.stop().await;
        }
    }
}

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
