//! The tables p, c, g and k and their mapping, which most cases of continuous jobs share.

use crate::common::{array, coll, document, spec, synthetic};
use godwit_tests::continuous::{Continuous, full_identity};
use godwit_tests::migrate::Migration;
use godwit_tests::writers::Range;
use serde_json::{Value, json};

/// `c.k_id` has no constraint: its rows may name a k that is not there yet.
pub const TABLES: &str = "
    create table p(id int primary key, n text);
    create table k(id int primary key, v text);
    create table c(id int primary key, p_id int references p deferrable, x text, k_id int);
    create table g(id int primary key, c_id int references c on delete cascade deferrable, y text);
    create index on c(p_id); create index on c(k_id); create index on g(c_id);";

/// Takes all rows away.
pub const EMPTY: &str = "delete from g; delete from c; delete from p; delete from k;";

/// Sixty-four parents with two children each and two below every child.
pub const ROWS: &str = "
    insert into k select i, 'v' || i from generate_series(1, 8) i;
    insert into p select i, 'n' || i from generate_series(1, 64) i;
    insert into c select i, (i + 1) / 2, 'x' || i, i % 8 + 1 from generate_series(1, 128) i;
    insert into g select i, (i + 1) / 2, 'y' || i from generate_series(1, 256) i;";

/// The mapping M, and with it every k as a document of its own.
pub fn mapping() -> Value {
    of([
        coll("ps", "p", "n")
            .embed([array("cs", "c", "id x").embed([array("gs", "g", "id y"), document("k", "k", "v")])]),
        coll("ks", "k", "v"),
    ])
}

/// M, with nulls left out in `ps`.
pub fn mapping_omitting_nulls() -> Value {
    let k = document("k", "k", "v").with("omit_null", json!(["v"]));
    let cs = array("cs", "c", "id x")
        .with("omit_null", json!(["x"]))
        .embed([array("gs", "g", "id y"), k]);
    of([coll("ps", "p", "n").with("omit_null", json!(["n"])).embed([cs])])
}

fn of<const N: usize>(rules: [crate::common::Rule; N]) -> Value {
    let mut mapping = spec(rules);
    mapping["synthetic"] = json!([synthetic("c", "k_id", "k", "id")]);
    mapping
}

/// A migration of these tables with these rows in them and full old images.
pub async fn family(rows: &str) -> Migration {
    let m = Migration::new(&format!("{TABLES}{rows}"), mapping()).await;
    full_identity(&m.source).await;
    m
}

/// The same with its job streaming.
pub async fn streaming_family(rows: &str) -> Continuous {
    Continuous::start(family(rows).await).await
}

/// What writers of these rows choose from: also rows that are not there yet.
pub const RANGE: Range = Range {
    p: 72,
    c: 200,
    g: 400,
    k: 10,
};

/// Fifteen thousand parents more, two children each, which writers leave alone.
pub const COLD: &str = "
    insert into p select i, rpad(md5(i::text), 300, md5(i::text)) from generate_series(1000, 15999) i;
    insert into c select i, i / 2, 'x' || i, i % 8 + 1 from generate_series(2000, 31999) i;";
