//! A source that is big enough to be watched: a job of it takes several seconds on any machine.

use bson::doc;
use godwit_tests::app::App;
use godwit_tests::browser::Browser;
use godwit_tests::mapping::project_file;
use godwit_tests::process::scratch;
use godwit_tests::servers::{Database, Target, servers};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::OnceCell;

pub const NAME: &str = "City library";
pub const BORROWERS: u64 = 200_000;
const LOANS_OF_EACH: u64 = 2;
/// Rows of both tables.
pub const ROWS: u64 = BORROWERS * (1 + LOANS_OF_EACH);
/// Time enough for a whole job of it, with an unoptimized server on a busy machine.
pub const WHOLE_JOB: Duration = Duration::from_secs(240);

/// The source that all journeys read; nobody writes to it.
async fn source() -> &'static Database {
    static SOURCE: OnceCell<Database> = OnceCell::const_new();
    SOURCE
        .get_or_init(|| async {
            let sql = format!(
                "create table borrowers (id int primary key, name text not null, since date not null, notes text not null);
                 create table loans (id int primary key, borrower_id int not null, title text not null, fee numeric(8, 2));
                 insert into borrowers select i, 'Borrower ' || i, date '2020-01-01' + i % 2000, repeat(md5(i::text), 12)
                   from generate_series(1, {BORROWERS}) i;
                 insert into loans select i, (i - 1) / {LOANS_OF_EACH} + 1, 'Title ' || md5(i::text), i % 1000 / 10.0
                   from generate_series(1, {}) i;
                 create index on loans (borrower_id);
                 alter table loans add foreign key (borrower_id) references borrowers;
                 analyze",
                BORROWERS * LOANS_OF_EACH
            );
            servers().await.postgres.database("library", &sql).await
        })
        .await
}

async fn file() -> Value {
    let spec = json!({"name": NAME, "collections": [{"collection": "borrowers", "table": "borrowers", "embed": [
        {"kind": "array", "path": "loans", "table": "loans", "exclude": ["borrower_id"]}]}]});
    project_file(&source().await.connect().await, &spec).await
}

/// A server without projects, a browser that shows nothing yet, the library, and an empty destination.
pub struct Stage {
    // Dropped first: it would follow the end of the server.
    pub browser: Browser,
    pub app: App,
    pub source: &'static Database,
    pub target: Target,
    files: tempfile::TempDir,
}

impl Stage {
    pub async fn new() -> Stage {
        let (app, browser, source) = tokio::join!(App::start(), Browser::start(), source());
        Stage {
            app,
            browser,
            source,
            target: servers().await.mongo.target("target").await,
            files: tempfile::tempdir_in(scratch()).expect("a folder for files"),
        }
    }

    /// The project as a file on disk, to choose in the page.
    pub async fn project_file(&self) -> PathBuf {
        let path = self.files.path().join("library.relmig");
        std::fs::write(&path, file().await.to_string()).expect("the file can be written");
        path
    }

    /// Imports the project over REST, where the journey is about something else; its id.
    pub async fn import(&self) -> String {
        self.app.api().import_project(&file().await).await
    }

    /// How many borrowers the destination holds. Each must have all its loans.
    pub async fn whole_documents(&self) -> u64 {
        let borrowers = self.target.database.collection::<bson::Document>("borrowers");
        let all = borrowers.count_documents(doc! {}).await.expect("a count");
        let whole = doc! {"loans": {"$size": LOANS_OF_EACH as i64}, "notes": {"$type": "string"}};
        assert_eq!(borrowers.count_documents(whole).await.expect("a count"), all);
        all
    }
}
