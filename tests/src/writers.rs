//! Sessions that change the tables p, c, g and k of a source all the time, as an application does.

use crate::api::{LONG, wait_for};
use crate::servers::Database;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_postgres::Client;

/// What the keys of the rows are below.
#[derive(Clone, Copy)]
pub struct Range {
    pub p: u64,
    pub c: u64,
    pub g: u64,
    pub k: u64,
}

/// Numbers that look random and are the same in every run (SplitMix64).
#[derive(Clone)]
pub struct Numbers(pub u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// 1 to `most`.
    pub fn up_to(&mut self, most: u64) -> u64 {
        self.next() % most + 1
    }
}

/// Writers at work; they stop when told, or when dropped.
pub struct Writers {
    is_over: Arc<AtomicBool>,
    done: Arc<AtomicU64>,
    tasks: JoinSet<()>,
}

impl Writers {
    /// Starts sessions with random transactions over the rows of `range`. `pause` lies between two transactions of one.
    pub fn start(source: &Database, sessions: u64, range: Range, pause: Duration) -> Writers {
        let mut writers = Writers {
            is_over: Arc::default(),
            done: Arc::default(),
            tasks: JoinSet::new(),
        };
        for session in 0..sessions {
            let source = Database {
                name: source.name.clone(),
                port: source.port,
            };
            let (is_over, done) = (writers.is_over.clone(), writers.done.clone());
            writers
                .tasks
                .spawn(write(source, Numbers(session), range, pause, is_over, done));
        }
        writers
    }

    /// How many transactions were committed so far.
    pub fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    /// Waits until they have committed so many transactions more.
    pub async fn more(&self, transactions: u64) {
        let enough = self.done() + transactions;
        wait_for("more transactions of the writers", LONG, || async {
            (self.done() >= enough).then_some(())
        })
        .await;
    }

    /// Ends them after their transactions; how many they were.
    pub async fn stop(mut self) -> u64 {
        self.is_over.store(true, Ordering::Relaxed);
        while let Some(ended) = self.tasks.join_next().await {
            ended.expect("a writer does not panic");
        }
        self.done()
    }
}

/// One session: it connects again when the source was away.
async fn write(
    source: Database,
    mut numbers: Numbers,
    range: Range,
    pause: Duration,
    is_over: Arc<AtomicBool>,
    done: Arc<AtomicU64>,
) {
    let mut client = None;
    while !is_over.load(Ordering::Relaxed) {
        let Some(session) = &client else {
            client = connect(&source).await;
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        let transaction = transaction(&mut numbers, range);
        match session.batch_execute(&transaction).await {
            Ok(()) => {
                done.fetch_add(1, Ordering::Relaxed);
            }
            // Deadlocks and keys that others have taken: such transactions are rolled back, as they are in life.
            Err(error) if error.as_db_error().is_some() && !session.is_closed() => {
                let _ = session.batch_execute("rollback").await;
            }
            Err(_) => client = None,
        }
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
    }
}

/// Where it is in a deadlock with a statement of the test, it gives way: it looks for one first.
async fn connect(source: &Database) -> Option<Client> {
    let client = source.try_connect().await?;
    client.batch_execute("set deadlock_timeout = '100ms'").await.ok()?;
    Some(client)
}

/// One to four changes, now and then rolled back in part or as a whole.
fn transaction(numbers: &mut Numbers, range: Range) -> String {
    let mut sql = "begin; set constraints all deferred; ".to_owned();
    for _ in 0..numbers.up_to(4) {
        sql.push_str(&change(numbers, range));
        sql.push_str("; ");
    }
    match numbers.up_to(20) {
        1 => sql.push_str("rollback"),
        2 => {
            let undone = change(numbers, range);
            sql.push_str(&format!("savepoint s; {undone}; rollback to s; commit"));
        }
        _ => sql.push_str("commit"),
    }
    sql
}

fn change(numbers: &mut Numbers, range: Range) -> String {
    let value = numbers.up_to(1_000_000);
    let (p, c, g, k) = (
        numbers.up_to(range.p),
        numbers.up_to(range.c),
        numbers.up_to(range.g),
        numbers.up_to(range.k),
    );
    let other = numbers.up_to(range.c);
    match numbers.up_to(15) {
        1 | 2 => format!("update p set n = 'n{value}' where id = {p}"),
        3 => format!("insert into p values ({p}, 'new {value}') on conflict (id) do update set n = excluded.n"),
        4 => format!(
            "delete from c where p_id = {p}; delete from p where id = {p}; insert into p values ({p}, 'again {value}')"
        ),
        5 => format!("delete from c where p_id = {p}; delete from p where id = {p}"),
        6..=8 => format!(
            "insert into c select {c}, {p}, 'x{value}', {k} where exists (select from p where id = {p})
             on conflict (id) do update set p_id = excluded.p_id, x = excluded.x, k_id = excluded.k_id"
        ),
        9 => format!("update c set x = x || '.', k_id = {k} where id in ({c}, {other})"),
        10 => format!("delete from c where id = {c}"),
        11 => format!(
            "update c set p_id = (select p_id from c where id = {other}) where id = {c} and exists (select from c where id = {other})"
        ),
        12 | 13 => format!(
            "insert into g select {g}, {c}, 'y{value}' where exists (select from c where id = {c})
             on conflict (id) do update set c_id = excluded.c_id, y = excluded.y"
        ),
        14 => format!("delete from g where id = {g} or c_id = {c}"),
        _ => format!("update k set v = 'v{value}' where id = {k}"),
    }
}
