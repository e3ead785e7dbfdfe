//! A door before a server that can be slow, stuck or shut.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::AbortHandle;

/// Which connections: those that read the log of a PostgreSQL, all others, or both.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Links {
    Log,
    Other,
    All,
}

impl Links {
    fn has(self, kind: Links) -> bool {
        self == Links::All || self == kind
    }
}

/// What happens to bytes now.
#[derive(Clone, Copy)]
struct Conditions {
    stuck: Option<Links>,
    /// Before every piece of a request.
    delay: Duration,
    is_open: bool,
}

/// One connection that goes through.
struct Link {
    kind: Links,
    /// Nothing gets through any more, and neither side is told.
    is_dead: Arc<AtomicBool>,
    task: AbortHandle,
}

type AllLinks = Arc<Mutex<Vec<Link>>>;

/// Passes connections on to one port of this machine. Gone when dropped, with everything that goes through it.
pub struct Proxy {
    pub port: u16,
    conditions: watch::Sender<Conditions>,
    links: AllLinks,
    listener: AbortHandle,
}

impl Proxy {
    pub async fn before(port: u16) -> Proxy {
        let socket = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let own_port = socket.local_addr().expect("an address").port();
        let (conditions, receiver) = watch::channel(Conditions {
            stuck: None,
            delay: Duration::ZERO,
            is_open: true,
        });
        let links = AllLinks::default();
        let all = links.clone();
        let listener = tokio::spawn(async move {
            while let Ok((client, _)) = socket.accept().await {
                if receiver.borrow().is_open {
                    accept(client, port, &receiver, &all).await;
                }
            }
        });
        Proxy {
            port: own_port,
            conditions,
            links,
            listener: listener.abort_handle(),
        }
    }

    /// Nothing gets through in either direction, and no connection notices.
    pub fn stick(&self, links: Links) {
        self.conditions.send_modify(|c| c.stuck = Some(links));
    }

    /// What was held back comes through.
    pub fn flow(&self) {
        self.conditions.send_modify(|c| c.stuck = None);
    }

    /// Breaks connections that are there now.
    pub fn cut(&self, which: Links) {
        let mut links = self.links.lock().expect("nobody panics with the lock");
        for link in links.iter().filter(|l| which.has(l.kind)) {
            link.task.abort();
        }
        links.retain(|l| !l.task.is_finished());
    }

    /// Connections that are there now stay, and nothing ever gets through them again; new ones work.
    pub fn lose(&self, which: Links) {
        let links = self.links.lock().expect("nobody panics with the lock");
        for link in links.iter().filter(|l| which.has(l.kind)) {
            link.is_dead.store(true, Ordering::Relaxed);
        }
    }

    /// Every piece of a request comes so much later.
    pub fn delay(&self, delay: Duration) {
        self.conditions.send_modify(|c| c.delay = delay);
    }

    /// Whether new connections are accepted.
    pub fn open(&self, is_open: bool) {
        self.conditions.send_modify(|c| c.is_open = is_open);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listener.abort();
        self.cut(Links::All);
    }
}

/// Starts passing on one connection. The first bytes tell what it is for.
async fn accept(mut client: TcpStream, port: u16, conditions: &watch::Receiver<Conditions>, links: &AllLinks) {
    let mut first = Vec::with_capacity(4096);
    let Ok(_) = client.read_buf(&mut first).await else {
        return;
    };
    let Ok(mut server) = TcpStream::connect(("127.0.0.1", port)).await else {
        return;
    };
    let is_log = first.windows(12).any(|w| w == b"replication\0");
    let kind = if is_log { Links::Log } else { Links::Other };
    if server.write_all(&first).await.is_err() {
        return;
    }
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let is_dead = Arc::new(AtomicBool::new(false));
    let road = |is_request| Road {
        kind,
        is_request,
        is_dead: is_dead.clone(),
        conditions: conditions.clone(),
    };
    let (requests, answers) = (road(true), road(false));
    let task = tokio::spawn(async move {
        tokio::select! {
            () = pass(from_client, to_server, requests) => {}
            () = pass(from_server, to_client, answers) => {}
        }
    });
    let mut links = links.lock().expect("nobody panics with the lock");
    let task = task.abort_handle();
    links.push(Link { kind, is_dead, task });
}

/// One direction of a connection.
struct Road {
    kind: Links,
    is_request: bool,
    is_dead: Arc<AtomicBool>,
    conditions: watch::Receiver<Conditions>,
}

/// Passes bytes on until one side is gone.
async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut road: Road) {
    let mut piece = Vec::with_capacity(64 * 1024);
    loop {
        piece.clear();
        match from.read_buf(&mut piece).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let kind = road.kind;
        let is_free = |c: &Conditions| !c.stuck.is_some_and(|s| s.has(kind));
        let Ok(now) = road.conditions.wait_for(is_free).await.map(|c| *c) else {
            return;
        };
        if road.is_dead.load(Ordering::Relaxed) {
            return std::future::pending().await;
        }
        if road.is_request && !now.delay.is_zero() {
            tokio::time::sleep(now.delay).await;
        }
        if to.write_all(&piece).await.is_err() {
            return;
        }
    }
}
