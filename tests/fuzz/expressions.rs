//! Expressions, from their text to BSON: whatever is written, a worker answers, what a document gets is valid BSON, and what
//! is evaluated without an engine is what an engine gives. And the answers of a worker that is not ours any more.

use crate::harness::Fuzz;
use crate::json_numbers::walk;
use bson::RawDocument;
use godwit::assemble::bson_value::{begin, element, end};
use godwit::assemble::script::{MESSAGE_BYTES_MAX, Outcome};
use godwit::data::value::Value;
use godwit::plan::{Script, plain};
use godwit::scripts::{self, Urgency, codec};
use std::cell::Cell;

const NAMES: [&str; 5] = ["n", "t", "none", "x", "doc"];

fn rows() -> Vec<Vec<Value<'static>>> {
    let document = Value::Document(vec![("a".into(), Value::Array(vec![Value::Int(7), Value::Null]))]);
    let row = |n, t: &'static str, x| vec![n, Value::Text(t.into()), Value::Null, x, document.clone()];
    vec![
        row(Value::Int(7), "x", Value::Double(-0.5)),
        row(Value::Long(1 << 53), "", Value::Bool(true)),
        row(Value::Int(0), "ä\u{10ffff}", Value::Long(i64::MAX)),
        row(Value::Double(f64::NAN), "10", Value::Date(5)),
    ]
}

fn document_of(value: &Value<'_>) -> Vec<u8> {
    let mut document = Vec::new();
    let start = begin(&mut document);
    element(&mut document, b"v\0", value);
    end(&mut document, start);
    document
}

#[test]
fn expressions() {
    scripts::use_program(godwit_tests::app::binary());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let (rows, worlds) = (rows(), Cell::new(1 << 32));
    Fuzz::new("expressions")
        .seeds([
            "columns.n * 2 - 1",
            "columns['t'] + ' ' + columns.none",
            "columns.n > 6 ? columns.t : null",
            "columns.none ?? columns.x",
            "!columns.n || columns.n !== columns.x && true",
            "columns.n % 3 === 0 == false",
            "-columns.x / +columns.n + (1.5e3 - 2)",
            "(() => { let s = 0; for (const v of [1, 2, 3]) s += v; return s })()",
            "columns.doc.a.map(v => v ?? 'none').join('-')",
            "({a: 1, 'b.c': [undefined, , 1n], $d: new Date(5)}) // comment",
            "new Uint8Array([1, 2])",
            "columns.t.replace(/x/i, 'y').split('')",
            "JSON.parse('{\"__proto__\":1}')",
            "new Map([[1, 2]])",
            "'\\ud800'",
            "`${columns.n}`",
        ])
        .tokens([
            "columns",
            ".n",
            "['t']",
            "(",
            ")",
            "[",
            "]",
            "{",
            "}",
            "=>",
            "`",
            "${",
            "/*",
            "*/",
            "//",
            "\n",
            "\u{2028}",
            "...",
            ";",
            "async ",
            "await ",
            "function",
            "*",
            "yield ",
            "Symbol()",
            "__proto__",
            ".constructor",
            "new ",
            "class ",
            "get a(){return ",
            "null",
            "undefined",
            "NaN",
            "0n",
            "\\u0000",
            "\\ud800",
            "'",
            "\"",
            "===",
            "!=",
            "??",
            "||",
            "&&",
            "?",
            ":",
            "%",
            "+",
            "-",
            "repeat(1e9)",
            "new Array(1e9)",
            "Array.from({length:1e6})",
            "import.meta",
            "import('a')",
            "throw ",
            "eval",
            "=",
            "<!--",
            "-->",
        ])
        .run(|input| {
            let source = String::from_utf8_lossy(input).into_owned();
            let world = worlds.get();
            worlds.set(world + 1);
            let inputs: Vec<(String, usize)> = NAMES.iter().enumerate().map(|(i, n)| ((*n).to_owned(), i)).collect();
            let by_engine = Script {
                id: 0,
                world,
                source: source.clone(),
                plain: None,
                inputs: inputs.clone(),
            };
            let by_itself = Script {
                plain: plain::parse(&source, &inputs),
                ..by_engine.clone()
            };
            let found = runtime.block_on(evaluate(&by_engine, &rows));
            found.iter().try_for_each(check)?;
            if by_itself.plain.is_some() {
                let plain = runtime.block_on(evaluate(&by_itself, &rows));
                // NaN is not itself.
                if format!("{plain:?}") != format!("{found:?}") {
                    return Err(format!("{plain:?} without an engine, {found:?} with one"));
                }
            }
            Ok(())
        });
}

async fn evaluate(script: &Script, rows: &[Vec<Value<'static>>]) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    let each = |outcome, _| {
        outcomes.push(outcome);
        true
    };
    let value = |row: usize, input: usize| rows[row][input].clone();
    let is_whole = scripts::evaluate(script, rows.len(), Urgency::Job, value, each).await;
    assert_eq!(is_whole, Ok(true));
    assert_eq!(outcomes.len(), rows.len());
    outcomes
}

fn check(outcome: &Outcome) -> Result<(), String> {
    match outcome {
        Ok(None) => Ok(()),
        Ok(Some(value)) => {
            let document = document_of(value);
            walk(RawDocument::from_bytes(&document).map_err(|e| format!("no BSON: {e}"))?)
        }
        Err(error) if error.to_string().len() > 2 * MESSAGE_BYTES_MAX => Err("a message that is too long".into()),
        Err(_) => Ok(()),
    }
}

#[test]
fn answers_of_workers() {
    let seed = |value: &Value<'_>| {
        let mut record = Vec::new();
        codec::write_record(&mut record, |out| {
            codec::write_value(out, value);
            Ok(true)
        });
        record.split_off(4)
    };
    let seeds: Vec<Vec<u8>> = rows().iter().flatten().map(seed).collect();
    Fuzz::new("answers_of_workers")
        .seeds(seeds)
        .run(|input| match codec::read_record(input) {
            Ok(outcome) => check(&outcome),
            Err(codec::Malformed) => Ok(()),
        });
}
