//! Faults of what reads and assembles: a comparison of documents cannot see them, for both of its sides have them. The sums
//! that source and destination compute by themselves do.

use crate::common::{array, assert_completed, coll, document, spec};
use godwit_shared::verification::{FindingKind, VerificationStatus};
use godwit_tests::migrate::Migration;
use godwit_tests::verifying::{assert_status, findings, verify};
use serde_json::json;

const TABLES: &str = "create table p(id int primary key, a int, b int, price numeric(10,2), name varchar(50), at timestamptz);
    create table c(id int primary key, p_id int references p, n bigint, label text);
    insert into p select i, i, i * 2, i * 1.25, 'name ' || i, timestamptz '2024-05-01' + i * interval '1 hour' from generate_series(1, 40) i;
    insert into c select i, 1 + i % 40, i * 3, 'label ' || i from generate_series(1, 160) i";

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_the_assembler_are_found_by_the_sums() {
    let rules = spec([
        coll("p", "p", "a b price name at").embed([array("cs", "c", "n label")]),
        coll("c", "c", "*").embed([document("p", "p", "a price")]),
    ]);
    let m = Migration::new(TABLES, rules).await;
    let api = m.app.api();
    let filtered = json!({"public": {"p": {"whereClause": "a <= 30"}}});
    for (fault, wanted) in [
        ("last-child", "p cs"),
        ("swapped-fields", "p a"),
        ("rounded-decimal", "p price"),
        ("forgotten-filter", "p "),
    ] {
        m.app.fault(fault, true);
        let job = match fault {
            "forgotten-filter" => m.job().filtered(filtered.clone()),
            _ => m.job(),
        };
        let ended = m.run(&job).await;
        assert_completed(&ended);
        let one = verify(&api, ended.id.as_str(), json!({})).await;
        m.app.fault(fault, false);
        assert_status(&one, VerificationStatus::Failed);
        let found = findings(&api, &one.id).await;
        assert!(
            found.iter().all(|f| f.kind == FindingKind::SumMismatch),
            "{fault}: {found:#?}"
        );
        let named: Vec<String> = found
            .iter()
            .map(|f| format!("{} {}", f.collection, f.path.as_deref().unwrap_or_default()))
            .collect();
        assert!(named.iter().any(|n| n == wanted), "{fault}: {named:?}");
        // Without the second path nothing is seen: that is why there is one.
        let documents: u64 = one
            .collections
            .iter()
            .map(|c| c.different + c.missing + c.unexpected)
            .sum();
        assert_eq!(documents, 0, "{fault}: {one:#?}");
    }
    let job = m.complete().await;
    let one = verify(&api, job.id.as_str(), json!({})).await;
    assert_status(&one, VerificationStatus::Verified);
}
