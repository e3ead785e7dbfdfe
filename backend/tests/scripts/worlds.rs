//! No row, rule, job or project sees another, and every evaluation of a row gives the same.

use crate::bed::{for_numbers, in_world, int, outcomes, run, text};
use godwit::assemble::script::ScriptError;
use godwit::data::value::Value;

/// Ways to keep something, with `X` in the place of the object that keeps it.
const KEEPERS: [&str; 33] = [
    "Array.prototype.map",
    "Math.max",
    "Math",
    "Reflect.ownKeys",
    "JSON",
    "globalThis",
    "Object.getPrototypeOf([][Symbol.iterator]())",
    "Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()))",
    "Object.getPrototypeOf(''[Symbol.iterator]())",
    "Object.getPrototypeOf(new Map().entries())",
    "Object.getPrototypeOf(new Set().values())",
    "Object.getPrototypeOf('a'.matchAll(/a/g))",
    "Object.getPrototypeOf(function* () {})",
    "Object.getPrototypeOf(Object.getPrototypeOf((function* () {})()))",
    "Object.getPrototypeOf(async function () {})",
    "Object.getPrototypeOf(async function* () {})",
    "Object.getPrototypeOf(async function* () {}).prototype",
    "Object.getPrototypeOf(Uint8Array)",
    "Object.getPrototypeOf(Uint8Array).prototype",
    "Object.getPrototypeOf([1].values().map(x => x))",
    "Object.getPrototypeOf(Iterator.from({next() {}}))",
    "Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array).prototype, 'length').get",
    "Object.getOwnPropertyDescriptor(RegExp.prototype, 'flags').get",
    "Object.getOwnPropertyDescriptor(Object.prototype, '__proto__').set",
    "Object.getOwnPropertyDescriptor(Object.prototype, 'toString').get",
    "Symbol.prototype",
    "RegExp.prototype.exec",
    "Error",
    "Date",
    "new Date(0).constructor",
    "import.meta",
    "(t => t)`a`",
    "Function.prototype",
];

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_is_there_can_be_changed() {
    for keeper in KEEPERS {
        let source = format!("(() => {{ const x = {keeper}; x.count = (x.count || 0) + 1; return x.count }})()");
        for outcome in for_numbers(&source, 3).await {
            assert!(
                matches!(&outcome, Err(ScriptError::Thrown(t)) if t.starts_with("TypeError")),
                "{keeper}: {outcome:?}"
            );
        }
        let defined = format!("(() => {{ Object.defineProperty({keeper}, 'kept', {{value: 1}}); return 1 }})()");
        assert!(matches!(run(&defined).await, Err(ScriptError::Thrown(_))), "{keeper}");
        let other = format!("(() => {{ Object.setPrototypeOf({keeper}, {{}}); return 1 }})()");
        assert!(matches!(run(&other).await, Err(ScriptError::Thrown(_))), "{keeper}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_setter_keeps_anything() {
    for source in [
        "(Error.stackTraceLimit = 3)",
        "(Error.prepareStackTrace = () => 1)",
        "(globalThis.leak = 1)",
        "(Array.prototype.x = 1)",
        "(Object.prototype.toString = 1)",
        "(Error.prototype.name = 'x')",
        "(() => { leak = 1; return 1 })()",
        "(Object.prototype.__proto__ = {})",
        "delete Math.max",
    ] {
        let found = run(source).await;
        assert!(matches!(found, Err(ScriptError::Thrown(_))), "{source}: {found:?}");
    }
    assert_eq!(
        run("typeof leak + Error.stackTraceLimit").await,
        text("undefinedundefined")
    );
    let iterators = "(() => { const p = Object.getPrototypeOf([][Symbol.iterator]()); \
                     try { p.next = () => ({done: true}) } catch (e) {} let s = 0; for (const v of [1, 2, 3]) s += v; return s })()";
    assert_eq!(run(iterators).await, int(6));
}

#[tokio::test(flavor = "multi_thread")]
async fn names_of_the_data_may_be_those_of_the_language() {
    let source = "(() => { const o = {}; for (const k of ['constructor', 'toString', 'valueOf', '__x']) o[k] = 1; return Object.keys(o).length })()";
    assert_eq!(run(source).await, int(4));
    let own = "(() => { class Own extends Error { constructor(m) { super(m); this.name = 'Own' } } \
               try { throw new Own('a') } catch (e) { return `${e}` } })()";
    assert_eq!(run(own).await, text("Own: a"));
    assert_eq!(
        run("({}).toString() + typeof ({}).constructor").await,
        text("[object Object]function")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn expressions_of_one_plan_do_not_see_each_other() {
    let world = u64::MAX - 1;
    let rows = vec![Vec::new(); 3];
    let first = in_world(
        world,
        0,
        "(() => { try { Math.kept = 1; globalThis.kept = 1 } catch (e) { return 'fixed' } })()",
        &[],
    );
    assert_eq!(outcomes(&first, &rows).await, vec![text("fixed"); 3]);
    let second = in_world(world, 1, "typeof Math.kept + typeof globalThis.kept", &[]);
    assert_eq!(outcomes(&second, &rows).await, vec![text("undefinedundefined"); 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_plans_with_the_same_number_of_script_have_their_own_text() {
    for (world, expected) in [(u64::MAX - 3, 1), (u64::MAX - 2, 2), (u64::MAX - 3, 1)] {
        let script = in_world(world, 0, &expected.to_string(), &[]);
        assert_eq!(outcomes(&script, &[Vec::new()]).await, [int(expected)]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn work_that_would_run_later_is_refused_and_never_runs() {
    for source in [
        "(async () => { await 0; for (;;); })(), 1",
        "(async () => { for await (const x of [1]) for (;;); })(), 1",
        "(async function* () { yield 1 })().next(), 1",
    ] {
        let rows: Vec<_> = for_numbers(source, 3).await;
        for outcome in rows {
            assert!(
                matches!(&outcome, Err(ScriptError::NoValue(t)) if t.contains("Promise")),
                "{source}: {outcome:?}"
            );
        }
    }
    assert_eq!(run("1").await, int(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn time_chance_and_zone_are_fixed_or_refused() {
    for source in [
        "Date.now()",
        "new Date()",
        "Date()",
        "new (class extends Date {})()",
        "Math.random()",
        "Reflect.construct(Date, [])",
    ] {
        let found = run(source).await;
        assert!(
            matches!(&found, Err(ScriptError::Thrown(t)) if t.contains("not available")),
            "{source}: {found:?}"
        );
    }
    assert_eq!(
        run("new Date(2024, 0, 1).getTime()").await,
        Ok(Some(Value::Long(1_704_067_200_000)))
    );
    assert_eq!(run("new Date('2024-07-01T00:00:00').getTimezoneOffset()").await, int(0));
    assert_eq!(
        run("new Date('2024-07-01T00:00:00') instanceof Date").await,
        Ok(Some(Value::Bool(true)))
    );
    assert_eq!(run("Date.UTC(1970, 0, 2)").await, int(86_400_000));
    assert_eq!(run("new Date(0).toString()").await, run("new Date(0).toString()").await);
    assert_eq!(
        run("1234.5.toLocaleString() + 'ä'.localeCompare('b')").await,
        run("1234.5.toLocaleString() + 'ä'.localeCompare('b')").await
    );
}
