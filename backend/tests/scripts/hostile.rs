//! What goes over the limits costs its own row, and nothing else.

use crate::bed::{for_numbers, int, outcomes, refused, run, script};
use godwit::assemble::script::ScriptError;
use godwit::data::value::Value;
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn endless_work_ends() {
    for source in [
        "(() => { for (;;); })()",
        "({get a() { for (;;); }})",
        "(() => { throw {get name() { for (;;); }, get message() { for (;;); }} })()",
        "(() => { const e = new Error('a'); Object.defineProperty(e, 'message', {get() { for (;;); }}); throw e })()",
        "({[Symbol.toPrimitive]() { for (;;); }}) + 1",
        "/^(a+)+$/.test('a'.repeat(40) + 'b')",
        "Array.prototype.reverse.call({length: 2**53-1})",
        "Array.prototype.includes.call({length: 2**53-1}, 7)",
        "Array.prototype.copyWithin.call({length: 2**53-1}, 1)",
        "Array.prototype.unshift.call({length: 2**53-2}, 1)",
        "JSON.stringify({toJSON() { for (;;); }})",
    ] {
        let result = run(source).await;
        assert!(result.is_err(), "{source} gave {result:?}");
    }
    assert_eq!(run("1").await, int(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn endless_memory_ends() {
    for source in [
        "new Array(1e9)",
        "(() => { const a = []; a[2**32-2] = 1; return a })()",
        "(() => { const a = []; a.length = 5e6; return a })()",
        "Array.from({length: 5e6}, (_, i) => i)",
        "'x'.repeat(60e6)",
        "'x'.repeat(1e9)",
        "'x'.repeat(30e6)",
        "new Uint8Array(50e6)",
        "(() => { const a = []; for (;;) a.push(new Array(1e6).fill(0)) })()",
        "(() => { let b = 2n; for (let i = 0; i < 40; i++) b = b * b; return 1 })()",
        "(() => { const g = () => ({get a() { return g() }, get b() { return g() }}); return g() })()",
        "(() => { const o = []; o.push(o, o); return o })()",
        "(() => { const f = n => f(n + 1) + 1; return f(0) })()",
        "JSON.parse('['.repeat(200000) + ']'.repeat(200000))",
        "new RegExp('('.repeat(50000) + ')'.repeat(50000)).test('')",
        "Array.prototype.join.call({length: 2**32})",
    ] {
        let result = run(source).await;
        assert!(result.is_err(), "{source} gave {result:?}");
    }
    assert_eq!(run("1").await, int(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_that_no_parser_survives_are_refused() {
    for source in [
        format!("{}1{}", "(".repeat(100_000), ")".repeat(100_000)),
        format!("{}{}", "[".repeat(60_000), "]".repeat(60_000)),
        format!("{}1{}", "`${".repeat(30_000), "}`".repeat(30_000)),
        format!("{}1{}", "(()=>".repeat(20_000), ")".repeat(20_000)),
        format!("'{}'.length", "z".repeat(2_000_000)),
    ] {
        let result = run(&source).await;
        assert!(result.is_err(), "{} … gave {result:?}", &source[..20]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_ends_the_worker_costs_nothing_but_itself() {
    // Native loops end by the kernel's limit, so the worker goes with them.
    let source = "columns.n % 50 === 7 ? Array.prototype.reverse.call({length: 2**53-1}) : columns.n";
    let outcomes = for_numbers(source, 120).await;
    for (n, outcome) in outcomes.iter().enumerate() {
        match n % 50 {
            7 => assert!(outcome.is_err(), "{n}: {outcome:?}"),
            _ => assert_eq!(*outcome, int(n as i32), "{n}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_of_one_row_leaves_room_for_the_next() {
    // Each row leaves a ring that only a collector finds, of a third of what there is.
    let source = "(() => { const a = new Array(1.2e6).fill(columns.n); a[0] = a; return a.length })()";
    assert!(
        for_numbers(source, 30)
            .await
            .iter()
            .all(|outcome| *outcome == int(1_200_000))
    );
    let rows: Vec<Vec<Value<'_>>> = (0..20).map(|n| vec![Value::Int(n)]).collect();
    let greedy = script(
        "columns.n % 2 ? (() => { const a = []; for (;;) a.push([a]) })() : columns.n",
        &["n"],
    );
    for (n, outcome) in outcomes(&greedy, &rows).await.into_iter().enumerate() {
        match n % 2 {
            0 => assert_eq!(outcome, int(n as i32)),
            _ => assert_eq!(outcome, Err(ScriptError::OutOfMemory)),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_larger_than_the_engine_is_an_issue_of_itself() {
    let rows = [
        vec![Value::Text("x".repeat(60 << 20).into())],
        vec![Value::Text("y".into())],
    ];
    let found = outcomes(&script("columns.t.length", &["t"]), &rows).await;
    assert_eq!(found, [Err(ScriptError::OutOfMemory), int(1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_ends_what_was_done_for_him() {
    let endless = script("(() => { for (;;); })()", &[]);
    let rows: Vec<Vec<Value<'_>>> = (0..1000).map(|_| Vec::new()).collect();
    let left = tokio::time::timeout(Duration::from_millis(300), outcomes(&endless, &rows)).await;
    assert!(left.is_err(), "{left:?}");
    let begin = Instant::now();
    assert_eq!(run("1").await, int(1));
    assert!(begin.elapsed() < Duration::from_secs(60));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_compiles_may_still_not_run_anything_at_once() {
    let why = refused("eval('1')").await;
    assert!(why.contains("eval is not available"), "{why}");
    for source in [
        "new Function('return 1')()",
        "Function('return 1')()",
        "(() => {}).constructor('return 1')()",
        "Object.getPrototypeOf(class {}).constructor('1')",
        "Reflect.construct(Function, ['return 1'])",
        "(0, eval)('1')",
    ] {
        let why = refused(source).await;
        assert!(why.contains("is not available"), "{source}: {why}");
    }
    for source in [
        "Atomics.wait",
        "SharedArrayBuffer",
        "Promise.resolve(1)",
        "WeakRef",
        "performance.now()",
        "queueMicrotask(() => 1)",
    ] {
        let why = refused(source).await;
        assert!(why.contains("not defined"), "{source}: {why}");
    }
}
