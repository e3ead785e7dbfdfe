//! Connections: how many, and for how long without anything happening. Who sends a request slowly, or does not take its
//! answer, is cut off; who connects while all places are taken gets that of the one who has been silent for longest.

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::collections::BTreeMap;
use std::io;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, Sleep};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// From the first moment of a connection, or the end of its last request, to the end of the next one's head.
const HEAD_TIME_MAX: Duration = Duration::from_secs(15);
/// A client that takes nothing of its answer for so long is cut off.
const WRITE_TIME_MAX: Duration = Duration::from_secs(20);
/// Head and line of a request.
const HEAD_BYTES_MAX: usize = 64 << 10;
/// Connections at once. A browser needs six.
const CONNECTIONS_MAX: usize = 1_024;
/// Enough for all connections, and for all jobs besides.
#[cfg(unix)]
const FILES_WANTED: u64 = 16_384;
/// After an error of accepting: files may have run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Connections, sources and the store are all files to the system, which gives a process 1,024 of them unless it asks.
pub fn raise_file_limit() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let limit = getrlimit(Resource::Nofile);
        let wanted = limit.maximum.map_or(FILES_WANTED, |maximum| maximum.min(FILES_WANTED));
        if limit.current.is_some_and(|current| current < wanted) {
            let raised = Rlimit {
                current: Some(wanted),
                maximum: limit.maximum,
            };
            if let Err(error) = setrlimit(Resource::Nofile, raised) {
                tracing::warn!(%error, "The limit of open files stays at {:?}", limit.current);
            }
        }
    }
}

/// Serves until the token is cancelled, then lets the requests under way end.
pub async fn serve(listener: TcpListener, router: Router, shutdown: CancellationToken) {
    let places = Arc::new(Places::default());
    let tasks = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = shutdown.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                if let Some(place) = places.take() {
                    tasks.spawn(serve_one(stream, router.clone(), place, shutdown.clone()));
                }
            }
            Err(error) => {
                tracing::debug!(%error, "Connection not accepted");
                places.make_room();
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    tasks.close();
    tasks.wait().await;
}

async fn serve_one(stream: TcpStream, router: Router, place: Arc<Place>, shutdown: CancellationToken) {
    let _ = stream.set_nodelay(true);
    let inner = TowerToHyperService::new(router);
    let service = service_fn({
        let place = place.clone();
        move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(place.clone());
            let (answer, place) = (inner.call(request.map(Body::new)), place.clone());
            async move {
                let answer = answer.await;
                place.wait();
                answer
            }
        }
    });
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME_MAX)
        .max_buf_size(HEAD_BYTES_MAX);
    let connection = builder
        .serve_connection(TokioIo::new(Patient::new(stream)), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    // A client that goes away is no error.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = place.is_lost.cancelled() => return,
        () = shutdown.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    tokio::select! {
        _ = connection => {}
        () = place.is_lost.cancelled() => {}
    }
}

/// The places of all connections, and which of them wait for their client, by how long they do.
#[derive(Debug, Default)]
struct Places(Mutex<Taken>);

#[derive(Debug, Default)]
struct Taken {
    count: usize,
    /// Counts up: the smaller, the older.
    next: u64,
    waiting: BTreeMap<u64, CancellationToken>,
}

impl Places {
    /// A place, taken from a silent connection where all are taken. `None` where all of them work.
    fn take(self: &Arc<Self>) -> Option<Arc<Place>> {
        let mut taken = self.lock();
        if taken.count >= CONNECTIONS_MAX && !taken.make_room() {
            return None;
        }
        taken.count += 1;
        let place = Place {
            places: self.clone(),
            number: Mutex::new(None),
            is_lost: CancellationToken::new(),
        };
        place.set_waiting(&mut taken);
        drop(taken);
        Some(Arc::new(place))
    }

    fn make_room(&self) {
        self.lock().make_room();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    /// Cuts off the connection that has waited for longest.
    fn make_room(&mut self) -> bool {
        let oldest = self.waiting.pop_first();
        if let Some((_, is_lost)) = &oldest {
            is_lost.cancel();
        }
        oldest.is_some()
    }
}

/// The place of one connection. It waits for its client, but for the time in which a request is worked on.
#[derive(Debug)]
pub struct Place {
    places: Arc<Places>,
    /// Under which it waits.
    number: Mutex<Option<u64>>,
    is_lost: CancellationToken,
}

impl Place {
    /// A request is here, and worked on.
    pub fn work(&self) {
        self.set_working(&mut self.places.lock());
    }

    /// Its answer is there: the client has to take it, and may ask again.
    fn wait(&self) {
        let mut taken = self.places.lock();
        self.set_working(&mut taken);
        self.set_waiting(&mut taken);
    }

    fn set_waiting(&self, taken: &mut Taken) {
        let number = taken.next;
        taken.next += 1;
        taken.waiting.insert(number, self.is_lost.clone());
        *self.number.lock().unwrap_or_else(PoisonError::into_inner) = Some(number);
    }

    fn set_working(&self, taken: &mut Taken) {
        let number = self.number.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(number) = number {
            taken.waiting.remove(&number);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.lock();
        self.set_working(&mut taken);
        taken.count -= 1;
    }
}

/// A stream that does not wait for ever for a client that takes nothing.
struct Patient {
    stream: TcpStream,
    deadline: Pin<Box<Sleep>>,
    is_waiting: bool,
}

impl Patient {
    fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            deadline: Box::pin(tokio::time::sleep(WRITE_TIME_MAX)),
            is_waiting: false,
        }
    }

    fn poll_deadline<T>(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        if !self.is_waiting {
            self.deadline.as_mut().reset(Instant::now() + WRITE_TIME_MAX);
            self.is_waiting = true;
        }
        ready!(self.deadline.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Patient {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Patient {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.stream).poll_write(cx, buf) {
            Poll::Pending => self.poll_deadline(cx),
            written => written,
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.stream).poll_write_vectored(cx, bufs) {
            Poll::Pending => self.poll_deadline(cx),
            written => written,
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Everything that was to be written has been taken: a few bytes now and then do not count as taking.
        self.is_waiting = false;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_been_silent_for_longest_makes_room() {
        let places = Arc::new(Places::default());
        let mut all: Vec<Arc<Place>> = (0..CONNECTIONS_MAX).map(|_| places.take().expect("a place")).collect();
        all[0].work();
        all[1].work();
        all[1].wait();
        let newer = places.take().expect("the place of another");
        let lost: Vec<usize> = (0..all.len()).filter(|at| all[*at].is_lost.is_cancelled()).collect();
        assert_eq!(lost, [2]);
        assert!(!newer.is_lost.is_cancelled());
        // Until all of them work.
        for place in &all {
            place.work();
        }
        newer.work();
        assert!(places.take().is_none());
        all.truncate(10);
        assert!(places.take().is_some());
        drop((all, newer));
        assert_eq!(places.lock().count, 0);
    }
}
