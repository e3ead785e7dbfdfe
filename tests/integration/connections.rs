//! Saved connections: what is saved for one address stays there.

use bson::doc;
use godwit_tests::api::{Answer, Api, LONG};
use godwit_tests::app::App;
use godwit_tests::servers::{PASSWORD, SUPERUSER, servers};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// A server that asks whoever comes for the password in clear text and writes down what it was sent.
struct Listener {
    port: u16,
    heard: mpsc::Receiver<String>,
}

impl Listener {
    async fn start() -> Listener {
        let socket = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = socket.local_addr().expect("an address").port();
        let (sender, heard) = mpsc::channel(100);
        tokio::spawn(async move {
            while let Ok((stream, _)) = socket.accept().await {
                let said = listen_to(stream).await;
                // Who asks whether a PostgreSQL is there goes away without a word.
                if said.is_empty() {
                    continue;
                }
                if sender.send(said).await.is_err() {
                    return;
                }
            }
        });
        Listener { port, heard }
    }

    fn url(&self) -> String {
        format!("jdbc:postgresql://127.0.0.1:{}/shop", self.port)
    }

    /// What one visitor has said until it went away.
    async fn next(&mut self) -> String {
        let said = tokio::time::timeout(LONG, self.heard.recv()).await;
        said.expect("a visitor in time").expect("the listener lives")
    }
}

/// Everything that a client of PostgreSQL says to a server without TLS that wants its password.
async fn listen_to(mut stream: TcpStream) -> String {
    // The code of a request for TLS, in place of a protocol version.
    const TLS_REQUEST: u32 = 80_877_103;
    let mut said = Vec::new();
    while let Ok(length) = stream.read_u32().await {
        let mut message = vec![0; length.saturating_sub(4) as usize];
        if stream.read_exact(&mut message).await.is_err() {
            break;
        }
        if message.starts_with(&TLS_REQUEST.to_be_bytes()) {
            let _ = stream.write_all(b"N").await;
            continue;
        }
        said.append(&mut message);
        // AuthenticationCleartextPassword; the answer is one message, if any.
        let _ = stream.write_all(&[b'R', 0, 0, 0, 8, 0, 0, 0, 3]).await;
        let _ = stream.read_buf(&mut said).await;
        break;
    }
    String::from_utf8_lossy(&said).into_owned()
}

async fn save(api: &Api, connection: &Value) -> Value {
    let saved = api.post("/connections/jdbc", connection).await.ok();
    assert!(!saved.to_string().contains(PASSWORD), "{saved}");
    saved
}

async fn test(api: &Api, details: Value) -> Answer {
    api.post("/connectivity/jdbc", &details).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_password_is_not_sent_to_another_address() {
    let (app, mut listener) = (App::start().await, Listener::start().await);
    let api = app.api();
    let url = format!("jdbc:postgresql://127.0.0.1:{}/postgres", servers().await.postgres.port);
    let connection = json!({"name": "shop", "type": "POSTGRESQL", "url": url, "user": SUPERUSER,
        "password": PASSWORD, "savePassword": true});
    let saved = save(&api, &connection).await;
    let id = saved["id"].as_str().expect("an id");
    // It works where it belongs, named or not.
    for details in [
        json!({"existingConnectionId": id}),
        json!({"existingConnectionId": id, "url": url}),
    ] {
        test(&api, details).await.ok();
    }
    // The listener hears a password that is meant for it.
    let own = json!({"type": "POSTGRESQL", "url": listener.url(), "user": "shop", "password": "for the listener"});
    test(&api, own).await.error(502, "source_unreachable");
    assert!(listener.next().await.contains("for the listener"));

    let elsewhere = [
        listener.url(),
        listener.url().replace("/shop", "/postgres"),
        listener.url().replacen("127.0.0.1", "localhost", 1),
    ];
    for url in elsewhere {
        let details = json!({"type": "POSTGRESQL", "url": url, "user": SUPERUSER, "existingConnectionId": id});
        test(&api, details).await.error(502, "source_unreachable");
        let said = listener.next().await;
        assert!(said.contains(SUPERUSER), "nobody came: {said:?}");
        assert!(!said.contains(PASSWORD), "{url} was sent the saved password");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_connection_keeps_what_is_hidden_as_long_as_its_address_stays() {
    let (app, mut listener) = (App::start().await, Listener::start().await);
    let api = app.api();
    let address = format!("127.0.0.1:{}/postgres", servers().await.postgres.port);
    let url = format!("jdbc:postgresql://{address}?password={}", PASSWORD.replace(' ', "%20"));
    let mut connection = json!({"name": "shop", "type": "POSTGRESQL", "url": url, "user": SUPERUSER});
    let saved = save(&api, &connection).await;
    let details = json!({"existingConnectionId": saved["id"]});
    // Another name, the address as the page shows it.
    connection["id"] = saved["id"].clone();
    connection["name"] = json!("the shop");
    connection["url"] = saved["url"].clone();
    assert_eq!(save(&api, &connection).await["name"], "the shop");
    test(&api, details.clone()).await.ok();

    connection["url"] = json!(format!("jdbc:postgresql://{address}"));
    connection["password"] = json!(PASSWORD);
    connection["savePassword"] = json!(true);
    save(&api, &connection).await;
    connection["password"] = Value::Null;
    assert_eq!(save(&api, &connection).await["hasPassword"], true);
    test(&api, details.clone()).await.ok();
    connection["url"] = json!(listener.url());
    assert_eq!(save(&api, &connection).await["hasPassword"], false);
    test(&api, details).await.error(502, "source_unreachable");
    let said = listener.next().await;
    assert!(said.contains(SUPERUSER) && !said.contains(PASSWORD), "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_destination_keeps_its_password() {
    let app = App::start().await;
    let (api, target) = (app.api(), servers().await.mongo.target("saved").await);
    let user = doc! {"createUser": "writer", "pwd": "a secret", "roles": []};
    target.database.run_command(user).await.expect("a user");
    let uri = target.uri.replacen("mongodb://", "mongodb://writer:a%20secret@", 1);
    let mut connection = json!({"name": "shop", "connectionString": uri});
    let saved = api.post("/connections/mongodb", &connection).await.ok();
    let shown = uri.replace("a%20secret", "***");
    assert_eq!(saved["connectionString"], shown);
    connection["id"] = saved["id"].clone();
    connection["name"] = json!("the shop");
    connection["connectionString"] = json!(shown);
    assert_eq!(
        api.post("/connections/mongodb", &connection).await.ok()["name"],
        "the shop"
    );
    let test = |uri: &str| {
        let details = json!({"existingConnectionId": saved["id"], "connectionString": uri});
        let api = api.clone();
        async move { api.post("/connectivity/mongodb", &details).await }
    };
    test("").await.ok();
    // The password is asked for in this server.
    test(&uri.replace("a%20secret", "another"))
        .await
        .error(502, "target_unreachable");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_fields_of_a_destination_say_wins_over_its_uri() {
    let app = App::start().await;
    let (api, target) = (app.api(), servers().await.mongo.target("fields").await);
    let user = doc! {"createUser": "clerk", "pwd": "p/w", "roles": []};
    target.database.run_command(user).await.expect("a user");
    let name = target.database.name();
    let bare = target.uri.replacen(&format!("/{name}"), "/", 1);
    let uri = bare.replacen("mongodb://", "mongodb://nobody:nothing@", 1);
    let auth = |uri: &str| {
        let separator = if uri.contains('?') { '&' } else { '?' };
        format!("{uri}{separator}authSource={name}")
    };
    let test = |details: Value| {
        let api = api.clone();
        async move { api.post("/connectivity/mongodb", &details).await }
    };
    let own = json!({"connectionString": auth(&uri), "user": "clerk", "password": "p/w"});
    test(own).await.ok();
    test(json!({"connectionString": auth(&uri)}))
        .await
        .error(502, "target_unreachable");

    // A saved one has them too; its password does not go to another address, nor to another user.
    let connection = json!({"name": "fields", "connectionString": auth(&bare), "database": name, "user": "clerk",
        "password": "p/w", "savePassword": true});
    let saved = api.post("/connections/mongodb", &connection).await.ok();
    assert!(!saved.to_string().contains("p/w"), "{saved}");
    assert_eq!(
        (&saved["database"], &saved["hasPassword"]),
        (&json!(name), &json!(true))
    );
    test(json!({"existingConnectionId": saved["id"]})).await.ok();
    let refused = [
        json!({"existingConnectionId": saved["id"], "connectionString": format!("{}&retryWrites=true", auth(&bare)),
            "user": "clerk"}),
        json!({"existingConnectionId": saved["id"], "user": "nobody"}),
        json!({"existingConnectionId": saved["id"], "password": "another"}),
    ];
    for details in refused {
        let answer = test(details).await;
        assert!(answer.status != 200, "{}", answer.body);
    }
    let mut changed = connection;
    changed["id"] = saved["id"].clone();
    changed["password"] = Value::Null;
    assert_eq!(
        api.post("/connections/mongodb", &changed).await.ok()["hasPassword"],
        true
    );
    changed["savePassword"] = json!(false);
    assert_eq!(
        api.post("/connections/mongodb", &changed).await.ok()["hasPassword"],
        false
    );
    changed["name"] = json!("x".repeat(101));
    api.post("/connections/mongodb", &changed)
        .await
        .error(400, "invalid_request");
}

/// What is no PostgreSQL is told as that, and soon, whether it speaks or not.
#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_is_not_postgresql() {
    let app = App::start().await;
    let api = app.api();
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let silent_port = silent.local_addr().expect("an address").port();
    let http: u16 = app
        .base()
        .rsplit(':')
        .next()
        .and_then(|p| p.parse().ok())
        .expect("a port");
    for (port, expected) in [(http, "is not PostgreSQL"), (silent_port, "within 2 seconds")] {
        let url = format!("jdbc:postgresql://127.0.0.1:{port}/shop");
        let details = json!({"type": "POSTGRESQL", "url": url, "user": "u", "password": "p"});
        let message = test(&api, details).await.error(502, "source_unreachable");
        assert!(message.contains(expected) && !message.contains("os error"), "{message}");
    }
    let nobody = godwit_tests::process::free_port();
    let url = format!("jdbc:postgresql://127.0.0.1:{nobody}/shop");
    let details = json!({"type": "POSTGRESQL", "url": url, "user": "u", "password": "p"});
    let message = test(&api, details).await.error(502, "source_unreachable");
    assert!(message.ends_with("connection refused"), "{message}");
}
