//! The tables p, c, g and k and their mapping, which most cases of continuous jobs share.

use crate::common::{array, coll, document, spec, synthetic};
use godwit_shared::job::CdcStatus;
use godwit_tests::continuous::{Continuous, continuous_job, full_identity};
use godwit_tests::migrate::Migration;
use godwit_tests::proxy::{Links, Proxy};
use godwit_tests::servers::{Database, servers};
use godwit_tests::writers::Range;
use serde_json::{Value, json};
use std::time::Duration;

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

/// The same with a proxy before the source.
pub async fn behind_proxy(rows: &str) -> (Continuous, Proxy) {
    let m = family(rows).await;
    let proxy = Proxy::before(m.source.port).await;
    let url = m.source.jdbc_url_at(proxy.port);
    let job = continuous_job(&m).with("/jdbcConnectionDetails/url", json!(url));
    (Continuous::start_job(m, &job).await, proxy)
}

/// A migration of these tables with full old images to a destination behind a proxy.
pub async fn to_proxy(source: Database) -> (Migration, Proxy) {
    full_identity(&source).await;
    let mongo = &servers().await.mongo;
    let proxy = Proxy::before(mongo.port).await;
    let target = mongo.target_at(proxy.port, "behind").await;
    (Migration::between(source, target, mapping()).await, proxy)
}

/// A continuous job in the middle of its snapshot. It stays there until its destination, behind the proxy, flows again.
pub async fn stuck_in_the_snapshot(mut m: Migration, proxy: &Proxy) -> Continuous {
    let mut delay = Duration::from_millis(10);
    loop {
        proxy.delay(delay);
        let job = continuous_job(&m);
        let c = Continuous::begin(m, &job).await;
        c.wait("the first documents", |job| job.statistics.documents_written > 0)
            .await;
        proxy.stick(Links::All);
        proxy.delay(Duration::ZERO);
        if c.job().await.cdc_status == CdcStatus::NotStarted {
            return c;
        }
        // Everything was copied before: a slower destination.
        proxy.flow();
        c.abandon().await;
        (m, delay) = (c.m, delay * 2);
    }
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
