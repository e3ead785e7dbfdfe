//! Certificates of connections: given as a text, or from the folder that the administrator names. A given authority is used
//! with every SSL mode.

use godwit_tests::api::Api;
use godwit_tests::app::App;
use godwit_tests::process::scratch;
use godwit_tests::servers::{PASSWORD, PrivatePostgres, SUPERUSER, servers};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

fn openssl(folder: &Path, arguments: &str) {
    let done = Command::new("openssl")
        .args(arguments.split(' '))
        .current_dir(folder)
        .output();
    let done = done.expect("openssl");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

/// Two authorities, and a certificate of the first for this machine.
struct Authorities {
    folder: tempfile::TempDir,
}

impl Authorities {
    fn new() -> Authorities {
        let folder = tempfile::tempdir_in(scratch()).expect("a folder");
        let path = folder.path();
        for name in ["one", "two"] {
            openssl(
                path,
                &format!(
                    "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN={name} -keyout {name}.key -out {name}.pem \
                 -addext basicConstraints=critical,CA:TRUE"
                ),
            );
        }
        std::fs::write(
            path.join("san"),
            "subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n",
        )
        .expect("a file");
        openssl(
            path,
            "req -newkey rsa:2048 -nodes -subj /CN=server -keyout server.key -out server.csr",
        );
        openssl(
            path,
            "x509 -req -in server.csr -CA one.pem -CAkey one.key -CAcreateserial -days 2 -extfile san -out server.pem",
        );
        Authorities { folder }
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).expect("a certificate")
    }

    /// A server that shows the certificate, and takes both who encrypts and who does not.
    async fn postgres(&self) -> PrivatePostgres {
        let (certificate, key) = (self.text("server.pem"), self.text("server.key"));
        PrivatePostgres::start_with_files(
            &[("tls.pem", &certificate), ("tls.key", &key)],
            &["ssl=on", "ssl_cert_file=tls.pem", "ssl_key_file=tls.key"],
        )
        .await
    }
}

async fn test(api: &Api, url: &str, authority: Option<&str>) -> Result<String, String> {
    let mut details = json!({"type": "POSTGRESQL", "url": url, "user": SUPERUSER, "password": PASSWORD});
    if let Some(pem) = authority {
        details["sslRootCertContent"] = json!(pem);
    }
    outcome(api, "/connectivity/jdbc", &details).await
}

async fn outcome(api: &Api, path: &str, details: &Value) -> Result<String, String> {
    let answer = api.post(path, details).await;
    match answer.status {
        200 => Ok(answer.body["topology"].to_string()),
        _ => Err(format!(
            "{} {} {}",
            answer.status, answer.body["code"], answer.body["message"]
        )),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_given_authority_is_used_with_every_mode() {
    let authorities = Authorities::new();
    let (app, server) = tokio::join!(App::start(), authorities.postgres());
    let database = server.database("tls", "create table t(id int primary key)").await;
    let url = |mode: &str| {
        format!(
            "jdbc:postgresql://127.0.0.1:{}/{}?sslmode={mode}",
            database.port, database.name
        )
    };
    let (api, one, two) = (app.api(), authorities.text("one.pem"), authorities.text("two.pem"));
    for mode in ["prefer", "allow", "require", "verify-ca", "verify-full"] {
        let right = test(&api, &url(mode), Some(&one)).await;
        assert!(
            right
                .as_ref()
                .is_ok_and(|t| t.contains("encrypted") || t.contains("TLS")),
            "{mode}: {right:?}"
        );
        let wrong = test(&api, &url(mode), Some(&two)).await.expect_err(mode);
        assert!(wrong.contains("certificate"), "{mode}: {wrong}");
        let both = test(&api, &url(mode), Some(&format!("{two}\n{one}"))).await;
        assert!(both.is_ok(), "{mode}: {both:?}");
        let none = test(&api, &url(mode), None).await;
        assert_eq!(none.is_ok(), !mode.starts_with("verify"), "{mode}: {none:?}");
    }
    // Another name: the authority alone is not enough for `verify-full`.
    let named = url("verify-full").replacen("127.0.0.1", "localhost", 1);
    assert!(test(&api, &named, Some(&one)).await.is_err());
    assert!(
        test(&api, &named.replacen("verify-full", "verify-ca", 1), Some(&one))
            .await
            .is_ok()
    );
    for broken in [
        "nonsense",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
        &"x".repeat(2 << 20),
    ] {
        let refused = test(&api, &url("require"), Some(broken))
            .await
            .expect_err("no certificate");
        assert!(
            refused.starts_with("400") || refused.contains("certificate"),
            "{refused}"
        );
    }
    // A whole job, with the log of changes read over the same kind of link.
    let details = json!({"type": "POSTGRESQL", "url": url("verify-full"), "user": SUPERUSER, "password": PASSWORD, "sslRootCertContent": one});
    api.post("/schema/jdbc", &json!({"jdbcConnectionDetails": details}))
        .await
        .ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_saved_with_its_connection() {
    let authorities = Authorities::new();
    let (app, server) = tokio::join!(App::start(), authorities.postgres());
    let database = server.database("tls", "").await;
    let (api, one) = (app.api(), authorities.text("one.pem"));
    let url = format!(
        "jdbc:postgresql://127.0.0.1:{}/{}?sslmode=verify-full",
        database.port, database.name
    );
    let mut connection = json!({"name": "tls", "type": "POSTGRESQL", "url": url, "user": SUPERUSER, "password": PASSWORD,
        "savePassword": true, "sslRootCertContent": one});
    let saved = api.post("/connections/jdbc", &connection).await.ok();
    assert_eq!(saved["hasSslRootCert"], true);
    assert!(!saved.to_string().contains("BEGIN"), "{saved}");
    let details = json!({"existingConnectionId": saved["id"]});
    outcome(&api, "/connectivity/jdbc", &details).await.expect("it works");
    // It is sealed in the store.
    let entry = app
        .store()
        .await
        .collection::<bson::Document>("connections")
        .find_one(bson::doc! {})
        .await;
    assert!(!format!("{entry:?}").contains("CERTIFICATE"));
    connection["id"] = saved["id"].clone();
    connection["name"] = json!("renamed");
    for (given, is_kept) in [(None, true), (Some(""), false)] {
        connection
            .as_object_mut()
            .expect("an object")
            .remove("sslRootCertContent");
        if let Some(given) = given {
            connection["sslRootCertContent"] = json!(given);
        }
        let saved = api.post("/connections/jdbc", &connection).await.ok();
        assert_eq!(saved["hasSslRootCert"], is_kept);
        assert_eq!(outcome(&api, "/connectivity/jdbc", &details).await.is_ok(), is_kept);
    }
    connection["sslRootCertContent"] = json!("nonsense");
    api.post("/connections/jdbc", &connection)
        .await
        .error(400, "invalid_request");
}

/// `/dev/zero` filled the memory, a FIFO stopped the server, and messages told which files there are.
#[tokio::test(flavor = "multi_thread")]
async fn connection_strings_read_no_files_and_no_sockets_of_this_machine() {
    let mut app = App::start().await;
    let api = app.api();
    let folder = tempfile::tempdir_in(scratch()).expect("a folder");
    let inside = |name: &str| folder.path().join(name).display().to_string();
    let made = Command::new("mkfifo").arg(inside("fifo")).status();
    assert!(made.expect("mkfifo").success());
    std::fs::write(inside("secret"), "TOP SECRET").expect("a file");
    let port = servers().await.postgres.port;
    let mongo = servers().await.mongo.target("files").await.uri;
    let files = [
        "/dev/zero",
        "/dev/tty",
        "/etc/shadow",
        "/etc",
        "/no/such/file",
        "ca.pem",
        &inside("fifo"),
        &inside("secret"),
    ];
    let mut said = std::collections::BTreeSet::new();
    for file in files {
        for mode in ["prefer", "require", "verify-ca", "verify-full"] {
            let url = format!("jdbc:postgresql://127.0.0.1:{port}/postgres?sslmode={mode}&sslrootcert={file}");
            said.insert(test(&api, &url, None).await.expect_err(&url));
        }
        for option in ["tlsCAFile", "tlsCertificateKeyFile"] {
            let details = json!({"connectionString": format!("{mongo}&tls=true&{option}={file}")});
            let refused = outcome(&api, "/connectivity/mongodb", &details).await.expect_err(file);
            said.insert(refused.replace(option, "FILE"));
            let connection = json!({"name": "z", "connectionString": details["connectionString"]});
            api.post("/connections/mongodb", &connection)
                .await
                .error(400, "invalid_request");
        }
    }
    // One sentence for PostgreSQL, one for MongoDB: nothing tells which of them are there.
    let said: Vec<_> = said.into_iter().collect();
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(
        said.iter()
            .all(|s| s.starts_with("400") && s.contains("from no folder")),
        "{said:?}"
    );
    for host in ["%2Ftmp", "%2Fvar%2Frun%2Fpostgresql", "%40x"] {
        let refused = test(&api, &format!("jdbc:postgresql://{host}:{port}/postgres"), None)
            .await
            .expect_err(host);
        assert!(refused.starts_with("400") && refused.contains("socket"), "{refused}");
    }
    let socket = json!({"connectionString": "mongodb://%2Ftmp%2Fmongodb-27017.sock/x"});
    let refused = outcome(&api, "/connectivity/mongodb", &socket)
        .await
        .expect_err("a socket");
    assert!(refused.starts_with("400") && refused.contains("socket"), "{refused}");
    assert!(app.peak_memory_mib() < 500);
    assert!(app.terminate(std::time::Duration::from_secs(30)).success());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_folder_of_certificates_is_the_only_one() {
    let authorities = Authorities::new();
    let server = authorities.postgres().await;
    let database = server.database("tls", "").await;
    let outside = tempfile::tempdir_in(scratch()).expect("a folder");
    let folder = authorities.folder.path();
    let named = |name: &str| folder.join(name);
    std::fs::write(outside.path().join("one.pem"), authorities.text("one.pem")).expect("a file");
    std::os::unix::fs::symlink(outside.path().join("one.pem"), named("out.pem")).expect("a link");
    std::os::unix::fs::symlink("/dev/zero", named("zero.pem")).expect("a link");
    assert!(
        Command::new("mkfifo")
            .arg(named("fifo.pem"))
            .status()
            .expect("mkfifo")
            .success()
    );
    std::fs::File::create(named("large.pem"))
        .and_then(|f| f.set_len(300 << 20))
        .expect("a file");
    let dir = folder.display().to_string();
    let app = App::start_with(&[("GODWIT_CERTIFICATES_DIR", &dir)]).await;
    let api = app.api();
    let url = |file: &str| {
        format!(
            "jdbc:postgresql://127.0.0.1:{}/{}?sslmode=verify-full&sslrootcert={file}",
            database.port, database.name
        )
    };
    for file in ["one.pem", &format!("{dir}/one.pem")] {
        test(&api, &url(file), None).await.expect(file);
    }
    let elsewhere = outside.path().join("one.pem").display().to_string();
    for file in [
        "out.pem",
        "zero.pem",
        "fifo.pem",
        "missing.pem",
        "../one.pem",
        &elsewhere,
        "/etc/passwd",
        "/no/such/file",
        ".",
        &format!("{dir}/../x"),
        &dir,
    ] {
        let refused = test(&api, &url(file), None).await.expect_err(file);
        let expected = format!("sslrootcert: the folder of certificates has no file \\\"{file}\\\"");
        assert!(refused.starts_with("400") && refused.contains(&expected), "{refused}");
    }
    let large = test(&api, &url("large.pem"), None).await.expect_err("too large");
    assert!(large.contains("1 MiB"), "{large}");
    let key = test(&api, &url("server.key"), None).await.expect_err("no certificate");
    assert!(key.contains("no certificate in PEM"), "{key}");
    // MongoDB's options lead to the same folder.
    let mongo = servers().await.mongo.target("files").await.uri;
    for (file, expected) in [
        ("missing.pem", "no file"),
        ("/etc/passwd", "no file"),
        ("server.key", "no certificate"),
        ("large.pem", "1 MiB"),
    ] {
        let details = json!({"connectionString": format!("{mongo}&tls=true&tlsCAFile={file}")});
        let refused = outcome(&api, "/connectivity/mongodb", &details).await.expect_err(file);
        assert!(
            refused.starts_with("400") && refused.contains(expected),
            "{file}: {refused}"
        );
    }
    assert!(app.peak_memory_mib() < 500);
}

/// The certificate reaches the driver, also one to sign on with.
#[tokio::test(flavor = "multi_thread")]
async fn mongodb_is_reached_with_given_certificates() {
    let authorities = Authorities::new();
    let pair = format!("{}{}", authorities.text("server.pem"), authorities.text("server.key"));
    let server = godwit_tests::servers::PrivateMongo::start_with_tls(&pair, &authorities.text("one.pem")).await;
    let app = App::start().await;
    let (api, uri) = (
        app.api(),
        format!(
            "mongodb://127.0.0.1:{}/shop?serverSelectionTimeoutMS=2000&directConnection=true",
            server.port()
        ),
    );
    let details =
        json!({"connectionString": uri, "tlsCaContent": authorities.text("one.pem"), "tlsCertificateKeyContent": pair});
    outcome(&api, "/connectivity/mongodb", &details)
        .await
        .expect("it works");
    let changed = |name: &str, value: Value| {
        let mut details = details.clone();
        details[name] = value;
        details
    };
    for wrong in [
        changed("tlsCaContent", json!(authorities.text("two.pem"))),
        changed("tlsCaContent", Value::Null),
        changed("tlsCertificateKeyContent", Value::Null),
        changed("tlsCaContent", json!("nonsense")),
        changed("tlsCertificateKeyContent", json!(authorities.text("one.pem"))),
        changed("connectionString", json!(format!("{uri}&tls=false"))),
    ] {
        let refused = outcome(&api, "/connectivity/mongodb", &wrong).await;
        assert!(refused.is_err(), "{wrong}");
    }
    let connection = json!({"name": "tls", "connectionString": uri, "tlsCaContent": details["tlsCaContent"],
        "tlsCertificateKeyContent": details["tlsCertificateKeyContent"]});
    let saved = api.post("/connections/mongodb", &connection).await.ok();
    assert_eq!(
        (&saved["hasTlsCa"], &saved["hasTlsCertificateKey"]),
        (&json!(true), &json!(true))
    );
    assert!(!saved.to_string().contains("BEGIN"), "{saved}");
    let saved = json!({"existingConnectionId": saved["id"]});
    outcome(&api, "/connectivity/mongodb", &saved).await.expect("it works");
}
