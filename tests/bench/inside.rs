//! Parts of the product as it makes them itself, for what is measured without a running server.

use godwit::plan::{Plan, PlanOptions, compile};
use godwit::source::postgres::PgSource;
use godwit::source::postgres::client::PgClient;
use godwit::source::postgres::schema::read_catalog;
use godwit::source::postgres::url::PgAddress;
use godwit_shared::connection::JdbcConnectionDetails;
use godwit_shared::job::TableFilters;
use godwit_shared::relmig::ProjectFile;
use godwit_tests::servers::{Database, PASSWORD, SUPERUSER};
use serde_json::{Value, json};

pub fn source_of(database: &Database) -> PgSource {
    let details: JdbcConnectionDetails = serde_json::from_value(json!({
        "type": "POSTGRESQL", "url": database.jdbc_url(), "user": SUPERUSER, "password": PASSWORD
    }))
    .expect("connection details");
    PgSource::new(PgAddress::parse(&details).expect("an address"))
}

pub async fn plan_of(control: &PgClient, project: &Value) -> Plan {
    let file = ProjectFile::from_value(project.clone()).expect("a project file");
    let catalog = read_catalog(control).await.expect("a catalog");
    let options = PlanOptions {
        project_id: "bench".into(),
        table_filters: TableFilters::default(),
        collection_filters: Default::default(),
    };
    compile(&file, &catalog, &options).unwrap_or_else(|problems| panic!("the mapping: {problems:?}"))
}
