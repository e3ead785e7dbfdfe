//! What a statement of the log does, as far as documents depend on it. The log has the texts of definitions, of what ends
//! transactions, and, where its format is not ROW, of changes.

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Statement {
    Begin,
    /// Also a rollback: what is in the log is kept, for an engine without transactions has it.
    End,
    /// Nothing that documents depend on.
    Harmless,
    XaStart(String),
    XaCommit(String),
    XaRollback(String),
    /// All rows of the tables are gone, or may be others now.
    Rewrites(Names),
    DropsDatabase(String),
    /// The definition of the tables is another one; the rows have the values that they had.
    Defines(Names),
    /// Rows were changed, and only the text says which. The names are those of what it changes; `None` where that cannot
    /// be told.
    Changes(Option<Names>),
}

/// Names of tables as they stand in a statement, each with the database where that stands before it. There may be more
/// among them than tables.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names(Vec<(Option<String>, String)>);

impl Names {
    /// Whether a table may be among them; `default` is the database in which the statement ran.
    pub fn may_name(&self, (schema, table): (&str, &str), default: &str) -> bool {
        // Whether capitals count depends on the server: one name too many does no harm.
        let is_same = |a: &str, b: &str| a.to_lowercase() == b.to_lowercase();
        self.0
            .iter()
            .any(|(of, name)| is_same(name, table) && is_same(of.as_deref().unwrap_or(default), schema))
    }

    /// Whether a table of the database may be among them.
    pub fn may_be_in(&self, schema: &str, default: &str) -> bool {
        let is_same = |of: &str| of.to_lowercase() == schema.to_lowercase();
        self.0.iter().any(|(of, _)| is_same(of.as_deref().unwrap_or(default)))
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    /// Not quoted.
    Word(String),
    Quoted(String),
    /// A text or number.
    Value,
    Symbol(char),
}

impl Token {
    fn is(&self, word: &str) -> bool {
        matches!(self, Token::Word(w) if w.eq_ignore_ascii_case(word))
    }

    fn is_any(&self, words: &[&str]) -> bool {
        words.iter().any(|w| self.is(w))
    }

    fn name(&self) -> Option<&str> {
        match self {
            Token::Word(name) | Token::Quoted(name) => Some(name),
            Token::Value | Token::Symbol(_) => None,
        }
    }
}

/// Tokens that are read of one statement: what is longer is a list of values.
const TOKENS_MAX: usize = 20_000;

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        if tokens.len() >= TOKENS_MAX {
            break;
        }
        match c {
            _ if c.is_whitespace() => {}
            '#' => while rest.next().is_some_and(|c| c != '\n') {},
            '-' if rest.peek() == Some(&'-') => while rest.next().is_some_and(|c| c != '\n') {},
            '/' if rest.peek() == Some(&'*') => {
                rest.next();
                // What the server runs itself, from some version on.
                let is_run = matches!(rest.peek(), Some('!' | 'M'));
                if is_run {
                    while rest
                        .peek()
                        .is_some_and(|c| *c == '!' || *c == 'M' || c.is_ascii_digit())
                    {
                        rest.next();
                    }
                } else {
                    let mut last = ' ';
                    for c in rest.by_ref() {
                        if last == '*' && c == '/' {
                            break;
                        }
                        last = c;
                    }
                }
            }
            '*' if rest.peek() == Some(&'/') => {
                rest.next();
            }
            '`' | '"' | '\'' => {
                let mut value = String::new();
                while let Some(next) = rest.next() {
                    match next {
                        '\\' if c != '`' => {
                            rest.next();
                        }
                        _ if next != c => value.push(next),
                        _ if rest.peek() == Some(&c) => {
                            rest.next();
                            value.push(c);
                        }
                        _ => break,
                    }
                }
                // With ANSI_QUOTES a text in double quotes is a name.
                tokens.push(if c == '\'' { Token::Value } else { Token::Quoted(value) });
            }
            _ if is_of_word(c) => {
                let mut word = String::from(c);
                while let Some(next) = rest.next_if(|c| is_of_word(*c)) {
                    word.push(next);
                }
                let is_number = word.bytes().all(|b| b.is_ascii_digit());
                tokens.push(if is_number { Token::Value } else { Token::Word(word) });
            }
            _ => tokens.push(Token::Symbol(c)),
        }
    }
    tokens
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

/// Every chain of names with dots between them, as the tables that it may name.
fn names_in(tokens: &[Token]) -> Names {
    let mut names = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let Some(first) = tokens[at].name() else {
            at += 1;
            continue;
        };
        let mut chain = vec![first];
        while let (Some(Token::Symbol('.')), Some(Some(next))) =
            (tokens.get(at + 1), tokens.get(at + 2).map(Token::name))
        {
            chain.push(next);
            at += 2;
        }
        at += 1;
        if let [alone] = chain.as_slice() {
            names.push((None, (*alone).to_owned()));
        }
        names.extend(
            chain
                .windows(2)
                .map(|pair| (Some(pair[0].to_owned()), pair[1].to_owned())),
        );
    }
    Names(names)
}

/// Judges the text of a statement.
pub fn judge(text: &str) -> Statement {
    // By far the most statements of a log.
    match text {
        "BEGIN" => return Statement::Begin,
        "COMMIT" => return Statement::End,
        _ => {}
    }
    let all = tokens(text);
    let Some(first) = all.first() else {
        return Statement::Harmless;
    };
    let is = |place: usize, word: &str| all.get(place).is_some_and(|t| t.is(word));
    let rest = |from: usize| &all[from.min(all.len())..];
    let word = match first {
        Token::Word(word) => word.to_ascii_uppercase(),
        Token::Quoted(_) | Token::Value | Token::Symbol(_) => String::new(),
    };
    match word.as_str() {
        "BEGIN" => Statement::Begin,
        "START" if is(1, "TRANSACTION") => Statement::Begin,
        "COMMIT" => Statement::End,
        "ROLLBACK" if all.len() == 1 => Statement::End,
        // Of a part of a transaction: that it was there does no harm.
        "ROLLBACK" | "SAVEPOINT" | "RELEASE" => Statement::Harmless,
        "XA" => xa(text),
        "TRUNCATE" => Statement::Rewrites(names_in(rest(if is(1, "TABLE") { 2 } else { 1 }))),
        "DROP" if is(1, "DATABASE") || is(1, "SCHEMA") => {
            let named = all.iter().skip(2).filter(|t| !t.is_any(&["IF", "EXISTS"]));
            match named.filter_map(Token::name).next() {
                Some(name) => Statement::DropsDatabase(name.to_owned()),
                None => Statement::Harmless,
            }
        }
        "DROP" if is(1, "TABLE") => Statement::Rewrites(names_in(rest(2))),
        "RENAME" if is(1, "TABLE") || is(1, "TABLES") => Statement::Rewrites(names_in(rest(2))),
        "CREATE" => created(&all),
        "ALTER" => altered(&all),
        "DROP" | "RENAME" | "OPTIMIZE" | "ANALYZE" | "REPAIR" | "CHECK" | "FLUSH" | "GRANT" | "REVOKE" | "SET"
        | "INSTALL" | "UNINSTALL" | "PURGE" | "RESET" | "CHANGE" | "KILL" | "USE" | "LOCK" | "UNLOCK" => {
            Statement::Harmless
        }
        "INSERT" | "REPLACE" => {
            let skipped = ["LOW_PRIORITY", "DELAYED", "HIGH_PRIORITY", "IGNORE", "INTO"];
            let target: Vec<Token> = all
                .iter()
                .skip(1)
                .skip_while(|t| t.is_any(&skipped))
                .take(3)
                .cloned()
                .collect();
            Statement::Changes(Some(names_in(&target)))
        }
        "UPDATE" => Statement::Changes(Some(names_in(before(rest(1), &["SET"])))),
        "DELETE" => Statement::Changes(Some(names_in(before(rest(1), &["WHERE", "ORDER", "LIMIT"])))),
        "LOAD" => {
            let after = all
                .iter()
                .position(|t| t.is("TABLE"))
                .map_or(all.len(), |place| place + 1);
            Statement::Changes(Some(names_in(&rest(after)[..rest(after).len().min(3)])))
        }
        _ => Statement::Changes(None),
    }
}

fn before<'t>(tokens: &'t [Token], words: &[&str]) -> &'t [Token] {
    let end = tokens.iter().position(|t| t.is_any(words)).unwrap_or(tokens.len());
    &tokens[..end]
}

/// Rows that a new table gets come by themselves.
fn created(all: &[Token]) -> Statement {
    let head = before(
        &all[..all.len().min(6)],
        &["VIEW", "TRIGGER", "PROCEDURE", "FUNCTION", "EVENT", "DEFINER"],
    );
    let Some(table) = head.iter().position(|t| t.is("TABLE")) else {
        return Statement::Harmless;
    };
    if head.iter().any(|t| t.is("TEMPORARY")) {
        return Statement::Harmless;
    }
    let names = names_in(&all[table + 1..]);
    match head.iter().any(|t| t.is("REPLACE")) {
        true => Statement::Rewrites(names),
        false => Statement::Defines(names),
    }
}

fn altered(all: &[Token]) -> Statement {
    let head = &all[..all.len().min(5)];
    let Some(table) = head.iter().position(|t| t.is("TABLE")) else {
        return Statement::Harmless;
    };
    let changes_rows = all.iter().enumerate().any(|(at, token)| {
        let then = all.get(at + 1);
        let then_is = |words: &[&str]| then.is_some_and(|t| t.is_any(words));
        match token {
            // An index over a name that is a word for something else: one look too many.
            _ if token.is("DROP") => {
                // What a foreign key has changed before it goes, nobody can tell without it.
                !then_is(&["INDEX", "KEY", "PRIMARY", "CHECK", "DEFAULT"])
            }
            _ if token.is("RENAME") => !then_is(&["INDEX", "KEY"]),
            _ => token.is_any(&[
                "MODIFY", "CHANGE", "CONVERT", "TRUNCATE", "EXCHANGE", "IMPORT", "DISCARD", "IGNORE",
            ]),
        }
    });
    let names = names_in(&all[table + 1..]);
    match changes_rows {
        true => Statement::Rewrites(names),
        false => Statement::Defines(names),
    }
}

/// `XA COMMIT X'7831',X'',1`: what comes after the word names the transaction.
fn xa(text: &str) -> Statement {
    let mut words = text.splitn(3, ' ');
    let (verb, name) = (words.nth(1).unwrap_or_default(), words.next().unwrap_or_default());
    let name = name.trim().to_owned();
    match verb {
        "START" | "BEGIN" => Statement::XaStart(name),
        "COMMIT" => Statement::XaCommit(name),
        "ROLLBACK" => Statement::XaRollback(name),
        _ => Statement::Harmless,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which of the tables `d.p` and `d.c` a statement that ran in `d` is about, with what it does to them.
    fn check(text: &str, expected: &str) {
        let statement = judge(text);
        let about = |names: &Names| {
            let tables = ["p", "c"].into_iter().filter(|t| names.may_name(("d", t), "d"));
            tables.collect::<Vec<_>>().join(" ")
        };
        let shown = match &statement {
            Statement::Rewrites(names) => format!("rewrites {}", about(names)),
            Statement::Defines(names) => format!("defines {}", about(names)),
            Statement::Changes(Some(names)) => format!("changes {}", about(names)),
            Statement::Changes(None) => "changes".into(),
            other => format!("{other:?}"),
        };
        assert_eq!(shown.trim_end(), expected, "{text}");
    }

    #[test]
    fn transactions_begin_and_end() {
        check("BEGIN", "Begin");
        check("COMMIT", "End");
        check("ROLLBACK", "End");
        check("ROLLBACK TO `s`", "Harmless");
        check("SAVEPOINT `s`", "Harmless");
        check("XA START X'7831',X'',1", "XaStart(\"X'7831',X'',1\")");
        check("XA END X'7831',X'',1", "Harmless");
        check("XA COMMIT X'7831',X'',1", "XaCommit(\"X'7831',X'',1\")");
        check("XA ROLLBACK X'7831',X'',1", "XaRollback(\"X'7831',X'',1\")");
    }

    #[test]
    fn definitions_that_change_rows_are_told_from_others() {
        check("truncate table p", "rewrites p");
        check("TRUNCATE `d`.`c`", "rewrites c");
        check("TRUNCATE `other`.`c`", "rewrites");
        check("DROP TABLE IF EXISTS `p`,`c` /* generated by server */", "rewrites p c");
        check("rename table p to p_old, p_new to p", "rewrites p");
        check("DROP DATABASE IF EXISTS `d`", "DropsDatabase(\"d\")");
        check("create table if not exists p(id int)", "defines p");
        check("create or replace table p(id int)", "rewrites p");
        check("create temporary table p(id int)", "Harmless");
        check("DROP /*!40005 TEMPORARY */ TABLE IF EXISTS `p`", "Harmless");
        check("create unique index i on p(n)", "Harmless");
        check(
            "CREATE DEFINER=`r`@`h` TRIGGER t BEFORE INSERT ON p FOR EACH ROW SET @a = 1",
            "Harmless",
        );
        check("create view v as select * from p", "Harmless");
        check("alter table p add column z int default 5 first", "defines p");
        check(
            "alter table p add index i (n), drop index j, rename index a to b",
            "defines p",
        );
        check("alter table P drop column n", "rewrites p");
        check("alter table c drop foreign key f", "rewrites c");
        check("alter ignore table p add unique (n)", "rewrites p");
        check("alter table d.p modify n varchar(3)", "rewrites p");
        check("ALTER TABLE p TRUNCATE PARTITION p0", "rewrites p");
        check("alter table p alter n drop default", "defines p");
        check("alter table p comment = 'drop column'", "defines p");
        check(
            "alter table x add constraint f foreign key (p_id) references p(id)",
            "defines p",
        );
        check("analyze table p", "Harmless");
        check("-- drop\nalter # x\n table /* c */ p engine=InnoDB", "defines p");
    }

    #[test]
    fn changes_as_text_name_what_they_change() {
        check("insert into c select * from p", "changes c");
        check("REPLACE d.c VALUES (1)", "changes c");
        check("update p, c set p.n = c.n where 1", "changes p c");
        check("delete from x where id in (select id from p)", "changes");
        check(
            "LOAD DATA INFILE 'f' INTO TABLE `c` FIELDS TERMINATED BY ','",
            "changes c",
        );
        check("CALL f()", "changes");
        check("", "Harmless");
        check("'", "changes");
    }
}
