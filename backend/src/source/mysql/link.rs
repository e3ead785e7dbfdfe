//! One connection and the task that owns it: who reads gets rows through a bounded channel, and may stop at any time.
//!
//! The protocol answers one question after the other, and an answer has to be taken to its end before the next question.
//! A reader of a point in time cannot be replaced by a new connection, so an answer that nobody wants any more is ended by
//! `KILL QUERY` from another connection, what is left of it is thrown away, and the connection goes on.

use super::client::{MySqlSource, query_error};
use super::flavor::Server;
use super::spool::Spool;
use crate::data::row::{MalformedRow, push_field};
use crate::source::SourceError;
use bytes::Bytes;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Row, Value};
use std::collections::VecDeque;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

/// Questions that wait for a connection that several share.
const WAITING_MAX: usize = 64;
/// Rows and bytes that go through the channel at once, and how often before the source has to wait.
const ROWS_AT_ONCE: usize = 500;
const BYTES_AT_ONCE: usize = 256 << 10;
const PIECES_AHEAD: usize = 3;
/// How long ending a query may take.
const KILL_TIME_MAX: Duration = Duration::from_secs(3);

/// A row of a small answer, as texts.
pub type Line = Vec<Option<String>>;

/// A way to a connection. It closes when the last one is gone.
#[derive(Debug)]
pub struct Link {
    tasks: mpsc::Sender<Task>,
    server: Arc<Server>,
    /// Ends what was asked last through this one.
    current: Mutex<CancellationToken>,
}

/// What the task is asked for.
enum Task {
    Read(Question),
    /// Whether the server can plan a statement; nothing runs.
    Prepare(String, oneshot::Sender<Result<(), SourceError>>),
}

struct Question {
    /// One after the other; their rows follow each other.
    statements: Vec<String>,
    /// How many fields at the start of each row become one, an [identity](push_field).
    joined: usize,
    /// Where the rows wait until they are taken: in a file, so that the connection is free at once.
    is_spooled: bool,
    answer: mpsc::Sender<Piece>,
    cancel: CancellationToken,
}

enum Piece {
    Rows(Vec<Bytes>),
    Spooled(Spool),
    End,
    Failed(SourceError),
}

/// Rows as they come. To drop it ends the query.
pub struct Tuples {
    pieces: mpsc::Receiver<Piece>,
    come: VecDeque<Bytes>,
    spool: Option<Spool>,
    cancel: CancellationToken,
    is_ended: bool,
}

/// How rows are to come.
#[derive(Debug, Clone, Copy, Default)]
pub struct Form {
    pub joined: usize,
    pub is_spooled: bool,
}

impl Link {
    /// Gives a connection to a task of its own.
    pub(super) fn start(source: MySqlSource, conn: Conn, server: Server) -> Self {
        let (tasks, waiting) = mpsc::channel(WAITING_MAX);
        let server = Arc::new(server);
        let owner = Owner {
            source,
            conn,
            id: server.connection,
        };
        tokio::spawn(owner.run(waiting));
        Self {
            tasks,
            server,
            current: Mutex::default(),
        }
    }

    /// One more way to the same connection.
    pub fn share(&self) -> Link {
        Link {
            tasks: self.tasks.clone(),
            server: self.server.clone(),
            current: Mutex::default(),
        }
    }

    pub fn server(&self) -> &Server {
        &self.server
    }

    pub fn is_lost(&self) -> bool {
        self.tasks.is_closed()
    }

    /// Starts to read the rows of some statements.
    ///
    /// # Errors
    /// When the connection is lost.
    pub async fn stream(&self, statements: Vec<String>, form: Form) -> Result<Tuples, SourceError> {
        let (answer, pieces) = mpsc::channel(PIECES_AHEAD);
        let cancel = CancellationToken::new();
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = cancel.clone();
        let question = Question {
            statements,
            joined: form.joined,
            is_spooled: form.is_spooled,
            answer,
            cancel: cancel.clone(),
        };
        (self.tasks.send(Task::Read(question)).await).map_err(|_| lost())?;
        Ok(Tuples {
            pieces,
            come: VecDeque::new(),
            spool: None,
            cancel,
            is_ended: false,
        })
    }

    /// All rows of a small answer.
    ///
    /// # Errors
    /// When the source refuses or is gone.
    pub async fn query(&self, sql: impl Into<String>) -> Result<Vec<Line>, SourceError> {
        let mut tuples = self.stream(vec![sql.into()], Form::default()).await?;
        let mut lines = Vec::new();
        while let Some(tuple) = tuples.next().await? {
            lines.push(line_of(&tuple)?);
        }
        Ok(lines)
    }

    /// The first row of an answer that has one.
    ///
    /// # Errors
    /// When the source refuses or is gone.
    pub async fn one(&self, sql: impl Into<String>) -> Result<Line, SourceError> {
        let found = self.query(sql).await?.into_iter().next();
        found.ok_or(MalformedRow("an answer without rows").into())
    }

    /// Runs a statement that gives no rows.
    ///
    /// # Errors
    /// When the source refuses or is gone.
    pub async fn run(&self, sql: impl Into<String>) -> Result<(), SourceError> {
        self.query(sql).await.map(drop)
    }

    /// Whether the server can plan a statement; nothing runs. It takes one statement and no second.
    ///
    /// # Errors
    /// What the server says against it.
    pub async fn prepare(&self, sql: &str) -> Result<(), SourceError> {
        let (answer, answered) = oneshot::channel();
        (self.tasks.send(Task::Prepare(sql.to_owned(), answer)).await).map_err(|_| lost())?;
        answered.await.map_err(|_| lost())?
    }

    /// Ends what was asked last.
    pub fn cancel(&self) {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).cancel();
    }
}

impl Tuples {
    /// The next row in the binary COPY layout; `None` after the last.
    ///
    /// # Errors
    /// When the source refuses, is gone, or the query was ended.
    pub async fn next(&mut self) -> Result<Option<Bytes>, SourceError> {
        loop {
            if let Some(tuple) = self.come.pop_front() {
                return Ok(Some(tuple));
            }
            if let Some(spool) = &mut self.spool {
                match spool.next()? {
                    Some(tuple) => return Ok(Some(tuple)),
                    None => self.spool = None,
                }
            }
            if self.is_ended {
                return Ok(None);
            }
            match self.pieces.recv().await {
                Some(Piece::Rows(rows)) => self.come = rows.into(),
                Some(Piece::Spooled(spool)) => self.spool = Some(spool),
                Some(Piece::End) => self.is_ended = true,
                Some(Piece::Failed(error)) => return Err(error),
                None if self.cancel.is_cancelled() => return Err(SourceError::Cancelled),
                None => return Err(lost()),
            }
        }
    }
}

fn lost() -> SourceError {
    SourceError::ConnectionLost {
        reason: "it was closed".into(),
    }
}

/// Owns the connection.
struct Owner {
    source: MySqlSource,
    conn: Conn,
    id: u64,
}

/// How an answer ended.
enum Ending {
    Whole,
    /// Nobody wants the rest.
    Unwanted,
}

impl Owner {
    async fn run(mut self, mut waiting: mpsc::Receiver<Task>) {
        while let Some(task) = waiting.recv().await {
            let error = match task {
                Task::Prepare(sql, answer) => {
                    let prepared = match self.conn.prep(sql.as_str()).await {
                        Ok(statement) => self.conn.close(statement).await,
                        Err(error) => Err(error),
                    };
                    let is_fatal = prepared.as_ref().is_err_and(mysql_async::Error::is_fatal);
                    let _ = answer.send(prepared.map_err(query_error));
                    if is_fatal { break } else { continue }
                }
                Task::Read(question) => self.answer(question).await,
            };
            if let Err(SourceError::ConnectionLost { reason }) = error {
                tracing::debug!(reason, "Source connection ended");
                break;
            }
        }
        // A goodbye that is not answered is no loss.
        let _ = tokio::time::timeout(KILL_TIME_MAX, self.conn.disconnect()).await;
    }

    async fn answer(&mut self, question: Question) -> Result<(), SourceError> {
        let mut spool = match question.is_spooled {
            true => Some(Spool::new()?),
            false => None,
        };
        for sql in &question.statements {
            match self.read(sql, &question, spool.as_mut()).await {
                Ok(Ending::Whole) => {}
                Ok(Ending::Unwanted) => {
                    // One that came too late must not end the next question.
                    let _ = self.conn.query_drop("DO 0").await;
                    let _ = question.answer.try_send(Piece::Failed(SourceError::Cancelled));
                    return Ok(());
                }
                Err(error) => {
                    let told = match &error {
                        SourceError::ConnectionLost { reason } => {
                            SourceError::ConnectionLost { reason: reason.clone() }
                        }
                        _ => SourceError::Cancelled,
                    };
                    let _ = question.answer.send(Piece::Failed(error)).await;
                    return Err(told);
                }
            }
        }
        if let Some(spool) = spool {
            let _ = question.answer.send(Piece::Spooled(spool.rewound()?)).await;
        }
        let _ = question.answer.send(Piece::End).await;
        Ok(())
    }

    /// Sends the rows of one statement on.
    async fn read(
        &mut self,
        sql: &str,
        question: &Question,
        mut spool: Option<&mut Spool>,
    ) -> Result<Ending, SourceError> {
        let Question {
            answer, cancel, joined, ..
        } = question;
        if cancel.is_cancelled() || answer.is_closed() {
            return Ok(Ending::Unwanted);
        }
        let mut killer = Killer {
            source: &self.source,
            id: self.id,
            is_done: false,
        };
        let asked = {
            let mut asking = pin!(self.conn.query_iter(sql));
            tokio::select! {
                biased;
                asked = &mut asking => asked,
                () = unwanted(answer, cancel) => {
                    killer.kill().await;
                    asking.await
                }
            }
        };
        let mut result = asked.map_err(query_error)?;
        let (mut rows, mut bytes, mut is_wanted) = (Vec::new(), 0, true);
        loop {
            let row = {
                let mut next = pin!(result.next());
                if is_wanted {
                    tokio::select! {
                        biased;
                        row = &mut next => row,
                        () = unwanted(answer, cancel) => {
                            is_wanted = false;
                            killer.kill().await;
                            next.await
                        }
                    }
                } else {
                    next.await
                }
            };
            let row = match row {
                Ok(row) => row,
                // The end that was asked for.
                Err(mysql_async::Error::Server(_)) if !is_wanted => None,
                Err(error) => return Err(query_error(error)),
            };
            let Some(row) = row else { break };
            if !is_wanted {
                continue;
            }
            let tuple = tuple_of(&row, *joined)?;
            if let Some(spool) = spool.as_deref_mut() {
                spool.push(&tuple)?;
                if cancel.is_cancelled() || answer.is_closed() {
                    is_wanted = false;
                    killer.kill().await;
                }
                continue;
            }
            bytes += tuple.len();
            rows.push(tuple);
            if rows.len() >= ROWS_AT_ONCE || bytes >= BYTES_AT_ONCE {
                bytes = 0;
                is_wanted = give(answer, cancel, std::mem::take(&mut rows)).await;
                if !is_wanted {
                    killer.kill().await;
                }
            }
        }
        if is_wanted && !rows.is_empty() {
            is_wanted = give(answer, cancel, rows).await;
        }
        Ok(if is_wanted { Ending::Whole } else { Ending::Unwanted })
    }
}

/// Waits until nobody wants the answer any more.
async fn unwanted(answer: &mpsc::Sender<Piece>, cancel: &CancellationToken) {
    tokio::select! {
        () = cancel.cancelled() => {}
        () = answer.closed() => {}
    }
}

/// Whether the rows were taken.
async fn give(answer: &mpsc::Sender<Piece>, cancel: &CancellationToken, rows: Vec<Bytes>) -> bool {
    tokio::select! {
        biased;
        () = cancel.cancelled() => false,
        sent = answer.send(Piece::Rows(rows)) => sent.is_ok(),
    }
}

/// Ends what a connection is doing, once.
struct Killer<'a> {
    source: &'a MySqlSource,
    id: u64,
    is_done: bool,
}

impl Killer<'_> {
    /// From another connection.
    async fn kill(&mut self) {
        if std::mem::replace(&mut self.is_done, true) {
            return;
        }
        let kill = async {
            let (mut conn, _) = self.source.open().await?;
            conn.query_drop(format!("KILL QUERY {}", self.id))
                .await
                .map_err(query_error)?;
            let _ = conn.disconnect().await;
            Ok::<(), SourceError>(())
        };
        match tokio::time::timeout(KILL_TIME_MAX, kill).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "Query could not be ended"),
            Err(_) => tracing::debug!("Query could not be ended in time"),
        }
    }
}

/// A row in the binary COPY layout: a count of fields, then length and bytes of each.
fn tuple_of(row: &Row, joined: usize) -> Result<Bytes, SourceError> {
    let cell = |i: usize| match row.as_ref(i) {
        Some(Value::Bytes(bytes)) => Ok(Some(bytes.as_slice())),
        Some(Value::NULL) | None => Ok(None),
        Some(_) => Err(MalformedRow("a value in another form than text")),
    };
    let count = row.len() - joined + usize::from(joined > 0);
    let mut size = 2 + 4 * count;
    for i in 0..row.len() {
        size += cell(i)?.map_or(0, <[u8]>::len) + 4;
    }
    let mut tuple = Vec::with_capacity(size);
    let count = i16::try_from(count).map_err(|_| MalformedRow("more fields than a row can have"))?;
    tuple.extend_from_slice(&count.to_be_bytes());
    let mut push = |field: Option<&[u8]>| {
        let length = field.map_or(Ok(-1), |f| i32::try_from(f.len()));
        let length = length.map_err(|_| MalformedRow("a field of more than 2 GiB"))?;
        tuple.extend_from_slice(&length.to_be_bytes());
        tuple.extend_from_slice(field.unwrap_or_default());
        Ok::<(), MalformedRow>(())
    };
    if joined > 0 {
        let mut identity = Vec::new();
        for i in 0..joined {
            push_field(&mut identity, cell(i)?.ok_or(MalformedRow("a key that is null"))?);
        }
        push(Some(&identity))?;
    }
    for i in joined..row.len() {
        push(cell(i)?)?;
    }
    Ok(Bytes::from(tuple))
}

/// The fields of a tuple as texts.
fn line_of(tuple: &[u8]) -> Result<Line, MalformedRow> {
    let early = MalformedRow("it ends early");
    let count = tuple.get(..2).ok_or(early.clone())?;
    let count = usize::from(u16::from_be_bytes([count[0], count[1]]));
    let (mut line, mut at) = (Vec::with_capacity(count), 2);
    for _ in 0..count {
        let length = crate::data::row::read_i32(tuple, at)?;
        at += 4;
        let Ok(length) = usize::try_from(length) else {
            line.push(None);
            continue;
        };
        let bytes = tuple.get(at..at + length).ok_or(early.clone())?;
        line.push(Some(String::from_utf8_lossy(bytes).into_owned()));
        at += length;
    }
    Ok(line)
}
