//! Plays a case: a snapshot, then the log in batches with random borders, each applied in a random point in time that
//! contains it, with deaths of the process in between. The product decides what is read and written.

use crate::case::{Case, Seen};
use crate::ground::{MemoryGround, World};
use crate::log::{Event, Mistake, Step};
use crate::random::Random;
use crate::show;
use chrono::DateTime;
use godwit::cdc::collect::{Batch, Collector};
use godwit::cdc::decide::{Decider, Limits};
use godwit::cdc::state::StreamState;
use godwit::data::position::{LogPosition, TransactionId};
use godwit::source::change_log::{SchemaState, ServerIdentity};
use std::sync::{Mutex, PoisonError};

/// So often something fails at most.
const FAILURES_MAX: usize = 6;

pub struct Played {
    /// How the documents differ from those that a fresh snapshot would make; nothing where they are equal.
    pub difference: Option<String>,
    /// What was done, step by step, where it was asked for.
    pub told: Vec<String>,
    pub seen: Seen,
}

struct Player<'a> {
    case: &'a Case,
    mistake: Option<Mistake>,
    random: Random,
    world: Mutex<World>,
    limits: Limits,
    /// The version that was read last. A point in time is never before the one before it.
    now: usize,
    failures: usize,
    border_percent: usize,
    ahead_percent: usize,
    failure_percent: usize,
    told: Option<Vec<String>>,
}

/// A batch was applied in part.
struct Failed;

/// Plays a case, with one of the classic mistakes or without.
pub fn play(case: &Case, mistake: Option<Mistake>, tells: bool) -> Played {
    let mut random = Random::new(case.seed, "play");
    let large = Limits::default();
    let world = World {
        documents: Default::default(),
        durable: Default::default(),
        refused_percent: random.pick(&[0, 0, 10]),
        fails_after: None,
        seen: Seen::default(),
        pieces: 0,
        random: Random::new(case.seed, "world"),
    };
    let mut player = Player {
        case,
        mistake,
        world: Mutex::new(world),
        limits: Limits {
            keys_at_once: random.pick(&[1, 3, large.keys_at_once]),
            roots_at_once: random.pick(&[1, 3, large.roots_at_once]),
            root_bytes_at_once: random.pick(&[8, large.root_bytes_at_once, large.root_bytes_at_once]),
            journal_max: random.pick(&[3, large.journal_max, large.journal_max]),
            ..large
        },
        now: 0,
        failures: 0,
        border_percent: random.pick(&[5, 15, 40]),
        ahead_percent: random.pick(&[0, 30, 70]),
        failure_percent: random.pick(&[0, 10, 40]),
        told: tells.then(Vec::new),
        random,
    };
    player.snapshot();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    runtime.block_on(player.follow());
    let world = player.world.into_inner().unwrap_or_else(PoisonError::into_inner);
    let wanted = case.documents(case.history.newest());
    Played {
        difference: (world.documents != wanted).then(|| show::difference(case, &wanted, &world.documents)),
        told: player.told.unwrap_or_default(),
        seen: world.seen,
    }
}

impl Player<'_> {
    fn world(&mut self) -> &mut World {
        self.world.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&mut self, text: impl FnOnce() -> String) {
        if let Some(told) = &mut self.told {
            told.push(text());
        }
    }

    /// Every document as it was at some time since the log begins: chunks that are read after a restart are read later.
    fn snapshot(&mut self) {
        let last = self.random.between(0, 3).min(self.case.history.versions.len() - 1);
        let versions: Vec<_> = self.case.history.versions[..=last]
            .iter()
            .map(|v| self.case.documents(v))
            .collect();
        let mut documents = versions[0].clone();
        for key in versions.iter().flat_map(|v| v.keys()) {
            let version = self.random.below(versions.len());
            match versions[version].get(key) {
                Some(found) => documents.insert(key.clone(), found.clone()),
                None => documents.remove(key),
            };
        }
        self.now = last;
        let world = self.world();
        world.durable = documents.clone();
        world.documents = documents;
        self.tell(|| format!("snapshot of versions 0 to {last}"));
    }

    /// Follows the log to its end, however often the process dies.
    async fn follow(&mut self) {
        let mut saved = beginning();
        while self.stream(&mut saved).await.is_err() {
            self.tell(|| "  the process dies".into());
        }
        // What was refused is tried again with every batch; now it fits.
        self.world().refused_percent = 0;
        self.failures = FAILURES_MAX;
        if !saved.refused.is_empty() {
            let nothing = self.collector().take(None);
            let applied = self.try_apply(&mut self.decider(), &nothing, &mut saved).await;
            assert!(
                applied.is_ok() && saved.refused.is_empty(),
                "nothing is refused any more"
            );
        }
    }

    fn collector(&self) -> Collector {
        Collector::new(self.case.routes.clone(), self.case.tables.len())
    }

    fn decider(&self) -> Decider {
        Decider::new(self.case.plan.clone(), self.case.routes.clone(), self.limits)
    }

    /// Streams from the checkpoint on, as the loop of the CDC stage does.
    async fn stream(&mut self, saved: &mut StreamState) -> Result<(), Failed> {
        let case = self.case;
        let mut state = saved.clone();
        let mut decider = self.decider();
        let mut collector = self.collector();
        let events = case.log_from(saved.position.0);
        self.tell(|| format!("stream from position {}", saved.position.0));
        let mut from = 0;
        for (place, event) in events.iter().enumerate() {
            let is_last = place + 1 == events.len();
            if !is_last && !self.random.percent(self.border_percent) {
                continue;
            }
            case.feed(&mut collector, events[from..=place].to_vec(), self.mistake);
            from = place + 1;
            let batch = collector.take(open_transaction(event));
            assert!(
                batch.images_too_small.is_empty(),
                "the identities hold what the plan needs"
            );
            if batch.is_empty() && state.refused.is_empty() {
                state.position = state.position.max(batch.end);
                continue;
            }
            if self.random.percent(5) {
                // The schema may have changed, which the log does not tell of.
                let nothing = self.collector().take(None);
                state = self.apply(&mut decider, &nothing, &state).await?;
                self.world().seen.note("a point in time without a batch", true);
            }
            let is_open = open_transaction(event).is_some();
            self.world().seen.note("a border inside a transaction", is_open);
            state = self.apply(&mut decider, &batch, &state).await?;
            if self.fails(20) {
                self.failures += 1;
                self.world().seen.note("a death before the checkpoint is stored", true);
                return Err(Failed);
            }
            *saved = state.clone();
        }
        *saved = state;
        Ok(())
    }

    fn fails(&mut self, percent: usize) -> bool {
        self.failures < FAILURES_MAX && self.random.percent(self.failure_percent) && self.random.percent(percent)
    }

    /// Applies one batch. What fails is sometimes tried again at once, otherwise by the next process.
    async fn apply(
        &mut self,
        decider: &mut Decider,
        batch: &Batch,
        state: &StreamState,
    ) -> Result<StreamState, Failed> {
        loop {
            let mut next = state.clone();
            if self.try_apply(decider, batch, &mut next).await.is_ok() {
                return Ok(next);
            }
            self.failures += 1;
            let (loses, again) = (self.random.percent(40), self.random.percent(50));
            let world = self.world();
            let lost = loses && world.documents != world.durable;
            world.seen.note("writes are lost with a failure", lost);
            world.seen.note("a batch is tried again by the same process", again);
            if lost {
                world.documents = world.durable.clone();
            }
            self.tell(|| format!("  it fails{}", if lost { ", and writes are lost" } else { "" }));
            if !again {
                return Err(Failed);
            }
        }
    }

    /// Applies one batch in a point in time that contains it.
    async fn try_apply(&mut self, decider: &mut Decider, batch: &Batch, state: &mut StreamState) -> Result<(), Failed> {
        let case = self.case;
        let version = self.point_for(batch);
        let marked = match self.mistake {
            Some(Mistake::OptimisticJournal) => version + 1,
            Some(Mistake::NewImagesOnly | Mistake::FoldedRows | Mistake::EarlyPoint) | None => version,
        };
        let fails_after = self.fails(60).then(|| self.random.below(8));
        let world = self.world();
        world.fails_after = fails_after;
        world.pieces = 0;
        let ground = MemoryGround {
            case,
            database: &case.history.versions[version],
            contained: case.history.contained_in(marked),
            world: &self.world,
        };
        let applied = decider.apply(&ground, batch, state).await;
        let world = self.world();
        world.fails_after = None;
        world.seen.note("a failure inside a batch", applied.is_err());
        world
            .seen
            .note("a batch in several pieces", world.pieces > case.places().len());
        let refused = state.refused.len();
        self.tell(|| {
            let numbers: Vec<String> = batch.transactions.iter().map(ToString::to_string).collect();
            let numbers = numbers.join(" ");
            let (events, end) = (batch.events, batch.end.0);
            format!("  batch of {numbers}: {events} events up to {end}, in version {version}, {refused} refused")
        });
        applied.map_err(|_| Failed)
    }

    /// A version that contains all of the batch, and sometimes more.
    fn point_for(&mut self, batch: &Batch) -> usize {
        let history = &self.case.history;
        let numbers = history.committed().map(|t| TransactionId::Number(t.number as u32));
        let contained = numbers
            .zip(1..)
            .filter(|(number, _)| batch.transactions.contains(number));
        let wanted: usize = contained.map(|(_, version)| version).max().unwrap_or(0);
        let early = usize::from(self.mistake == Some(Mistake::EarlyPoint));
        let newest = history.versions.len() - 1;
        let first = self.now.max(wanted.saturating_sub(early));
        let ahead = if self.random.percent(self.ahead_percent) {
            self.random.pick(&[1, 1, 2, 4, newest])
        } else {
            0
        };
        self.now = (first + ahead).min(newest);
        let (is_ahead, is_read) = (self.now > wanted, first > wanted && wanted > 0);
        let world = self.world();
        world.seen.note("a point in time ahead of its batch", is_ahead);
        world.seen.note("a batch that was read before it came", is_read);
        self.now
    }
}

/// The transaction that goes on in the next batch.
fn open_transaction(event: &Event) -> Option<(TransactionId, DateTime<chrono::Utc>)> {
    match event.step {
        Step::Begin | Step::Change(_) => Some((event.number, DateTime::UNIX_EPOCH)),
        Step::Commit => None,
    }
}

/// Before anything of the log is read.
fn beginning() -> StreamState {
    StreamState {
        system: ServerIdentity {
            system_id: String::new(),
            timeline: String::new(),
        },
        position: LogPosition(0),
        is_snapshot_done: true,
        schema: SchemaState::Postgresql(Default::default()),
        complete_at: None,
        refused: Vec::new(),
        foreign: Vec::new(),
        is_without_snapshot: false,
    }
}
