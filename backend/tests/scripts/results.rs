//! What users write, and what a document gets of it.

use crate::bed::{check, for_numbers, int, outcomes, refused, run, script, text};
use godwit::assemble::script::ScriptError;
use godwit::data::decimal::Decimal;
use godwit::data::value::Value;

#[tokio::test]
async fn results_become_the_smallest_type() {
    let cases = [
        ("1 + 1", Value::Int(2)),
        ("-0", Value::Int(0)),
        ("2 ** 31", Value::Long(1 << 31)),
        ("2 ** 63", Value::Double(2f64.powi(63))),
        ("0.5", Value::Double(0.5)),
        ("-Infinity", Value::Double(f64::NEG_INFINITY)),
        ("10n ** 18n", Value::Long(1_000_000_000_000_000_000)),
        ("-(2n ** 63n)", Value::Long(i64::MIN)),
        ("'a' + \"b\" // comment", Value::Text("ab".into())),
        ("1 /* a */", Value::Int(1)),
        ("{a: 1}", Value::Document(vec![("a".into(), Value::Int(1))])),
        ("new Date(5)", Value::Date(5)),
        (
            "new (class extends Date { getTime() { return 1e300 } })(7)",
            Value::Date(7),
        ),
        (
            "[1, undefined, , 'x']",
            Value::Array(vec![Value::Int(1), Value::Null, Value::Null, Value::Text("x".into())]),
        ),
        (
            "({a: 1, b: undefined, [Symbol.iterator]: 1})",
            Value::Document(vec![("a".into(), Value::Int(1))]),
        ),
        (
            "JSON.parse('{\"__proto__\":1,\"constructor\":2}')",
            Value::Document(vec![
                ("__proto__".into(), Value::Int(1)),
                ("constructor".into(), Value::Int(2)),
            ]),
        ),
        ("new Uint8Array([1, 2])", Value::Binary(vec![1, 2].into())),
        (
            "new (class { constructor() { this.a = 1 } })()",
            Value::Document(vec![("a".into(), Value::Int(1))]),
        ),
        (
            "(() => { let s = 0; for (const v of [1, 2, 3]) s += v; return s })()",
            Value::Int(6),
        ),
        ("'é'.normalize('NFD').length", Value::Int(2)),
        ("[3, 1, 2].sort().map(String).join('-')", Value::Text("1-2-3".into())),
    ];
    for (source, expected) in cases {
        assert_eq!(run(source).await, Ok(Some(expected)), "{source}");
    }
    assert_eq!(run("undefined").await, Ok(None));
    assert!(matches!(run("NaN").await, Ok(Some(Value::Double(n))) if n.is_nan()));
}

#[tokio::test]
async fn columns_arrive_as_their_kinds() {
    let columns = [
        ("price", Value::Decimal(Decimal::parse("1.10").unwrap().unwrap().0)),
        ("qty", Value::Int(3)),
        ("none", Value::Null),
        ("big", Value::Long(9_007_199_254_740_993)),
        (
            "doc",
            Value::Document(vec![("a".into(), Value::Array(vec![Value::Int(7)]))]),
        ),
        ("at", Value::Date(86_400_000)),
        ("net.price", Value::Text("n".into())),
        ("bytes", Value::Binary((&[1u8, 2][..]).into())),
        ("odd", Value::Document(vec![("__proto__".into(), Value::Int(1))])),
    ];
    let names: Vec<&str> = columns.iter().map(|(n, _)| *n).collect();
    let row = vec![columns.iter().map(|(_, v)| v.clone()).collect::<Vec<_>>()];
    let cases = [
        ("columns['price'] * columns.qty", Value::Double(3.300_000_000_000_000_3)),
        ("columns.none * 5", Value::Int(0)),
        ("columns.big + 1n", Value::Long(9_007_199_254_740_994)),
        ("columns.doc.a[0]", Value::Int(7)),
        ("columns.at.getUTCDate()", Value::Int(2)),
        ("columns['net.price']", Value::Text("n".into())),
        ("columns.bytes[1]", Value::Int(2)),
        ("Object.keys(columns.odd).length", Value::Int(1)),
        ("columns.none?.length ?? 'none'", Value::Text("none".into())),
    ];
    for (source, expected) in cases {
        assert_eq!(
            outcomes(&script(source, &names), &row).await,
            [Ok(Some(expected))],
            "{source}"
        );
    }
}

#[tokio::test]
async fn what_a_document_cannot_hold_is_refused_by_name() {
    for (source, name) in [
        ("() => 1", "function"),
        ("class A {}", "constructor"),
        ("Symbol('a')", "symbol"),
        ("2n ** 64n", "BigInt beyond 64 bits"),
        ("new Map([[1, 2]])", "Map"),
        ("new Set([1])", "Set"),
        ("new (class extends Map {})()", "Map"),
        ("/a/", "RegExp"),
        ("new TypeError('a')", "TypeError"),
        ("new String('a')", "String"),
        ("Object(1)", "Number"),
        ("new ArrayBuffer(4)", "ArrayBuffer"),
        ("new Float64Array(2)", "Float64Array"),
        ("[1].values()", "Iterator"),
        ("(function* () { yield 1 })()", "Iterator"),
        ("(async () => 1)()", "Promise"),
        ("[(async () => 1)()]", "Promise"),
        ("import('fs')", "Promise"),
        ("new Proxy({}, {})", "Proxy"),
        ("new Proxy([], {})", "Proxy"),
        ("globalThis", "built-in"),
        ("Math", "built-in"),
        ("({a: [JSON]})", "built-in"),
        ("new Date(NaN)", "Date that is not valid"),
        ("'\\ud800'", "half a character"),
        ("({'\\ud800': 1})", "half a character"),
        ("({['a\\0b']: 1})", "zero byte"),
        ("({['x'.repeat(70000)]: 1})", "64 KiB"),
        (
            "(() => { let a = 1; for (let i = 0; i < 200; i++) a = [a]; return a })()",
            "nested deeper",
        ),
        ("(() => { const o = {}; o.o = o; return o })()", "nested deeper"),
    ] {
        let why = refused(source).await;
        assert!(why.contains(name), "{source}: {why}");
    }
}

#[tokio::test]
async fn what_a_row_throws_is_told_in_at_most_a_kilobyte() {
    for (source, start) in [
        ("null.x", "TypeError"),
        ("(() => { throw 'no' })()", "no"),
        ("(() => { throw 'y'.repeat(20e6) })()", "yyy"),
        ("(() => { throw new Error('y'.repeat(20e6)) })()", "Error: yyy"),
        ("(() => { throw null })()", "null"),
        ("(() => { throw undefined })()", "undefined"),
        ("(() => { throw 'out of memory' })()", "out of memory"),
        ("(() => { throw {get name() { throw 1 }} })()", "object"),
        ("({get a() { throw 'g' }})", "g"),
        ("arguments[0]", "ReferenceError"),
    ] {
        match run(source).await {
            Err(ScriptError::Thrown(text)) => {
                assert!(text.starts_with(start), "{source}: {text}");
                assert!(text.len() <= 1024, "{source}: {} bytes", text.len());
            }
            other => panic!("{source} gave {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_text_that_is_not_one_expression_runs_nothing() {
    for source in [
        "1 +",
        "",
        "// nothing",
        "1; 2",
        "1 /*",
        "a) => (1",
        "1)}, (() => { for (;;); })(), function (columns) { return (2",
        "1)}, Array.prototype.reverse.call({length: 2**53-1}), function (columns) { return (2",
        "1); for (;;); (2",
        "1]; for (;;); [2",
        "1); export const a = (1",
        "1); import 'fs'; (2",
        "1\n)\n(2",
        "1)(2",
        "`${1)}`",
        "...[1]",
        "return 1",
        "await 1",
        "1 \u{0} + 1",
        "1 // \u{2028} for(;;);",
        "var a = 1",
    ] {
        assert!(
            matches!(check(source).await, Err(ScriptError::Syntax(_))),
            "{source:?}: {:?}",
            check(source).await
        );
        assert!(matches!(run(source).await, Err(ScriptError::Syntax(_))), "{source:?}");
    }
    for source in [
        "1, 2",
        "'a)' + ')' + /[)\\]]/.source",
        "(a => (a))(1)",
        "`)${')'}`",
        "1 // )\n",
        "{a: 1}",
        "function () {}",
    ] {
        assert_eq!(check(source).await, Ok(()), "{source}");
    }
}

#[tokio::test]
async fn many_rows_keep_their_order() {
    let many = for_numbers("columns.n * 2", 20_000).await;
    assert!(
        many.iter()
            .enumerate()
            .all(|(n, outcome)| *outcome == int(2 * n as i32))
    );
    let large = for_numbers("columns.n % 7 ? 'x'.repeat(30000) : columns.n", 2_000).await;
    for (n, outcome) in large.iter().enumerate() {
        match n % 7 {
            0 => assert_eq!(*outcome, int(n as i32)),
            _ => assert!(matches!(outcome, Ok(Some(Value::Text(t))) if t.len() == 30_000)),
        }
    }
    assert_eq!(run("'end'").await, text("end"));
}
