//! The steps that every row goes through, each alone: what changes in one of them is seen here first.

use crate::bed::Bed;
use crate::data;
use crate::inside::{plan_of, source_of};
use crate::machine::Machine;
use crate::plans::{FLAT, Plan as Mapping, SCRIPT};
use bytes::Bytes;
use criterion::{BatchSize, Criterion, Throughput};
use godwit::assemble::Assembler;
use godwit::assemble::document::input_of;
use godwit::assemble::rows::{RowTree, value_of};
use godwit::assemble::script::{Outcome, Results};
use godwit::data::row::RowSet;
use godwit::plan::{Plan, Script};
use godwit::scripts::{self, Urgency};
use godwit::source::api::Snapshot as _;
use godwit::source::postgres::reader::PgSnapshot;
use godwit::source::read::KeyRange;
use godwit_tests::mapping::project_file;
use std::hint::black_box;

/// Rows of a batch.
const ROWS: u32 = 5_000;
/// The smallest at which the generator makes valid rows.
const SCALE: f64 = 0.01;

/// Rows as the source sends them, and how they are to be read.
struct Lines {
    plan: Plan,
    tuples: Vec<Bytes>,
    columns: usize,
}

pub async fn run() {
    scripts::use_program(godwit_tests::app::binary());
    let bed = Bed::start(&Machine::read()).await;
    let database = bed.postgres.database("micro", "").await;
    data::load(&database, SCALE).await;
    let (flat, scripted) = (lines(&database, &FLAT).await, lines(&database, &SCRIPT).await);
    tokio::task::spawn_blocking(move || measure(&flat, &scripted))
        .await
        .expect("the measurements end");
}

async fn lines(database: &godwit_tests::servers::Database, mapping: &Mapping) -> Lines {
    let source = source_of(database);
    let control = source.connect().await.expect("the source answers");
    let project = project_file(&database.connect().await, &mapping.project()).await;
    let plan = plan_of(&control, &project).await;
    let snapshot = PgSnapshot::begin(&source, &plan.tables())
        .await
        .expect("a point in time");
    let node = &plan.collections[0].roots[0].node;
    let reader = snapshot.reader().await.expect("a reader");
    let everything = KeyRange::default();
    let mut rows = (reader.stream_roots(node, &everything, false, Some(ROWS)).await).expect("the rows are read");
    let mut tuples = Vec::new();
    while let Some(batch) = (rows.next_rows(ROWS as usize, usize::MAX).await).expect("the rows are read") {
        tuples.extend((0..batch.len()).map(|row| Bytes::copy_from_slice(batch.tuple(row))));
    }
    assert_eq!(tuples.len(), ROWS as usize, "rows of a batch");
    let columns = node.columns.len();
    Lines { plan, tuples, columns }
}

fn measure(flat: &Lines, scripted: &Lines) {
    let mut criterion = Criterion::default();
    let mut group = criterion.benchmark_group("a batch of lines");
    group.throughput(Throughput::Elements(u64::from(ROWS)));
    group.bench_function("split into cells", |b| b.iter(|| flat.rows()));
    let rows = flat.rows();
    group.bench_function("decode", |b| b.iter(|| flat.decode(&rows)));
    group.bench_function("assemble", |b| {
        b.iter_batched(|| flat.tree(), |tree| flat.assemble(&tree), BatchSize::LargeInput)
    });
    group.bench_function("assemble with a computed field", |b| {
        b.iter_batched(
            || scripted.tree(),
            |tree| scripted.assemble(&tree),
            BatchSize::LargeInput,
        )
    });
    let rows = scripted.rows();
    let node = &scripted.plan.collections[0].roots[0].node;
    let filter = node.rule_filter.as_ref().expect("the plan has a filter");
    group.bench_function("filter by script", |b| b.iter(|| scripted.evaluate(filter, &rows)));
    let in_engine = Script {
        plain: None,
        ..filter.clone()
    };
    group.bench_function("the same in the engine", |b| {
        b.iter(|| scripted.evaluate(&in_engine, &rows))
    });
    group.finish();
}

impl Lines {
    fn rows(&self) -> RowSet {
        let mut rows = RowSet::new(self.columns);
        for tuple in &self.tuples {
            rows.push_copy_tuple(tuple.clone(), 0).expect("a row");
        }
        rows
    }

    fn tree(&self) -> RowTree {
        let rows = self.rows();
        let node = &self.plan.collections[0].roots[0].node;
        let calculated = node.calculated.iter().map(|c| self.evaluate(&c.script, &rows));
        let results = Results {
            calculated: calculated.collect(),
            id: Vec::new(),
        };
        RowTree {
            rows,
            children: Vec::new(),
            results,
        }
    }

    fn decode(&self, rows: &RowSet) {
        let node = &self.plan.collections[0].roots[0].node;
        let mut notes = Vec::new();
        for row in 0..rows.len() {
            for cell in 0..self.columns {
                black_box(value_of(node, rows, row, cell, &mut notes));
            }
        }
    }

    fn assemble(&self, tree: &RowTree) {
        let mut assembler = Assembler::new(&self.plan.collections[0].roots[0]);
        let mut issues = Vec::new();
        for row in 0..tree.rows.len() {
            black_box(assembler.assemble(tree, row, &mut issues));
        }
        assert!(issues.is_empty(), "{issues:?}");
    }

    fn evaluate(&self, script: &Script, rows: &RowSet) -> Vec<Outcome> {
        let node = &self.plan.collections[0].roots[0].node;
        let mut outcomes = Vec::with_capacity(rows.len());
        let each = |outcome, _| {
            outcomes.push(outcome);
            true
        };
        let input = |row, input| input_of(node, rows, row, script, input);
        let all = scripts::evaluate(script, rows.len(), Urgency::Job, input, each);
        let is_whole = tokio::runtime::Handle::current().block_on(all);
        assert_eq!(is_whole, Ok(true));
        outcomes
    }
}
