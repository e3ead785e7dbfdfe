//! DDL files of anybody: whatever is in them, reading one comes to an end, what cannot be read is told with a line of the
//! file, and what was read hangs together: keys name columns that are there, and rules can be made of the tables.

use crate::harness::Fuzz;
use godwit::source::ddl::{ReadDdl, read};
use godwit_shared::casing::Casing;
use godwit_shared::ddl::{DdlDatabase, DdlFile, NamedDdl, joined, place_of};
use godwit_shared::forest::{check_forest, check_places};
use godwit_shared::initial::{InitialMapping, content_of};
use godwit_shared::mapping::KeyHandling;
use std::time::{Duration, Instant};

/// Far more than the largest input takes.
const READ_MAX: Duration = Duration::from_secs(5);

const SEEDS: &[&str] = &[
    "CREATE TABLE public.customer (\n  id integer NOT NULL,\n  \"Full Name\" character varying(50) DEFAULT 'a, b' NOT NULL,\n  tags text[],
  twice integer GENERATED ALWAYS AS ((id * 2)) STORED,\n  CONSTRAINT positive CHECK ((id > 0))\n);
ALTER TABLE ONLY public.customer ADD CONSTRAINT pk PRIMARY KEY (id);
CREATE TABLE public.orders (id serial PRIMARY KEY, customer_id int REFERENCES public.customer (id));
CREATE UNIQUE INDEX one ON public.orders USING btree (customer_id);
COPY public.orders (id) FROM stdin;\n1\n\\.\n",
    "SET NAMES utf8;\nCREATE TABLE `order line` (\n  `id` int unsigned NOT NULL AUTO_INCREMENT,\n  `kind` enum('a','b;c') COLLATE utf8_bin,\n  `o` int,
  PRIMARY KEY (`id`),\n  KEY `k` (`kind`(10)),\n  CONSTRAINT `fk` FOREIGN KEY (`o`) REFERENCES `orders` (`id`) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8 COMMENT='it''s';\nINSERT INTO `order line` VALUES (1,'x');\nDELIMITER ;;\n",
    "USE [shop]\nGO\nCREATE TABLE [dbo].[Order Line](\n [Id] [int] IDENTITY(1,1) NOT NULL,\n [At] [datetime2](7) NULL,\n [Part] [int],
 CONSTRAINT [PK] PRIMARY KEY CLUSTERED ([Id] ASC) WITH (PAD_INDEX = OFF) ON [PRIMARY]\n) ON [PRIMARY]\nGO
ALTER TABLE [dbo].[Order Line] WITH CHECK ADD CONSTRAINT [FK] FOREIGN KEY([Part]) REFERENCES [dbo].[Order Line] ([Id])\nGO\n",
    "CREATE TABLE \"HR\".\"EMP\" \n ( \"ID\" NUMBER(10,0) NOT NULL ENABLE, \n \"BOSS\" NUMBER, \"AT\" TIMESTAMP (6) WITH TIME ZONE DEFAULT SYSDATE,
 CONSTRAINT \"PK\" PRIMARY KEY (\"ID\") USING INDEX PCTFREE 10 ENABLE ) SEGMENT CREATION IMMEDIATE STORAGE(INITIAL 65536);
ALTER TABLE \"HR\".\"EMP\" ADD CONSTRAINT \"FK\" FOREIGN KEY (\"BOSS\") REFERENCES \"HR\".\"EMP\" (\"ID\") ENABLE;\n/\n",
];

const TOKENS: &[&str] = &[
    "CREATE TABLE ",
    "ALTER TABLE ",
    "(",
    ")",
    ",",
    ";",
    "\n",
    " ",
    "'",
    "\"",
    "`",
    "[",
    "]",
    "--",
    "/*",
    "*/",
    "$$",
    "$a$",
    "\\",
    "\\.\n",
    "PRIMARY KEY",
    "FOREIGN KEY",
    "REFERENCES",
    "UNIQUE",
    "CHECK",
    "CONSTRAINT x",
    "ADD COLUMN",
    "DROP COLUMN",
    "NOT NULL",
    "DEFAULT",
    "id",
    "int",
    "varchar(50)",
    "numeric(10,2)",
    "DELIMITER ;;",
    "GO\n",
    "IF NOT EXISTS",
    "PARTITION OF",
    "INHERITS",
    "LIKE",
    "AS SELECT 1",
    "a.b.c",
    "é",
    "\u{0}",
    "\u{feff}",
    "#",
    "N'x'",
    "E'\\''",
    "1e5",
    "COPY x FROM stdin;\n",
    "RENAME TO",
    "CREATE INDEX i ON ",
];

/// What has to hold of whatever was read.
fn check(read: &ReadDdl, text: &str) -> Result<(), String> {
    let lines = text.split('\n').count() as u64;
    for skipped in &read.skipped {
        if !(1..=lines).contains(&skipped.line) {
            return Err(format!("{skipped:?} is told of a file of {lines} lines"));
        }
        if skipped.reason.trim().is_empty() {
            return Err(format!("{skipped:?} has no reason"));
        }
    }
    for (path, table) in read.model.tables() {
        let mut places: Vec<u32> = table.columns.values().map(|column| column.ordinal_position).collect();
        places.sort_unstable();
        if places.iter().zip(1..).any(|(place, n)| *place != n) {
            return Err(format!("the columns of {} have the places {places:?}", path.name()));
        }
        for (name, key) in &table.foreign_keys {
            let target = read.model.table(&key.target_table.name());
            let is_whole = key.column_mappings.iter().all(|pair| {
                let has_target = target.is_none_or(|target| target.columns.contains_key(&pair.target));
                table.columns.contains_key(&pair.source) && has_target
            });
            if key.column_mappings.is_empty() || !is_whole {
                return Err(format!(
                    "the key {name} of {} names columns that are not there: {key:?}",
                    path.name()
                ));
            }
        }
    }
    let content = content_of(
        &read.model,
        Casing::CamelCase,
        KeyHandling::Single,
        InitialMapping::Relational,
    );
    check_forest(&content).map_err(|e| e.to_string())?;
    check_places(&content).map_err(|e| e.to_string())?;
    if content.mappings.len() != read.model.tables().count() {
        return Err("not every table has a rule".into());
    }
    let mut names: Vec<&str> = content
        .collections
        .values()
        .map(|collection| collection.name.as_str())
        .collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(format!("two collections are called {}", pair[0])),
        None => Ok(()),
    }
}

#[test]
fn ddl() {
    Fuzz::new("ddl")
        .seeds(SEEDS.iter().copied())
        .tokens(TOKENS.iter().copied())
        .run(|input| {
            let text = String::from_utf8_lossy(input);
            for database in DdlDatabase::ALL {
                let since = Instant::now();
                let found = read(&text, database);
                if since.elapsed() > READ_MAX {
                    return Err(format!("{database:?}: it takes {:?}", since.elapsed()));
                }
                check(&found, &text).map_err(|fault| format!("{database:?}: {fault}"))?;
                // A file behind another one: its lines are told as its own.
                let file = |name: &str, text: &str| NamedDdl {
                    name: name.into(),
                    text: text.into(),
                };
                let (both, starts) = joined(DdlFile {
                    database,
                    text: String::new(),
                    files: vec![
                        file("first", "create table first_one (id int);\n"),
                        file("second", &text),
                    ],
                });
                for skipped in read(&both, database).skipped {
                    let (name, line) = place_of(skipped.line, &starts);
                    if name.is_none() || line == 0 {
                        return Err(format!("{database:?}: line {} is in no file", skipped.line));
                    }
                }
            }
            Ok(())
        });
}
