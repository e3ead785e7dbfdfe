//! What is read of a catalog.

use super::bed::{on_both, source_of};
use godwit::source::SourceError;
use godwit::source::api::Source;
use godwit::source::mysql::url::{RootCert, SslMode};
use godwit_shared::mapping::FieldType;
use godwit_tests::servers::Family;
use mysql_async::prelude::Queryable;

#[tokio::test]
async fn tables_keys_and_indexes() {
    let statements = [
        "CREATE TABLE `we``ird.na\"me` (`order` INT AUTO_INCREMENT, `a.b` VARCHAR(10) NOT NULL, PRIMARY KEY (`a.b`, `order`), \
         KEY (`order`))",
        "CREATE TABLE p (a INT, b VARCHAR(5), u INT UNIQUE, PRIMARY KEY (b, a))",
        "CREATE TABLE c (id INT PRIMARY KEY, pb VARCHAR(5), pa INT, pu INT, FOREIGN KEY composite (pb, pa) REFERENCES p (b, a), \
         CONSTRAINT by_unique FOREIGN KEY (pu) REFERENCES p (u), g INT AS (id * 2) STORED)",
        "CREATE VIEW v AS SELECT * FROM p",
    ];
    on_both("catalog", &statements, async |bed| {
        let catalog = bed.catalog().await;
        assert_eq!(
            catalog.tables.len(),
            3,
            "views are left out: {:?}",
            catalog.tables.keys()
        );
        assert_eq!(catalog.database, "database");
        let weird = bed.table(&catalog, "we`ird.na\"me");
        assert_eq!(weird.primary_key, [1, 0], "in the order of the key");
        assert!(weird.columns[0].is_auto_incremented && !weird.columns[0].nullable && weird.can_select);
        let child = bed.table(&catalog, "c");
        let key = child
            .foreign_keys
            .iter()
            .find(|k| k.columns.len() == 2)
            .expect("the composite key");
        assert_eq!(
            (&key.columns[..], &key.target_columns[..]),
            (&["pb".to_owned(), "pa".into()][..], &["b".to_owned(), "a".into()][..])
        );
        assert_eq!(key.equalities.len(), 2);
        assert!(child.foreign_keys.iter().any(|k| k.name == "by_unique"));
        let generated = &child.columns[child.column("g").expect("a generated column")];
        assert!(generated.is_generated && generated.default_type == FieldType::Integer);
        let parent = bed.table(&catalog, "p");
        assert!(parent.is_unique_on(&[2]) && !parent.is_unique_on(&[0]));
        assert!(child.has_index_on(&[1, 2]));
    })
    .await;
}

#[tokio::test]
async fn without_a_database_all_of_the_user_are_read() {
    on_both("several", &["CREATE TABLE t (id INT PRIMARY KEY)"], async |bed| {
        let source = source_of(bed.server, "root", "");
        let catalog = source
            .session()
            .await
            .expect("a session")
            .read_catalog()
            .await
            .expect("the catalog");
        bed.table(&catalog, "t");
        let system = ["mysql", "sys", "information_schema", "performance_schema"];
        assert!(catalog.tables.keys().all(|t| !system.contains(&t.schema.as_str())));
    })
    .await;
}

#[tokio::test]
async fn tables_that_may_not_be_read_are_known() {
    let statements = [
        "CREATE TABLE seen (id INT PRIMARY KEY)",
        "CREATE TABLE hidden (id INT PRIMARY KEY)",
    ];
    on_both("rights", &statements, async |bed| {
        let user = format!("u{}", bed.database);
        let user = &user[..user.len().min(16)];
        let mut conn = bed.server.connect("root", &bed.database).await.expect("a connection");
        for sql in [
            format!("DROP USER IF EXISTS {user}@localhost"),
            format!("CREATE USER {user}@localhost"),
            format!("GRANT SELECT ON seen TO {user}@localhost"),
            format!("GRANT INSERT ON hidden TO {user}@localhost"),
        ] {
            conn.query_drop(&sql).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
        }
        let source = source_of(bed.server, user, &bed.database);
        let catalog = source
            .session()
            .await
            .expect("a session")
            .read_catalog()
            .await
            .expect("the catalog");
        assert!(bed.table(&catalog, "seen").can_select);
        assert!(!bed.table(&catalog, "hidden").can_select);
    })
    .await;
}

/// Debian's MariaDB has no certificate, and a MySQL makes one for itself that names no host.
#[tokio::test]
async fn links_are_encrypted_where_it_is_asked_for() {
    on_both("tls", &[], async |bed| {
        let test = async |mode: SslMode, authority: Option<String>| {
            let mut source = bed.source.clone();
            source.address.ssl_mode = mode;
            source.address.ssl_root_cert = authority.map(|pem| RootCert::Content(pem.into()));
            source.test().await
        };
        let plain = test(SslMode::Disabled, None).await.expect("a link");
        assert_eq!(plain.topology, "not encrypted");
        test(SslMode::Preferred, None).await.expect("a link of any kind");
        match bed.server.authority() {
            None => {
                let refused = test(SslMode::Required, None).await;
                assert!(matches!(refused, Err(SourceError::TlsRefused { .. })), "{refused:?}");
            }
            Some(authority) => {
                let secret = test(SslMode::Required, None).await.expect("a link");
                assert_eq!(secret.topology, "encrypted");
                for authority in [None, Some(authority)] {
                    let refused = test(SslMode::VerifyIdentity, authority).await;
                    assert!(
                        matches!(refused, Err(SourceError::CertificateRejected { .. })),
                        "{refused:?}"
                    );
                }
            }
        }
    })
    .await;
}

#[tokio::test]
async fn what_a_server_is_and_why_it_refuses() {
    on_both("test", &[], async |bed| {
        let result = bed.source.test().await.expect("a connection");
        let name = if bed.family == Family::MariaDb {
            "MariaDB 10."
        } else {
            "MySQL 5.7."
        };
        assert!(result.version.starts_with(name), "{}", result.version);
        let refused = source_of(bed.server, "nobody", &bed.database).test().await;
        assert!(
            matches!(
                refused,
                Err(SourceError::WrongPassword { .. } | SourceError::NotLetIn { .. })
            ),
            "{refused:?}"
        );
        let missing = source_of(bed.server, "root", "no_such_database").test().await;
        assert!(
            matches!(missing, Err(SourceError::NoSuchDatabase { .. })),
            "{missing:?}"
        );
    })
    .await;
}
