//! The configuration file: TOML with the long names of options. What stands at its top is for every command that has the
//! option, a table is for the command of its name.
//!
//! ```toml
//! source = "postgresql://reader@db/shop"
//! target-password-file = "/run/secrets/mongo"
//!
//! [migrate]
//! errors = 10
//!
//! [jobs.list]
//! limit = 20
//! ```

use super::arguments::leaked;
use super::exit::{Exit, Failure};
use super::secrets;
use clap::builder::OsStr;
use clap::{ArgAction, Command};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

const FILE_BYTES_MAX: u64 = 1 << 20;

/// The file that is to be read: the one that is named, else that of the user, where there is one.
pub fn find(arguments: &[OsString]) -> Option<PathBuf> {
    let mut words = arguments.iter().skip(1);
    while let Some(word) = words.next() {
        let Some(word) = word.to_str() else { continue };
        match word.strip_prefix("--config") {
            Some("") => return words.next().map(PathBuf::from),
            Some(rest) if rest.starts_with('=') => return Some(rest[1..].into()),
            _ if word == "--" => break,
            _ => {}
        }
    }
    if let Some(named) = std::env::var_os("GODWIT_CONFIG").filter(|f| !f.is_empty()) {
        return Some(named.into());
    }
    let base = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from);
    let base = base.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".config")))?;
    Some(base.join("godwit/godwit.toml")).filter(|file| file.is_file())
}

/// Puts what the file says below arguments and environment.
///
/// # Errors
/// When it cannot be read, is no TOML, or names what there is not.
pub fn lay(command: Command, file: &Path) -> Result<Command, Failure> {
    let text = secrets::read(file, FILE_BYTES_MAX)?;
    laid(command, &text).map_err(|reason| {
        Failure::new(Exit::Usage, "configuration", format!("{}: {reason}", file.display()))
            .with_hint("Its keys are the long names of options, at the top or in a table of their command: see --help.")
    })
}

fn laid(mut command: Command, text: &str) -> Result<Command, String> {
    let table: Table = toml::from_str(text).map_err(|e| e.message().to_owned())?;
    for (key, value) in table {
        let key = key.replace('_', "-");
        match value {
            Value::Table(below) => command = set_below(command, &[&key], below)?,
            value => {
                let known = count(&command, &key);
                if known == 0 {
                    return Err(format!("no command has the option {key}"));
                }
                command = set_everywhere(command, &key, &texts(&key, value)?);
            }
        }
    }
    Ok(command)
}

fn set_below(command: Command, path: &[&str], table: Table) -> Result<Command, String> {
    let name = path[path.len() - 1];
    let Some(mut sub) = command.find_subcommand(name).cloned() else {
        return Err(format!("there is no command {}", path.join(" ")));
    };
    for (key, value) in table {
        let key = key.replace('_', "-");
        match value {
            Value::Table(below) => {
                let path: Vec<&str> = path.iter().copied().chain([key.as_str()]).collect();
                sub = set_below(sub, &path, below)?;
            }
            value => {
                if count(&sub, &key) == 0 {
                    return Err(format!("{} has no option {key}", path.join(" ")));
                }
                sub = set_everywhere(sub, &key, &texts(&key, value)?);
            }
        }
    }
    let name = name.to_owned();
    Ok(command.mut_subcommand(name, |_| sub))
}

/// How many commands have the option.
fn count(command: &Command, long: &str) -> usize {
    let own = command.get_arguments().filter(|a| a.get_long() == Some(long)).count();
    own + command.get_subcommands().map(|sub| count(sub, long)).sum::<usize>()
}

fn set_everywhere(command: Command, long: &str, values: &[String]) -> Command {
    let names: Vec<String> = command.get_subcommands().map(|c| c.get_name().to_owned()).collect();
    let mut command = command.mut_args(|arg| {
        if arg.get_long() != Some(long) || matches!(arg.get_action(), ArgAction::Help | ArgAction::Version) {
            return arg;
        }
        let values: Vec<OsStr> = values.iter().map(|v| OsStr::from(leaked(v.clone()))).collect();
        let takes_value = arg.get_action().takes_values();
        let arg = arg.default_values(values).required(false);
        if takes_value { arg.hide_default_value(true) } else { arg }
    });
    for name in names {
        command = command.mut_subcommand(name, |sub| set_everywhere(sub, long, values));
    }
    command
}

fn texts(key: &str, value: Value) -> Result<Vec<String>, String> {
    match value {
        Value::String(text) => Ok(vec![text]),
        Value::Integer(number) => Ok(vec![number.to_string()]),
        Value::Float(number) => Ok(vec![number.to_string()]),
        Value::Boolean(is_set) => Ok(vec![is_set.to_string()]),
        Value::Array(items) => {
            let each = items.into_iter().map(|item| texts(key, item));
            Ok(each.collect::<Result<Vec<_>, _>>()?.concat())
        }
        Value::Datetime(_) | Value::Table(_) => {
            Err(format!("the value of {key} is neither a text, a number nor a list"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::arguments::command;

    fn asked(file: &str, arguments: &[&str]) -> clap::ArgMatches {
        let command = laid(command(), file).expect("a configuration");
        let arguments = ["godwit"].iter().chain(arguments);
        command.try_get_matches_from(arguments).expect("arguments")
    }

    #[test]
    fn arguments_win_over_the_file_and_a_table_over_the_top() {
        let file = "source = \"sqlite:a\"\n[migrate]\nerrors = 7\ndrop = true\ninclude = [\"x\", \"y\"]\n[jobs.list]\nlimit = 3";
        let matches = asked(file, &["migrate", "p.relmig"]);
        let (_, migrate) = matches.subcommand().expect("a command");
        let text = |name: &str| migrate.get_one::<String>(name).cloned();
        assert_eq!(text("source").as_deref(), Some("sqlite:a"));
        assert_eq!(migrate.get_one::<u64>("errors"), Some(&7));
        assert!(migrate.get_flag("drop"));
        assert_eq!(migrate.get_many::<String>("include").expect("values").count(), 2);
        let matches = asked(file, &["migrate", "p.relmig", "--source", "sqlite:b", "--errors", "1"]);
        let (_, migrate) = matches.subcommand().expect("a command");
        assert_eq!(
            migrate.get_one::<String>("source").map(String::as_str),
            Some("sqlite:b")
        );
        assert_eq!(migrate.get_one::<u64>("errors"), Some(&1));
    }

    #[test]
    fn what_there_is_not_is_refused() {
        for (file, word) in [
            ("sauce = 1", "sauce"),
            ("[migrat]\nerrors = 1", "migrat"),
            ("[migrate]\nlisten = 1", "listen"),
            ("[jobs.lst]\nlimit = 1", "jobs lst"),
            ("source =", ""),
            ("source = 1979-05-27", "source"),
        ] {
            let error = laid(command(), file).expect_err("an error");
            assert!(error.contains(word), "{file}: {error}");
        }
    }
}
