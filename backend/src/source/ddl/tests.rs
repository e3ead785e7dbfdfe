use super::*;
use godwit_shared::schema::TableName;

/// Tables as lines: columns with what is special of them, then keys.
fn shown(read: &ReadDdl) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for (path, table) in read.model.tables() {
        let columns = table.columns.iter().map(|(name, c)| {
            let mut text = format!("{name} {}", c.kind.database_specific_type);
            let marks = [
                (c.primary_key.is_some(), " PK"),
                (!c.nullable && c.primary_key.is_none(), " !"),
                (c.auto_incremented, " ++"),
                (c.generated, " ="),
                (c.unique_indexed && c.primary_key.is_none(), " U"),
            ];
            marks
                .iter()
                .filter(|(on, _)| *on)
                .for_each(|(_, mark)| text.push_str(mark));
            text
        });
        let columns: Vec<String> = columns.collect();
        lines.push(format!("{}: {}", path.name(), columns.join(", ")));
        for (name, key) in &table.foreign_keys {
            let pairs: Vec<String> = key
                .column_mappings
                .iter()
                .map(|p| format!("{}={}", p.source, p.target))
                .collect();
            lines.push(format!("  {name} -> {} {}", key.target_table.name(), pairs.join(" ")));
        }
    }
    lines
}

fn check(database: DdlDatabase, text: &str, expected: &[&str]) {
    let read = read(text, database);
    assert_eq!(read.skipped, []);
    assert_eq!(shown(&read), expected);
}

#[test]
fn a_dump_of_postgresql() {
    let text = "--
-- PostgreSQL database dump
--
SET statement_timeout = 0;
SELECT pg_catalog.set_config('search_path', '', false);
CREATE FUNCTION public.f() RETURNS trigger LANGUAGE plpgsql AS $_$ begin create table x(a int); return new; end $_$;
CREATE TYPE public.state AS ENUM ('new; old', 'it''s');
CREATE TABLE public.customer (
    id integer NOT NULL,
    \"Full Name\" character varying(50) DEFAULT 'a, b'::character varying NOT NULL,
    total numeric(10,2),
    tags text[],
    check_in timestamp without time zone,
    twice integer GENERATED ALWAYS AS ((id * 2)) STORED,
    CONSTRAINT positive CHECK ((total > (0)::numeric))
);
ALTER TABLE public.customer ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.customer_id_seq START WITH 1
);
COPY public.customer (id) FROM stdin;
1\tcreate table wrong (a int);
\\.

CREATE TABLE public.orders (
    placed_on date NOT NULL,
    id bigserial,
    customer_id int REFERENCES public.customer ON DELETE CASCADE,
    PRIMARY KEY (placed_on, id)
)
PARTITION BY RANGE (placed_on);
CREATE TABLE public.orders_1 PARTITION OF public.orders FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
ALTER TABLE ONLY public.customer
    ADD CONSTRAINT customer_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.orders_1 ADD CONSTRAINT p PRIMARY KEY (id);
CREATE UNIQUE INDEX by_name ON public.customer USING btree (\"Full Name\");
CREATE INDEX by_lower ON public.customer USING btree (lower(tags[1]));
GRANT SELECT ON TABLE public.customer TO somebody;
";
    check(
        DdlDatabase::Postgresql,
        text,
        &[
            "public.customer: id integer PK ++, Full Name character varying(50) ! U, total numeric(10,2), tags text[], check_in timestamp without time zone, twice integer =",
            "public.orders: placed_on date PK, id bigserial PK ++, customer_id int",
            "  orders_customer_id_fkey -> public.customer customer_id=id",
        ],
    );
}

#[test]
fn a_dump_of_mysql() {
    let text = "/*!40101 SET NAMES utf8 */;
USE `shop`;
DROP TABLE IF EXISTS `order`;
CREATE TABLE `order` (
  `id` int unsigned NOT NULL AUTO_INCREMENT COMMENT 'it\\'s; the key',
  `customer` int DEFAULT NULL,
  `state` enum('new','old') CHARACTER SET latin1 COLLATE latin1_bin DEFAULT 'new',
  `key` varchar(20),
  PRIMARY KEY (`id`),
  UNIQUE KEY `uq` (`key`(10)),
  KEY `by_customer` (`customer`) USING BTREE,
  FULLTEXT KEY `ft` (`key`),
  CONSTRAINT `fk` FOREIGN KEY (`customer`) REFERENCES `customer` (`id`) ON UPDATE CASCADE
) ENGINE=InnoDB AUTO_INCREMENT=7 DEFAULT CHARSET=utf8mb4;
CREATE TABLE customer (id INT PRIMARY KEY, flag tinyint(1) not null) ENGINE=MyISAM;
INSERT INTO `order` VALUES (1,'create table x (a int);');
";
    check(
        DdlDatabase::Mysql,
        text,
        &[
            "shop.order: id int unsigned PK ++, customer int, state enum('new','old'), key varchar(20) U",
            "  fk -> shop.customer customer=id",
            "shop.customer: id INT PK, flag tinyint(1) !",
        ],
    );
}

#[test]
fn a_script_of_sql_server() {
    let text = "USE [Shop]
GO
SET ANSI_NULLS ON
GO
CREATE TABLE [dbo].[Order Details](
	[OrderID] [int] NOT NULL,
	[ProductID] [int] IDENTITY(1,1) NOT NULL,
	[Price] [decimal](10, 2) NULL,
	[Note] [nvarchar](max) NULL,
	[Total] AS ([Price]*(2)) PERSISTED,
 CONSTRAINT [PK_Order_Details] PRIMARY KEY CLUSTERED 
(
	[OrderID] ASC,
	[ProductID] ASC
)WITH (PAD_INDEX = OFF, STATISTICS_NORECOMPUTE = OFF) ON [PRIMARY]
) ON [PRIMARY] TEXTIMAGE_ON [PRIMARY]
GO
CREATE TABLE [dbo].[Orders]([OrderID] [int] NOT NULL PRIMARY KEY, [Code] [varchar](10) UNIQUE)
GO
ALTER TABLE [dbo].[Order Details]  WITH CHECK ADD  CONSTRAINT [FK_O] FOREIGN KEY([OrderID])
REFERENCES [dbo].[Orders] ([OrderID])
GO
ALTER TABLE [dbo].[Order Details] CHECK CONSTRAINT [FK_O]
GO
";
    check(
        DdlDatabase::SqlServer,
        text,
        &[
            "dbo.Order Details: OrderID int PK, ProductID int PK ++, Price decimal(10,2), Note nvarchar(max), Total  =",
            "  FK_O -> dbo.Orders OrderID=OrderID",
            "dbo.Orders: OrderID int PK, Code varchar(10) U",
        ],
    );
}

#[test]
fn an_export_of_oracle() {
    let text = "  CREATE TABLE \"HR\".\"EMPLOYEES\"
   (	\"ID\" NUMBER(6,0) NOT NULL ENABLE,
	\"NAME\" VARCHAR2(20 BYTE) DEFAULT 'x' NOT NULL ENABLE,
	\"SALARY\" NUMBER(8,2),
	\"BIG\" NUMBER(15,0),
	\"BOSS\" NUMBER(6,0)
   ) SEGMENT CREATION IMMEDIATE PCTFREE 10 TABLESPACE \"USERS\" ;
/
  ALTER TABLE \"HR\".\"EMPLOYEES\" ADD CONSTRAINT \"EMP_PK\" PRIMARY KEY (\"ID\")
  USING INDEX PCTFREE 10 TABLESPACE \"USERS\"  ENABLE;
  ALTER TABLE \"HR\".\"EMPLOYEES\" ADD CONSTRAINT \"EMP_BOSS\" FOREIGN KEY (\"BOSS\") REFERENCES \"HR\".\"EMPLOYEES\" (\"ID\") ENABLE;
create table hr.notes (id number(6) generated by default as identity primary key, emp number(6) references hr.employees);
";
    let read = read(text, DdlDatabase::Oracle);
    assert_eq!(read.skipped, []);
    assert_eq!(
        shown(&read),
        [
            "HR.EMPLOYEES: ID NUMBER(6,0) PK, NAME VARCHAR2(20 BYTE) !, SALARY NUMBER(8,2), BIG NUMBER(15,0), BOSS NUMBER(6,0)",
            "  EMP_BOSS -> HR.EMPLOYEES BOSS=ID",
            "HR.NOTES: ID number(6) PK ++, EMP number(6)",
            "  NOTES_EMP_fkey -> HR.EMPLOYEES EMP=ID",
        ]
    );
    let table = read.model.table(&TableName::new("HR", "EMPLOYEES")).unwrap();
    let kinds = ["ID", "SALARY", "BIG"].map(|c| table.columns[c].kind.default_mongo_field_type.clone().unwrap());
    assert_eq!(kinds, ["INTEGER", "DECIMAL", "LONG"]);
}

#[test]
fn what_cannot_be_read_is_told_with_its_line_and_the_rest_is_read() {
    let text = "create table a (id int primary key);

create table b as select * from a;
create table c (id int, name);
create table a (id int);
create table d (id int references gone, a int references a);
create table e (id int, foreign key (id) references a (id, x)
";
    let read = read(text, DdlDatabase::Postgresql);
    let skipped: Vec<String> = read
        .skipped
        .iter()
        .map(|s| format!("{} {}: {}", s.line, s.statement, s.reason))
        .collect();
    assert_eq!(
        skipped,
        [
            "3 create table b as select * from a: it has no list of columns: a table made of a query or of another table cannot be read",
            "4 create table c (id int, name): the column `name` has no type",
            "5 create table a (id int): the table public.a is there already",
            "6 foreign key (id) of public.d: it refers to the table public.gone, which the file does not have",
            "7 create table e (id int, foreign key (id) references a (id, x): its parentheses do not close",
        ]
    );
    assert!(shown(&read).iter().any(|l| l == "  d_a_fkey -> public.a a=id"));
}

#[test]
fn nothing_that_is_sent_ends_the_reading() {
    let pieces = [
        "create table",
        " t",
        "(",
        ")",
        "'",
        "\"",
        "`",
        "[",
        "]",
        "--",
        "/*",
        "*/",
        ";",
        "$$",
        "$a$",
        ",",
        "\n",
        "GO\n",
        "/\n",
        "é",
        "primary key",
        "references",
        " int",
        "alter table t add",
        "create index on t",
        "\\",
        "copy t from stdin;",
        "\0",
    ];
    let mut seed: u64 = 0x2545_f491_4f6c_dd1d;
    let databases = [
        DdlDatabase::Postgresql,
        DdlDatabase::Mysql,
        DdlDatabase::SqlServer,
        DdlDatabase::Oracle,
    ];
    for _ in 0..4_000 {
        let mut text = String::new();
        for _ in 0..24 {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            text.push_str(pieces[(seed >> 20) as usize % pieces.len()]);
        }
        let lines = text.lines().count() as u64 + 1;
        for database in databases {
            let read = read(&text, database);
            assert!(read.skipped.iter().all(|s| (1..=lines).contains(&s.line)), "{text:?}");
        }
    }
}

#[test]
fn a_column_that_is_named_twice_keeps_its_place() {
    let read = read("create table t (a int, b int, a text, c int)", DdlDatabase::Mysql);
    let (_, table) = read.model.tables().next().expect("a table");
    let places: Vec<_> = table
        .columns
        .iter()
        .map(|(name, c)| (name.as_str(), c.ordinal_position))
        .collect();
    assert_eq!(places, [("a", 1), ("b", 2), ("c", 3)]);
}

#[test]
fn a_key_names_columns_that_are_there() {
    let text = "create table a (Id int, primary key (id));
create table b (a_id int, foreign key (A_ID) references a (id));
create table c (a_id int, foreign key (other) references a (Id));
create table d (a_id int, foreign key (a_id) references a (gone));";
    let read = read(text, DdlDatabase::Mysql);
    let keys = shown(&read).into_iter().filter(|line| line.starts_with("  "));
    assert_eq!(keys.collect::<Vec<_>>(), ["  b_a_id_fkey -> database.a a_id=Id"]);
    let said: Vec<_> = read.skipped.iter().map(|s| (s.line, s.reason.as_str())).collect();
    assert_eq!(
        said,
        [
            (3, "it refers to the column \"other\", which database.c does not have"),
            (4, "it refers to the column \"gone\", which database.a does not have")
        ]
    );
}
