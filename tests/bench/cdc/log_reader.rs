//! The product's own reader of the log with nobody behind it: how fast changes could come at all.

use crate::inside;
use godwit::cdc::collect::Collector;
use godwit::data::change::ChangeSink as _;
use godwit::plan::Plan;
use godwit::plan::routes::routes;
use godwit::source::change_log::{LogState, Watched};
use godwit::source::postgres::PgSource;
use godwit::source::postgres::change_log::PgLogState;
use godwit::source::postgres::client::PgClient;
use godwit::source::postgres::replication::changes::LogDecoder;
use godwit::source::postgres::replication::wire::{WalConnection, WalMessage};
use godwit::source::postgres::replication::{Lsn, slot};
use godwit::source::postgres::watch::read_state;
use godwit_tests::servers::Database;
use serde_json::Value;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Of its slot and its publication.
const NAME: &str = "godwit_bench_log";
/// Transactions of a batch, as a job gathers them when it has enough to do.
const BATCH_TRANSACTIONS: usize = 500;
/// The server answers a status within this, or it has nothing more to send.
const SILENCE_MAX: Duration = Duration::from_secs(60);

pub struct LogReader {
    source: PgSource,
    control: PgClient,
    plan: Plan,
    from: Lsn,
}

impl LogReader {
    /// Makes a slot for the tables of the project: what comes from now on will be read.
    pub async fn prepare(source: &Database, project: &Value) -> LogReader {
        let source = inside::source_of(source);
        let control = source.connect().await.expect("the source answers");
        let plan = inside::plan_of(&control, project).await;
        slot::create_publication(&control, NAME, &plan.tables())
            .await
            .expect("a publication");
        let mut wal = open(&source, &control).await;
        let new = slot::create_slot(&mut wal, NAME).await.expect("a slot");
        LogReader {
            source,
            control,
            plan,
            from: new.consistent_point,
        }
    }

    /// Reads so many changes into batches that nobody gets. Takes away what it has made.
    pub async fn read(self, changes: u64) -> Duration {
        let tables = self.plan.tables();
        let log = LogState::Postgresql(PgLogState {
            publication: NAME.into(),
            ..PgLogState::new("", "")
        });
        let state = read_state(&self.control, &Watched::of(&self.plan, &log)).await;
        let mut decoder = LogDecoder::new(tables.clone(), state.expect("the catalog").table_of());
        let mut collector = Collector::new(Arc::new(routes(&self.plan)), tables.len());
        let mut wal = open(&self.source, &self.control).await;
        let started = Instant::now();
        slot::start(&mut wal, NAME, NAME, self.from)
            .await
            .expect("the stream opens");
        let mut arrived = 0;
        while arrived < changes || decoder.open_transaction().is_some() {
            let message = tokio::time::timeout(SILENCE_MAX, wal.next()).await;
            match message.expect("the log holds all changes").expect("the stream goes on") {
                WalMessage::Data(bytes) => {
                    let before = collector.batch().events;
                    decoder.take(&bytes, &mut collector).expect("a change of the tables");
                    arrived += collector.batch().events - before;
                    if collector.is_full() || collector.batch().transactions.len() >= BATCH_TRANSACTIONS {
                        drop(collector.take(decoder.open_transaction()));
                    }
                }
                WalMessage::KeepAlive { wants_reply, .. } if wants_reply => {
                    wal.send_status(self.from, false).await.expect("the stream goes on");
                }
                WalMessage::KeepAlive { .. } => {}
            }
        }
        let elapsed = started.elapsed();
        assert_eq!(arrived, changes, "changes in the log");
        drop(wal);
        slot::drop_slot(&self.control, NAME).await.expect("the slot goes");
        slot::drop_publication(&self.control, NAME)
            .await
            .expect("the publication goes");
        elapsed
    }
}

async fn open(source: &PgSource, control: &PgClient) -> WalConnection {
    let encoding = slot::client_encoding(control).await.expect("an encoding");
    WalConnection::open(source, &encoding)
        .await
        .expect("a connection in replication mode")
}
