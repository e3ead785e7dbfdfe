//! The servers of a run, set as one would set them for work.

use crate::machine::Machine;
use godwit_tests::app::App;
use godwit_tests::servers::{Database, PASSWORD, PrivateMongo, PrivatePostgres, SUPERUSER, Target, connect};
use mongodb::bson::doc;

/// What the harness leaves out for the sake of quick tests is switched on again.
const POSTGRES: [&str; 4] = ["fsync=on", "full_page_writes=on", "autovacuum=on", "max_wal_size=8GB"];
const MONGO: [&str; 4] = ["--wiredTigerCacheSizeGB", "2", "--oplogSize", "2048"];

pub struct Bed {
    pub postgres: PrivatePostgres,
    pub mongo: PrivateMongo,
}

impl Bed {
    pub async fn start(machine: &Machine) -> Bed {
        // A quarter of the memory, as its manual advises:
        // <https://www.postgresql.org/docs/15/runtime-config-resource.html#GUC-SHARED-BUFFERS>
        let buffers = format!("shared_buffers={}MB", (machine.memory_mib / 4).max(128));
        let settings: Vec<&str> = POSTGRES.into_iter().chain([buffers.as_str()]).collect();
        let (postgres, mongo) = tokio::join!(PrivatePostgres::start(&settings), PrivateMongo::start_with(&MONGO));
        Bed { postgres, mongo }
    }

    /// The product, freshly started.
    pub async fn app(&self, hint: &str) -> App {
        let store = format!("mongodb://127.0.0.1:{}/godwit_{hint}?replicaSet=tests", self.mongo.port);
        App::start_on(store, &[]).await
    }

    /// Of the source, the product, and MongoDB.
    pub fn pids(&self, app: &App) -> [u32; 3] {
        [self.postgres.pid(), app.pid(), self.mongo.pid()]
    }

    pub async fn target(&self, hint: &str) -> Target {
        self.mongo.target_at(self.mongo.port, hint).await
    }

    /// Lets both servers finish what they put off, so that it does not fall into what is measured next.
    pub async fn settle(&self, source: &Database, target: &Target) {
        source.run("checkpoint").await;
        let admin = target.database.client().database("admin");
        admin
            .run_command(doc! {"fsync": 1})
            .await
            .expect("MongoDB writes its data to disk");
    }
}

/// A copy of a database that nobody is connected to.
pub async fn copy_of(database: &Database, name: &str) -> Database {
    maintain(
        database.port,
        &format!("create database \"{name}\" template \"{}\"", database.name),
    )
    .await;
    Database {
        name: name.to_owned(),
        port: database.port,
    }
}

pub async fn drop_copy(database: &Database) {
    maintain(
        database.port,
        &format!("drop database \"{}\" with (force)", database.name),
    )
    .await;
}

async fn maintain(port: u16, sql: &str) {
    let (client, _) = connect(port, "postgres", SUPERUSER, PASSWORD)
        .await
        .expect("the superuser connects");
    if let Err(error) = client.batch_execute(sql).await {
        panic!("SQL failed: {error:?}\n{sql}");
    }
}
