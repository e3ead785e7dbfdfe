//! Ends at random: the server is killed, panics, is ended, the store or the source is away, at points between the last
//! batch and *cleaned*, over several starts. The destination never changes after the end, and the source is clean.

use crate::ends::{AFTER_THE_END, Bench};
use crate::family::{ROWS, TABLES, mapping};
use godwit_shared::job::{CdcStatus, JobOutcome, MigrationJobStatus};
use godwit_tests::api::{LONG, wait_for};
use std::time::Duration;

/// Seeds of one run; `ENDS_SEEDS` asks for more, `ENDS_SEED` for one.
const SEEDS: u64 = 6;

/// What happens at a point.
#[derive(Debug, Clone, Copy)]
enum Event {
    Kill,
    Terminate,
    Panic,
    StoreAway,
    SourceAway,
    KillWithoutSource,
}

#[derive(Debug, Clone, Copy)]
enum Wanted {
    Complete,
    EndWithoutRest,
    /// By a panic while the last batch is applied.
    Fail,
}

/// A history: how the job is to end, and what happens on the way there.
#[derive(Debug)]
struct History {
    mode: &'static str,
    wanted: Wanted,
    events: Vec<(&'static str, Event)>,
}

/// Numbers that look random and are the same for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % n
    }

    fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

fn history(seed: u64) -> History {
    let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xD1B5_4A32);
    let mode = random.pick(&["CDC", "CDC", "SNAPSHOT"]);
    let wanted = match mode {
        "CDC" => random.pick(&[Wanted::Complete, Wanted::Complete, Wanted::EndWithoutRest, Wanted::Fail]),
        _ => random.pick(&[Wanted::Complete, Wanted::Fail]),
    };
    let mut points = vec!["decided"];
    points.extend(AFTER_THE_END);
    if mode == "CDC" && matches!(wanted, Wanted::Complete) {
        // The last batch.
        points.insert(0, "write");
    }
    let all = [
        Event::Kill,
        Event::Kill,
        Event::Terminate,
        Event::Panic,
        Event::StoreAway,
        Event::SourceAway,
        Event::KillWithoutSource,
    ];
    let mut events = Vec::new();
    for _ in 0..=random.below(3) {
        // The same point may come again: every start passes it anew.
        let point = random.pick(&points);
        let event = match random.pick(&all) {
            // A panic there is a failure of the job, which is a history of its own.
            Event::Panic if point == "write" => Event::Kill,
            event => event,
        };
        events.push((point, event));
    }
    History { mode, wanted, events }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_is_final_whatever_happens_on_the_way_and_afterwards() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds = match number("ENDS_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("ENDS_SEEDS").unwrap_or(SEEDS),
    };
    for seed in seeds {
        let history = history(seed);
        println!("seed {seed}: {history:?}");
        play(seed, &history).await;
    }
}

/// What was seen of the end.
#[derive(Default)]
struct Seen {
    outcome: Option<JobOutcome>,
    documents: Option<Vec<Vec<u8>>>,
}

impl Seen {
    /// Once the end is told, the application works on the documents.
    async fn look(&mut self, case: &str, bench: &Bench, id: &str) -> MigrationJobStatus {
        let job = bench.api().job(id).await;
        let outcome = job.end.as_ref().map(|e| e.outcome);
        assert!(
            self.outcome.is_none() || outcome == self.outcome,
            "{case}: another end: {job:#?}"
        );
        if outcome.is_some() && self.documents.is_none() {
            self.outcome = outcome;
            self.documents = Some(bench.cut_over("ps").await);
        }
        job
    }
}

async fn play(seed: u64, history: &History) {
    let case = format!("seed {seed} {history:?}");
    let mut bench = Bench::new(&format!("{TABLES}{ROWS}"), mapping()).await;
    let mut seen = Seen::default();
    let first = history.events.first().map(|(point, _)| *point);
    let id = if history.mode == "CDC" {
        let id = bench.streaming().await;
        bench
            .m
            .source
            .run("update c set x = 'before the end'; delete from g where id % 3 = 0")
            .await;
        if let Some(first) = first {
            bench.m.app.hold(first);
        }
        id
    } else {
        if let Some(first) = first {
            bench.m.app.hold(first);
        }
        if matches!(history.wanted, Wanted::Fail) {
            bench.m.app.panic_at("chunk");
        }
        bench.api().start_job(&bench.job("SNAPSHOT", false)).await
    };
    if history.mode == "CDC" {
        match history.wanted {
            Wanted::Complete => {
                bench.m.source.run("update p set n = 'the last change'").await;
                bench.api().act(&id, "stop").await.ok();
            }
            Wanted::EndWithoutRest => {
                bench.api().act(&id, "stop?abandon=true").await.ok();
            }
            Wanted::Fail => {
                bench.m.app.panic_at("point");
                bench.m.source.run("update p set n = 'the change that fails'").await;
            }
        }
    }
    for (number, (point, event)) in history.events.iter().enumerate() {
        // The point may not be reached any more: the job is beyond it.
        let is_held = wait_for(&format!("{point} or the end ({case})"), LONG, || async {
            if bench.m.app.is_held_now(point) {
                return Some(true);
            }
            let job = bench.api().job(&id).await;
            end_what_went_on(&bench, history, &job).await;
            let is_over = job.status.is_ended() && job.end.as_ref().is_some_and(|e| e.is_cleaned);
            is_over.then_some(false)
        })
        .await;
        seen.look(&case, &bench, &id).await;
        let next = history.events.get(number + 1).map(|(point, _)| *point);
        if is_held {
            happen(&mut bench, point, *event, next).await;
        } else {
            bench.m.app.let_go(point);
            if let Some(next) = next {
                bench.m.app.hold(next);
            }
        }
    }
    wait_for(&format!("an end ({case})"), LONG, || async {
        let job = bench.api().job(&id).await;
        end_what_went_on(&bench, history, &job).await;
        job.end.map(|_| ())
    })
    .await;
    seen.look(&case, &bench, &id).await;
    let job = bench.cleaned(&id).await;
    assert_eq!(
        Some(job.status),
        seen.outcome.map(JobOutcome::status),
        "{case}: {job:#?}"
    );
    for _ in 0..2 {
        bench.m.app.restart().await;
        let job = seen.look(&case, &bench, &id).await;
        assert_eq!(
            Some(job.status),
            seen.outcome.map(JobOutcome::status),
            "{case}: {job:#?}"
        );
    }
    bench.m.source.run("update p set n = 'long after the end'").await;
    bench.assert_clean(&case).await;
    let documents = bench.documents("ps").await;
    assert!(
        Some(&documents) == seen.documents.as_ref(),
        "{case}: written after the end"
    );
}

/// A failure that was not stored before the process died is none: the job goes on, and is completed then.
async fn end_what_went_on(bench: &Bench, history: &History, job: &MigrationJobStatus) {
    let goes_on = job.cdc_status == CdcStatus::Running && job.end.is_none();
    if goes_on && matches!(history.wanted, Wanted::Fail) && bench.m.app.has_panicked_at("point") {
        let _ = bench.api().act(job.id.as_str(), "stop").await;
    }
}

/// The event at a point that is held; the next one is armed before anybody can come there.
async fn happen(bench: &mut Bench, point: &str, event: Event, next: Option<&str>) {
    let arm = |bench: &Bench| {
        bench.m.app.let_go(point);
        if let Some(next) = next {
            bench.m.app.hold(next);
        }
    };
    match event {
        Event::Kill => {
            bench.m.app.kill();
            arm(bench);
            bench.m.app.restart().await;
        }
        Event::Terminate => {
            bench.m.app.terminate(Duration::from_secs(60));
            arm(bench);
            bench.m.app.restart().await;
        }
        Event::Panic => {
            bench.m.app.panic_at(point);
            let app = &bench.m.app;
            wait_for("the panic", LONG, || async { app.has_panicked_at(point).then_some(()) }).await;
            arm(bench);
        }
        Event::StoreAway => {
            Bench::away(&bench.store);
            arm(bench);
            // As long as a server takes to notice it.
            wait_for("the store to be missed", LONG, || async {
                let health = bench.api().try_get("/actuator/health").await;
                health.is_some_and(|h| h.status == 503).then_some(())
            })
            .await;
            Bench::back(&bench.store);
        }
        Event::SourceAway => {
            Bench::away(&bench.source);
            arm(bench);
            let begun = std::time::Instant::now();
            wait_for("some tries", LONG, || async {
                (begun.elapsed() > Duration::from_millis(700)).then_some(())
            })
            .await;
            Bench::back(&bench.source);
        }
        Event::KillWithoutSource => {
            bench.m.app.kill();
            Bench::away(&bench.source);
            arm(bench);
            bench.m.app.restart().await;
            Bench::back(&bench.source);
        }
    }
}
