//! Saved connections of both kinds as the lists show them. Plain functions.

use crate::connections::{environment, kind_label};
use godwit_shared::connection::{
    EnvironmentTag, JdbcConnectionDetails, MongodbConnectionDetails, SavedJdbcConnection, SavedMongodbConnection,
};
use godwit_shared::ids::{ConnectionId, ProjectId};
use godwit_shared::project::ProjectSummary;

/// A saved connection of either kind.
#[derive(Debug, Clone, PartialEq)]
pub enum Saved {
    Jdbc(SavedJdbcConnection),
    Mongodb(SavedMongodbConnection),
}

impl Saved {
    pub fn id(&self) -> &ConnectionId {
        match self {
            Saved::Jdbc(c) => &c.id,
            Saved::Mongodb(c) => &c.id,
        }
    }

    pub fn name(&self) -> &str {
        match self {
            Saved::Jdbc(c) => &c.name,
            Saved::Mongodb(c) => &c.name,
        }
    }

    /// Passwords masked.
    pub fn address(&self) -> &str {
        match self {
            Saved::Jdbc(c) => &c.url,
            Saved::Mongodb(c) => &c.connection_string,
        }
    }

    pub fn tag(&self) -> EnvironmentTag {
        match self {
            Saved::Jdbc(c) => c.environment_tag,
            Saved::Mongodb(c) => c.environment_tag,
        }
    }

    /// The kind of database.
    pub fn kind(&self) -> &str {
        match self {
            Saved::Jdbc(c) => kind_label(&c.kind),
            Saved::Mongodb(_) => "MongoDB",
        }
    }

    /// What is not said in the address, who connects first: `shop, password saved`.
    pub fn user(&self) -> String {
        let (user, has_password, database) = match self {
            Saved::Jdbc(c) => (&c.user, c.has_password, None),
            Saved::Mongodb(c) => (&c.user, c.has_password, c.database.as_ref()),
        };
        let user = user.clone().filter(|user| !user.is_empty());
        let password = has_password.then(|| "password saved".to_owned());
        let database = database.map(|name| format!("database {name}"));
        let said: Vec<_> = [user, password, database].into_iter().flatten().collect();
        said.join(", ")
    }

    /// The projects that use it.
    pub fn users<'a>(&self, projects: &'a [ProjectSummary]) -> Vec<(&'a ProjectId, &'a str)> {
        let uses = |project: &ProjectSummary| {
            let used = match self {
                Saved::Jdbc(_) => &project.jdbc_id,
                Saved::Mongodb(_) => &project.mongodb_id,
            };
            used.as_deref() == Some(self.id().as_str())
        };
        projects.iter().filter(|p| uses(p)).map(|p| (&p.id, &*p.name)).collect()
    }
}

/// By environment, what needs most care first; then by name.
pub fn in_order(mut list: Vec<Saved>) -> Vec<Saved> {
    list.sort_by_key(|c| (environment::rank(c.tag()), c.name().to_lowercase(), c.id().to_string()));
    list
}

/// What a test of a saved source sends: the server has the rest.
pub fn jdbc_test(id: &ConnectionId) -> JdbcConnectionDetails {
    JdbcConnectionDetails {
        existing_connection_id: Some(id.clone()),
        ..Default::default()
    }
}

/// What a test of a saved destination sends.
pub fn mongodb_test(id: &ConnectionId) -> MongodbConnectionDetails {
    MongodbConnectionDetails {
        existing_connection_id: Some(id.clone()),
        ..Default::default()
    }
}

/// `Shop-Copy`
pub fn copy_name(name: &str) -> String {
    format!("{name}-Copy")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mongodb(id: &str, name: &str, environment_tag: EnvironmentTag) -> Saved {
        Saved::Mongodb(SavedMongodbConnection {
            id: ConnectionId::new(id),
            name: name.into(),
            connection_string: "mongodb://h/db".into(),
            database: Some("shop".into()),
            user: None,
            environment_tag,
            has_password: true,
            has_tls_ca: false,
            has_tls_certificate_key: false,
        })
    }

    fn jdbc(user: Option<&str>, has_password: bool) -> Saved {
        Saved::Jdbc(SavedJdbcConnection {
            id: ConnectionId::new("c1"),
            name: "Shop".into(),
            kind: "POSTGRESQL".into(),
            url: "jdbc:postgresql://h/db".into(),
            user: user.map(String::from),
            environment_tag: EnvironmentTag::None,
            has_password,
            has_ssl_root_cert: false,
        })
    }

    #[test]
    fn production_stands_first_and_names_decide_within_an_environment() {
        use EnvironmentTag as E;
        let list = in_order(vec![
            mongodb("1", "zebra", E::None),
            mongodb("2", "beta", E::Qa),
            mongodb("3", "Alpha", E::Qa),
            mongodb("4", "main", E::Production),
        ]);
        assert_eq!(
            list.iter().map(Saved::name).collect::<Vec<_>>(),
            ["main", "Alpha", "beta", "zebra"]
        );
    }

    #[test]
    fn projects_use_connections_of_their_kind() {
        let project = |name: &str, jdbc_id: Option<&str>, mongodb_id: Option<&str>| ProjectSummary {
            id: ProjectId::new(name),
            name: name.into(),
            kind: "POSTGRESQL".into(),
            jdbc_id: jdbc_id.map(String::from),
            mongodb_id: mongodb_id.map(String::from),
            revision: 0,
            needs_consent: false,
            last_modified: "2026-11-03T10:00:00Z".parse().unwrap(),
        };
        let projects = [
            project("a", Some("c1"), None),
            project("b", None, Some("c1")),
            project("c", None, None),
        ];
        let names = |saved: &Saved| {
            let users = saved.users(&projects).into_iter();
            users.map(|(_, name)| name.to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(names(&jdbc(None, false)), ["a"]);
        assert_eq!(names(&mongodb("c1", "m", EnvironmentTag::None)), ["b"]);
    }

    #[test]
    fn who_connects() {
        assert_eq!(jdbc(Some("shop"), true).user(), "shop, password saved");
        assert_eq!(jdbc(Some(""), false).user(), "");
        let mongodb = mongodb("m1", "m", EnvironmentTag::None);
        assert_eq!(mongodb.user(), "password saved, database shop");
        assert_eq!((jdbc(None, false).kind(), mongodb.kind()), ("PostgreSQL", "MongoDB"));
        assert_eq!(copy_name("Shop"), "Shop-Copy");
    }
}
