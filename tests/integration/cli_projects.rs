//! Commands that need neither server nor store: what they print, and what they end with.

use godwit_tests::cli::Shell;
use godwit_tests::servers::{PASSWORD, SUPERUSER, servers};
use serde_json::{Value, json};

const SHOP: &str = "
    CREATE TABLE customer(id INTEGER PRIMARY KEY, name TEXT NOT NULL);
    CREATE TABLE orders(id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customer, total NUMERIC(10,2));
    CREATE TABLE line(order_id INTEGER NOT NULL REFERENCES orders ON DELETE CASCADE, no INTEGER, sku TEXT, PRIMARY KEY (order_id, no));
    CREATE INDEX order_customer ON orders(customer_id);
    INSERT INTO customer VALUES (1, 'Ann'), (2, 'Bob');
    INSERT INTO orders VALUES (10, 1, 9.5), (11, 1, 20);
    INSERT INTO line VALUES (10, 1, 'a'), (10, 2, 'b'), (11, 1, 'c');
    ANALYZE;
";

fn shop() -> Shell {
    let shell = Shell::new().with("GODWIT_SOURCE", "sqlite:shop.db");
    shell.sqlite("shop.db", SHOP);
    shell
}

#[test]
fn tables_of_a_source_are_shown() {
    let shell = shop();
    let events = shell.ends(0, &["schema"]).events();
    let mut names: Vec<&str> = events.iter().filter_map(|e| e["table"].as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["main.customer", "main.line", "main.orders"]);
    let text = shell
        .ends(0, &["schema", "--table", "main.customer", "--output", "text"])
        .out;
    assert!(
        text.contains("name") && text.contains("TEXT") && text.contains("not null"),
        "{text}"
    );
    shell.ends(2, &["schema", "--table", "main.nothing"]);
}

#[test]
fn a_project_is_made_of_a_source_as_file_or_as_text() {
    let shell = shop();
    shell.ends(0, &["init", "plain.relmig"]);
    let plain: Value = serde_json::from_str(&shell.read("plain.relmig")).expect("JSON");
    assert_eq!(
        plain["project"]["content"]["collections"]
            .as_object()
            .expect("collections")
            .len(),
        3
    );
    assert_eq!(plain["project"]["name"], "plain");
    let made = shell.ends(
        0,
        &["init", "shop.yaml", "--recommended", "--exact", "--casing", "snake"],
    );
    assert!(made.event("decision")["reason"].as_str().is_some_and(|r| !r.is_empty()));
    let text = shell.read("shop.yaml");
    assert!(
        text.contains("as: array") && text.contains("casing: SNAKE_CASE"),
        "{text}"
    );
    // What is there stays.
    shell.ends(2, &["init", "shop.yaml"]);
    assert_eq!(shell.read("shop.yaml"), text);
    shell.ends(0, &["init", "shop.yaml", "--force", "--tables", "main.customer"]);
    assert!(!shell.read("shop.yaml").contains("orders"));
    shell.ends(2, &["init", "other.yaml", "--tables", "main.nothing"]);
    let printed: Value = serde_json::from_str(&shell.ends(0, &["init", "-"]).out).expect("JSON");
    assert_eq!(printed["project"]["type"], "SQLITE");
}

#[test]
fn both_forms_of_a_project_say_the_same() {
    let shell = shop();
    shell.ends(0, &["init", "shop.relmig", "--recommended"]);
    shell.ends(0, &["convert", "shop.relmig", "shop.yaml"]);
    shell.ends(0, &["convert", "shop.yaml", "again.relmig"]);
    let read = |name: &str| serde_json::from_str::<Value>(&shell.read(name)).expect("JSON");
    assert_eq!(read("shop.relmig"), read("again.relmig"));
    shell.ends(0, &["diff", "shop.relmig", "shop.yaml"]);
    // Without its schema it needs the source.
    shell.ends(0, &["convert", "shop.relmig", "bare.yaml", "--without-schema"]);
    assert!(!shell.read("bare.yaml").contains("ordinalPosition"));
    let here = Shell::new();
    here.write("bare.yaml", &shell.read("bare.yaml"));
    let refused = here.ends(2, &["convert", "bare.yaml", "x.relmig"]);
    assert_eq!(refused.failure()["code"], "invalid_project_file");
    shell.ends(0, &["convert", "bare.yaml", "full.relmig"]);
    shell.ends(0, &["diff", "full.relmig", "shop.relmig"]);
    let schema: Value = serde_json::from_str(&shell.ends(0, &["convert", "--json-schema"]).out).expect("JSON");
    assert_eq!(schema["title"], "A Godwit project as text");
}

#[test]
fn documents_are_shown_before_they_are_written() {
    let shell = shop();
    shell.ends(
        0,
        &["init", "shop.relmig", "--recommended", "--exact", "--keys", "single"],
    );
    let shown = shell
        .ends(
            0,
            &["preview", "shop.relmig", "--collection", "customer", "--key", "id=2"],
        )
        .events();
    assert_eq!(shown[0]["document"]["name"], "Bob");
    let found = shell
        .ends(
            0,
            &["preview", "shop.relmig", "--collection", "customer", "--search", "ann"],
        )
        .events();
    assert_eq!(found[0]["document"]["name"], "Ann");
    let refused = shell.ends(2, &["preview", "shop.relmig", "--collection", "nothing"]);
    assert!(
        refused.failure()["hint"]
            .as_str()
            .is_some_and(|h| h.contains("customer"))
    );
    shell.ends(2, &["preview", "shop.relmig", "--limit", "0"]);
    shell.ends(2, &["preview", "shop.relmig", "--key", "id"]);
}

#[test]
fn what_is_wrong_is_found_before_a_job_starts() {
    let shell = shop();
    shell.ends(0, &["init", "shop.yaml"]);
    assert_eq!(shell.ends(0, &["check", "shop.yaml"]).event("ended")["passed"], true);
    let broken = shell.read("shop.yaml").replace(
        "  - table: main.customer\n",
        "  - table: main.customer\n    filter: columns.name(\n",
    );
    shell.write("broken.yaml", &broken);
    let found = shell.ends(3, &["check", "broken.yaml", "--code"]);
    assert!(
        found.event("fault")["message"]
            .as_str()
            .is_some_and(|m| m.contains("filter")),
        "{}",
        found.out
    );
    assert_eq!(found.event("code")["code"]["text"], "columns.name(");
    let nowhere = "mongodb://127.0.0.1:1/shop?serverSelectionTimeoutMS=300";
    let away = shell.ends(4, &["check", "shop.yaml", "--target", nowhere]);
    assert_eq!(away.event("target")["status"], "FAILED");
    for wrong in ["", "{", "{}", "[]", "godwit: 9", "\u{0}\u{1}", "a: [", "%PDF-1.4"] {
        shell.write("wrong.relmig", wrong);
        shell.ends(2, &["check", "wrong.relmig"]);
    }
    shell.ends(2, &["check", "missing.relmig"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_source_lacks_comes_as_a_script() {
    let servers = servers().await;
    let source = servers
        .postgres
        .database(
            "cli",
            "CREATE TABLE a(id int PRIMARY KEY, t text); CREATE TABLE b(id int PRIMARY KEY, a int REFERENCES a)",
        )
        .await;
    let target = servers.mongo.target("cli").await;
    let shell = Shell::new()
        .with("GODWIT_SOURCE", &source.jdbc_url())
        .with("GODWIT_SOURCE_USER", SUPERUSER)
        .with("GODWIT_TARGET", &target.uri);
    let refused = shell.ends(4, &["schema"]);
    assert_eq!(refused.failure()["code"], "source_unreachable");
    shell.write("password", &format!("{PASSWORD}\n"));
    let shell = shell.with("GODWIT_SOURCE_PASSWORD_FILE", "password");
    shell.write(
        "map.yaml",
        "
godwit: 1
project: {name: x, type: POSTGRESQL}
collections: [{name: a, rules: [{table: public.a, rules: [{table: public.b, as: array, path: bs}]}]}]
",
    );
    shell.ends(0, &["convert", "map.yaml", "x.relmig"]);
    shell.ends(0, &["check", "x.relmig"]);
    // Which old values a continuous job needs: the key of b that embeds it.
    let script = shell.ends(3, &["check", "x.relmig", "--continuous", "--script"]).out;
    assert!(script.contains("REPLICA IDENTITY"), "{script}");
    shell.ends(3, &["check", "x.relmig", "--continuous"]);
    shell.ends(0, &["check", "x.relmig", "--continuous", "--prepare-source"]);
    let plan = shell.ends(0, &["plan", "x.relmig"]);
    let reads: Vec<Value> = plan.events().into_iter().filter(|e| e["event"] == "read").collect();
    assert_eq!(
        reads
            .iter()
            .map(|r| r["table"].as_str().unwrap_or_default())
            .collect::<Vec<_>>(),
        ["public.a", "public.b"]
    );
    assert!(
        reads[1]["sql"]
            .as_str()
            .is_some_and(|sql| sql.contains("\"b\"") && sql.contains("JOIN")),
        "{}",
        plan.out
    );
    assert_eq!(plan.event("collection")["documentsExisting"], 0);
    let doctor = shell.ends(0, &["doctor"]);
    let looked: Vec<Value> = doctor.events().into_iter().map(|e| e["what"].clone()).collect();
    for what in ["source", "rights", "destination", "changes", "settings"] {
        assert!(looked.contains(&json!(what)), "{looked:?}");
    }
    assert!(!doctor.out.contains(PASSWORD) && !doctor.error.contains(PASSWORD));
    source.run("ALTER TABLE a ADD COLUMN more int").await;
    let differs = shell.ends(5, &["diff", "x.relmig"]);
    assert_eq!(differs.event("schemaDifference")["change"]["column"], "more");
}

#[test]
fn what_would_be_read_is_told_in_its_order() {
    let shell = shop();
    shell.ends(0, &["init", "shop.relmig", "--recommended", "--exact"]);
    let plan = shell.ends(0, &["plan", "shop.relmig"]);
    let reads: Vec<Value> = plan.events().into_iter().filter(|e| e["event"] == "read").collect();
    assert!(
        reads
            .iter()
            .all(|read| read["sql"].as_str().is_some_and(|sql| sql.starts_with("SELECT"))),
        "{}",
        plan.out
    );
    assert!(
        reads.iter().any(|read| read["how"] == "by the keys of the rows above"),
        "{}",
        plan.out
    );
    let text = shell.ends(0, &["plan", "shop.relmig", "--output", "text", "--sql"]).out;
    assert!(text.contains("Together") && text.contains("SELECT"), "{text}");
}

#[test]
fn two_projects_are_compared() {
    let shell = shop();
    shell.ends(0, &["init", "a.yaml"]);
    let other = shell.read("a.yaml").replace("name: customer\n", "name: clients\n");
    shell.write("b.yaml", &other);
    let found = shell.ends(5, &["diff", "a.yaml", "b.yaml"]);
    assert!(
        found.event("difference")["words"]
            .as_str()
            .is_some_and(|w| w.contains("clients")),
        "{}",
        found.out
    );
    assert!(
        shell
            .ends(0, &["diff", "a.yaml", "a.yaml", "--output", "text"])
            .out
            .contains("No differences")
    );
}

#[test]
fn options_come_from_arguments_then_environment_then_file() {
    let shell = Shell::new();
    shell.sqlite("file.db", "CREATE TABLE of_file(id INTEGER PRIMARY KEY)");
    shell.sqlite("variable.db", "CREATE TABLE of_variable(id INTEGER PRIMARY KEY)");
    shell.sqlite("argument.db", "CREATE TABLE of_argument(id INTEGER PRIMARY KEY)");
    std::fs::create_dir_all(shell.path(".config/godwit")).expect("a folder");
    shell.write(
        ".config/godwit/godwit.toml",
        "source = \"sqlite:file.db\"\noutput = \"json\"\n[preview]\nlimit = 5",
    );
    let table =
        |shell: &Shell, more: &[&str]| shell.ends(0, &[&["schema"], more].concat()).events()[0]["table"].clone();
    assert_eq!(table(&shell, &[]), "main.of_file");
    let shell = shell.with("GODWIT_SOURCE", "sqlite:variable.db");
    assert_eq!(table(&shell, &[]), "main.of_variable");
    assert_eq!(table(&shell, &["--source", "sqlite:argument.db"]), "main.of_argument");
    // Flags too, in the words of variables.
    shell.ends(0, &["init", "x.yaml"]);
    shell.ends(2, &["init", "x.yaml"]);
    let shell = shell.with("GODWIT_INIT_FORCE", "0");
    shell.ends(2, &["init", "x.yaml"]);
    let shell = shell.with("GODWIT_INIT_FORCE", "1");
    shell.ends(0, &["init", "x.yaml"]);
    shell.write("other.toml", "sauce = 1");
    let refused = shell.run(&["schema", "--config", "other.toml"]);
    assert_eq!(refused.code, 2);
    assert!(refused.error.contains("sauce"), "{}", refused.error);
    assert_eq!(shell.run(&["schema", "--config", "missing.toml"]).code, 2);
}

#[test]
fn a_reader_that_goes_away_ends_a_command_quietly() {
    let shell = shop();
    let many: String = (0..2_000)
        .map(|n| format!("CREATE TABLE t{n}(id INTEGER PRIMARY KEY, a TEXT, b TEXT);"))
        .collect();
    shell.sqlite("many.db", &many);
    let done = std::process::Command::new("sh")
        .args([
            "-c",
            "\"$0\" schema --source sqlite:many.db 2>error | head -1 >/dev/null; cat error",
        ])
        .arg(godwit_tests::app::binary())
        .current_dir(shell.folder())
        .output()
        .expect("a shell");
    assert_eq!(String::from_utf8_lossy(&done.stdout), "");
}

#[test]
fn errors_are_a_sentence_and_what_to_do() {
    let shell = shop();
    let text = shell.ends(2, &["preview", "missing.relmig", "--output", "text"]).error;
    assert!(text.starts_with("godwit: missing.relmig: "), "{text}");
    let text = Shell::new().ends(2, &["schema", "--output", "text"]).error;
    assert!(text.contains("no source is given\n  Name it with --source"), "{text}");
    assert_eq!(shell.run(&["jobs"]).code, 2);
    assert_eq!(shell.run(&["--help"]).code, 0);
    let wrong = shell.ends(2, &["no-such-command", "--output", "json"]);
    assert_eq!(
        (&wrong.failure()["code"], &wrong.failure()["exitCode"]),
        (&json!("usage"), &json!(2))
    );
}
