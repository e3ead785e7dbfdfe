//! Schemas from DDL files.

use crate::schema::RelationalModel;
use serde::{Deserialize, Serialize};

/// The most bytes of the texts of DDL files that are read as one.
pub const DDL_BYTES_MAX: usize = 20 << 20;

/// Whose DDL it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DdlDatabase {
    Postgresql,
    Mysql,
    SqlServer,
    Oracle,
}

impl DdlDatabase {
    /// As a project's type says it.
    pub fn project_kind(self) -> &'static str {
        match self {
            DdlDatabase::Postgresql => "POSTGRESQL",
            DdlDatabase::Mysql => "MYSQL",
            DdlDatabase::SqlServer => "SQL_SERVER",
            DdlDatabase::Oracle => "ORACLE",
        }
    }
}

impl DdlDatabase {
    pub const ALL: [DdlDatabase; 4] = [
        DdlDatabase::Postgresql,
        DdlDatabase::Mysql,
        DdlDatabase::SqlServer,
        DdlDatabase::Oracle,
    ];

    /// As people spell it.
    pub fn label(self) -> &'static str {
        match self {
            DdlDatabase::Postgresql => "PostgreSQL",
            DdlDatabase::Mysql => "MySQL",
            DdlDatabase::SqlServer => "SQL Server",
            DdlDatabase::Oracle => "Oracle",
        }
    }
}

/// The body of `POST /schema/ddl`: one text, or several files that are read as one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DdlFile {
    pub database: DdlDatabase,
    #[serde(default)]
    pub text: String,
    /// Behind the text, in their order. A key may refer to a table of another file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<NamedDdl>,
}

impl DdlFile {
    /// How many bytes the texts have together.
    pub fn bytes(&self) -> usize {
        self.text.len() + self.files.iter().map(|file| file.text.len()).sum::<usize>()
    }
}

/// One of several DDL files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NamedDdl {
    pub name: String,
    pub text: String,
}

/// Between two files: a statement without its end does not run into the next file.
const BETWEEN: &str = "\n;\n";

/// All texts as one, and the line that each file begins with.
pub fn joined(file: DdlFile) -> (String, Vec<(u64, String)>) {
    let mut text = file.text;
    let mut starts = Vec::new();
    for NamedDdl { name, text: own } in file.files {
        if !text.is_empty() {
            text.push_str(BETWEEN);
        }
        starts.push((text.matches('\n').count() as u64 + 1, name));
        text.push_str(&own);
    }
    (text, starts)
}

/// The file that a line of the joined text stands in, and its line there.
pub fn place_of(line: u64, starts: &[(u64, String)]) -> (Option<String>, u64) {
    match starts.iter().rev().find(|(start, _)| *start <= line) {
        Some((start, name)) => (Some(name.clone()), line - start + 1),
        None => (None, line),
    }
}

/// A statement about tables that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SkippedStatement {
    /// The file, where several were sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// From 1.
    pub line: u64,
    /// Its beginning.
    pub statement: String,
    pub reason: String,
}

/// What a DDL file came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DdlSchema {
    /// A project can be made of it under this id.
    pub id: String,
    pub full: RelationalModel,
    pub skipped: Vec<SkippedStatement>,
}

impl SkippedStatement {
    /// `line 3 of keys.sql`
    pub fn place(&self) -> String {
        match &self.file {
            Some(file) => format!("line {} of {file}", self.line),
            None => format!("line {}", self.line),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_several_files() {
        let file = |name: &str, text: &str| NamedDdl {
            name: name.into(),
            text: text.into(),
        };
        let (text, starts) = joined(DdlFile {
            database: DdlDatabase::Oracle,
            text: String::new(),
            files: vec![file("a.sql", "one\ntwo"), file("b.sql", "three")],
        });
        assert_eq!(text, "one\ntwo\n;\nthree");
        let place = |line| place_of(line, &starts);
        assert_eq!(place(2), (Some("a.sql".into()), 2));
        assert_eq!(place(4), (Some("b.sql".into()), 1));
        assert_eq!(place_of(7, &[]), (None, 7));
    }
}
