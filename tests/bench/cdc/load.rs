//! Sessions that change orders, their lines and customers at a given rate, as an application does.

use godwit_tests::servers::Database;
use godwit_tests::writers::Numbers;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_postgres::SimpleQueryMessage;

const SESSIONS: u64 = 4;
/// Operations of one transaction; an operation changes one to eight rows.
const OPERATIONS: usize = 4;
/// A session that was held up makes up for no more than this.
const BEHIND_MAX: Duration = Duration::from_secs(1);

/// Keys of the rows that there were at the beginning. The first order is nobody's: others may watch it.
pub struct Keys {
    pub orders: Vec<i64>,
    customers: Vec<i32>,
}

impl Keys {
    pub async fn read(source: &Database) -> Keys {
        let client = source.connect().await;
        let orders = client
            .query("select o_orderkey from orders order by 1", &[])
            .await
            .expect("the orders");
        let customers = client
            .query("select c_custkey from customer order by 1", &[])
            .await
            .expect("the customers");
        Keys {
            orders: orders.iter().map(|r| r.get(0)).collect(),
            customers: customers.iter().map(|r| r.get(0)).collect(),
        }
    }
}

/// Sessions at work.
pub struct Load {
    is_over: Arc<AtomicBool>,
    changes: Arc<AtomicU64>,
    sessions: JoinSet<()>,
}

impl Load {
    /// Starts changing so many rows a second.
    pub async fn start(source: &Database, keys: &Arc<Keys>, rate: u64) -> Load {
        let mut load = Load {
            is_over: Arc::default(),
            changes: Arc::default(),
            sessions: JoinSet::new(),
        };
        for number in 0..SESSIONS {
            let (is_over, changes) = (load.is_over.clone(), load.changes.clone());
            let client = source.connect().await;
            let writer = Writer::new(keys.clone(), number);
            load.sessions
                .spawn(session(client, writer, rate as f64 / SESSIONS as f64, is_over, changes));
        }
        load
    }

    /// Rows changed so far.
    pub fn changes(&self) -> u64 {
        self.changes.load(Ordering::Relaxed)
    }

    /// Ends the sessions after their transactions; how many rows they have changed.
    pub async fn stop(mut self) -> u64 {
        self.is_over.store(true, Ordering::Relaxed);
        while let Some(ended) = self.sessions.join_next().await {
            ended.expect("a session does not panic");
        }
        self.changes()
    }
}

async fn session(
    client: tokio_postgres::Client,
    mut writer: Writer,
    rate: f64,
    is_over: Arc<AtomicBool>,
    changes: Arc<AtomicU64>,
) {
    let mut due = Instant::now();
    while !is_over.load(Ordering::Relaxed) {
        let changed = match client.simple_query(&writer.transaction()).await {
            Ok(answers) => rows_changed(&answers),
            // Two sessions may want the same rows in another order: such a transaction is rolled back, as in life.
            Err(error) if error.as_db_error().is_some() => {
                client.batch_execute("rollback").await.expect("a rollback");
                0
            }
            Err(error) => panic!("the source does not answer: {error}"),
        };
        changes.fetch_add(changed, Ordering::Relaxed);
        due = (due + Duration::from_secs_f64(changed as f64 / rate)).max(Instant::now() - BEHIND_MAX);
        tokio::time::sleep_until(due).await;
    }
}

fn rows_changed(answers: &[SimpleQueryMessage]) -> u64 {
    let changed = answers.iter().map(|answer| match answer {
        SimpleQueryMessage::CommandComplete(rows) => *rows,
        _ => 0,
    });
    changed.sum()
}

/// Makes up the transactions of one session.
struct Writer {
    keys: Arc<Keys>,
    numbers: Numbers,
    /// Sessions take turns in what follows the keys that there are.
    next: i64,
    /// Own orders, to be deleted again.
    orders: Vec<i64>,
    /// Own customers, which have no orders.
    customers: Vec<i64>,
}

impl Writer {
    fn new(keys: Arc<Keys>, session: u64) -> Writer {
        let last = keys.orders.iter().copied().max().unwrap_or(0);
        let last = last.max(keys.customers.iter().copied().max().map_or(0, i64::from));
        Writer {
            keys,
            numbers: Numbers(session),
            next: last + 1 + session.cast_signed(),
            orders: Vec::new(),
            customers: Vec::new(),
        }
    }

    fn transaction(&mut self) -> String {
        let mut sql = "begin".to_owned();
        for _ in 0..OPERATIONS {
            sql.push_str("; ");
            sql.push_str(&self.operation());
        }
        sql.push_str("; commit");
        sql
    }

    /// A key that nobody else has: of an order, of a customer, or the number of a line.
    fn fresh(&mut self) -> i64 {
        let key = self.next;
        self.next += SESSIONS.cast_signed();
        key
    }

    fn order(&mut self) -> i64 {
        let place = self.numbers.up_to(self.keys.orders.len() as u64 - 1);
        self.keys.orders[place as usize]
    }

    fn customer(&mut self) -> i32 {
        let place = self.numbers.up_to(self.keys.customers.len() as u64) - 1;
        self.keys.customers[place as usize]
    }

    fn operation(&mut self) -> String {
        let (order, other, customer) = (self.order(), self.order(), self.customer());
        let value = self.numbers.up_to(1_000_000);
        match self.numbers.up_to(20) {
            1..=3 => {
                let new = self.fresh();
                self.orders.push(new);
                format!(
                    "insert into orders select {new}, o_custkey, 'O', o_totalprice, current_date, o_orderpriority, o_clerk,
                       o_shippriority, 'new' from orders where o_orderkey = {order};
                     insert into lineitem select {new}, l_partkey, l_suppkey, row_number() over (), l_quantity, l_extendedprice,
                       l_discount, l_tax, 'N', 'O', l_shipdate, l_commitdate, l_receiptdate, l_shipinstruct, l_shipmode, 'new'
                       from lineitem where l_orderkey = {order} and exists (select from orders where o_orderkey = {new})"
                )
            }
            4..=6 => match self.orders.pop() {
                // The oldest would do as well: what counts is that as many go as come.
                Some(own) => format!(
                    "delete from lineitem where l_orderkey = {own}; delete from orders where o_orderkey = {own}"
                ),
                None => format!("update orders set o_shippriority = {value} where o_orderkey = {order}"),
            },
            7..=11 => format!(
                "update lineitem set l_quantity = 1 + {value} % 50, l_shipdate = l_shipdate + 1 where l_orderkey = {order}"
            ),
            12 | 13 => format!(
                "update orders set o_totalprice = {value} / 10.0, o_orderstatus = 'P' where o_orderkey = {order}"
            ),
            14 => format!("update customer set c_acctbal = {value} / 100.0 where c_custkey = {customer}"),
            15 => format!("update orders set o_custkey = {customer} where o_orderkey = {order}"),
            16 | 17 => {
                let line = self.fresh();
                format!(
                    "update lineitem set l_orderkey = {other}, l_linenumber = {line}
                     where l_orderkey = {order} and l_linenumber = (select max(l_linenumber) from lineitem where l_orderkey = {order})"
                )
            }
            18 => {
                let line = self.fresh();
                format!(
                    "insert into lineitem select {other}, l_partkey, l_suppkey, {line}, l_quantity, l_extendedprice, l_discount, l_tax,
                       'N', 'O', l_shipdate, l_commitdate, l_receiptdate, l_shipinstruct, l_shipmode, 'added'
                       from lineitem where l_orderkey = {order} order by l_linenumber limit 1"
                )
            }
            19 => format!(
                "delete from lineitem where l_orderkey = {order}
                 and l_linenumber = (select max(l_linenumber) from lineitem where l_orderkey = {order})"
            ),
            _ => match self.customers.pop() {
                Some(own) => format!("delete from customer where c_custkey = {own}"),
                None => {
                    let new = self.fresh();
                    self.customers.push(new);
                    format!(
                        "insert into customer select {new}, c_name, c_address, c_nationkey, c_phone, c_acctbal, c_mktsegment, 'new'
                         from customer where c_custkey = {customer}"
                    )
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn writer(session: u64) -> Writer {
        let keys = Keys {
            orders: vec![1, 2, 35],
            customers: vec![4, 5],
        };
        Writer::new(Arc::new(keys), session)
    }

    #[test]
    fn sessions_never_make_the_same_key() {
        let mut seen = HashSet::new();
        for session in 0..SESSIONS {
            let mut writer = writer(session);
            for _ in 0..100 {
                let key = writer.fresh();
                assert!(key > 35 && seen.insert(key), "{key}");
            }
        }
    }

    #[test]
    fn the_first_order_is_left_alone() {
        let mut writer = writer(0);
        assert!((0..1_000).all(|_| writer.order() != 1));
    }
}
