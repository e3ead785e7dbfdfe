//! The arguments: every command in one enum, and what lies below what was typed, the environment and the configuration
//! file.

use super::exit::{Exit, Failure};
use super::output::Output;
use super::{
    check, connections, convert, diff, doctor, export, file_layer, init, jobs, manual, migrate, plan, preview,
    projects, schema, verify,
};
use crate::config::{CheckReport, Common, Format, Serve};
use clap::builder::FalseyValueParser;
use clap::{ArgAction, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use std::ffi::OsString;

/// Godwit moves relational databases into MongoDB.
#[derive(Parser)]
#[command(
    name = "godwit",
    version,
    max_term_width = 120,
    disable_help_subcommand = true,
    subcommand_required = true
)]
pub struct Cli {
    #[command(flatten)]
    pub common: Common,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// Serve the page and the REST API
    Serve(Box<Serve>),
    /// Migrate a project in this process, without a server
    #[command(after_help = migrate::EXAMPLES)]
    Migrate(Box<migrate::Migrate>),
    /// Compare the documents of a destination with what the rows of a source give
    #[command(after_help = verify::EXAMPLES)]
    Verify(Box<verify::Verify>),
    /// Show the tables of a source
    #[command(after_help = schema::EXAMPLES)]
    Schema(schema::Schema),
    /// Make a project file from a live source
    #[command(after_help = init::EXAMPLES)]
    Init(init::Init),
    /// Check a project against its source and destination, as a job would before it starts
    #[command(after_help = check::EXAMPLES)]
    Check(check::Check),
    /// Show documents as a job would write them
    #[command(after_help = preview::EXAMPLES)]
    Preview(preview::Preview),
    /// Show what a job would read and write: in which order, how much, for how long
    #[command(after_help = plan::EXAMPLES)]
    Plan(plan::PlanArgs),
    /// Show what differs between two projects, or between a project and the schema of its source
    #[command(after_help = diff::EXAMPLES)]
    Diff(diff::Diff),
    /// Look at settings, servers, versions and rights
    #[command(after_help = doctor::EXAMPLES)]
    Doctor(Box<doctor::Doctor>),
    /// Write a project as text (YAML) or as .relmig, without loss in both directions
    #[command(after_help = convert::EXAMPLES)]
    Convert(convert::Convert),
    /// Take a project out of a running server as a file
    Export(export::Export),
    /// Put a project file into a running server
    Import(export::Import),
    /// Jobs of a running server
    #[command(after_help = jobs::EXAMPLES)]
    Jobs(jobs::Jobs),
    /// Projects of a running server
    Projects(projects::Projects),
    /// Saved connections of a running server
    #[command(after_help = connections::EXAMPLES)]
    Connections(connections::Connections),
    /// Say whether a report of a verification is as it was signed, and by which installation
    CheckReport(CheckReport),
    /// Print completions for a shell
    #[command(hide = true)]
    Completions(manual::Completions),
    /// Write the man pages into a folder
    #[command(hide = true)]
    Man(manual::Man),
    /// Print the reference of all commands as Markdown
    #[command(hide = true)]
    Reference,
    /// Evaluate expressions for a server, which starts this itself
    #[command(hide = true)]
    ScriptWorker,
}

/// All commands, with their environment variables.
pub(super) fn command() -> clap::Command {
    let names: Vec<String> = Cli::command()
        .get_subcommands()
        .map(|c| c.get_name().to_owned())
        .collect();
    let mut command = Cli::command().after_help(format!("Exit codes:\n{}", Exit::table()));
    for name in names {
        command = command.mut_subcommand(name.clone(), |sub| with_environment(sub, &name));
    }
    command
}

/// Every option can be given by a variable: GODWIT_MIGRATE_ERRORS is `godwit migrate --errors`.
fn with_environment(command: clap::Command, path: &str) -> clap::Command {
    let names: Vec<String> = command.get_subcommands().map(|c| c.get_name().to_owned()).collect();
    let mut command = command.mut_args(|arg| {
        // A variable says yes and no in more ways than true and false.
        let arg = match arg.get_action() {
            ArgAction::SetTrue => arg.value_parser(FalseyValueParser::new()),
            _ => arg,
        };
        let has_long = arg.get_long().is_some();
        let is_asked = matches!(arg.get_action(), ArgAction::Help | ArgAction::Version);
        if !has_long || is_asked || arg.get_env().is_some() {
            return arg;
        }
        let long = arg.get_long().unwrap_or_default();
        let variable = format!("GODWIT_{path}_{long}").to_uppercase().replace(['-', ' '], "_");
        // Secrets may stand in any of them.
        arg.env(leaked(variable)).hide_env_values(true)
    });
    for name in names {
        let path = format!("{path}_{name}");
        command = command.mut_subcommand(name, |sub| with_environment(sub, &path));
    }
    command
}

/// Names of arguments live as long as the process.
pub(super) fn leaked(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

/// Reads the arguments, with the configuration file below them.
///
/// # Errors
/// What clap says, also where help was asked for; or that the configuration file cannot be used.
pub fn parse(arguments: &[OsString]) -> Result<Cli, Wrong> {
    let mut command = command();
    if let Some(file) = file_layer::find(arguments) {
        command = file_layer::lay(command, &file)?;
    }
    let matches = command.try_get_matches_from(arguments)?;
    Ok(Cli::from_arg_matches(&matches)?)
}

/// Why the arguments cannot be used.
#[derive(Debug)]
pub enum Wrong {
    Arguments(clap::Error),
    File(Failure),
}

impl From<clap::Error> for Wrong {
    fn from(error: clap::Error) -> Self {
        Wrong::Arguments(error)
    }
}

impl From<Failure> for Wrong {
    fn from(failure: Failure) -> Self {
        Wrong::File(failure)
    }
}

impl Wrong {
    /// Prints it as the arguments and the environment say, as far as they can be read. Help and version are no errors.
    pub fn exit(self, arguments: &[OsString]) -> Exit {
        let output = Output::new(format_of(arguments));
        match self {
            Wrong::Arguments(error) if !error.use_stderr() => {
                let _ = error.print();
                Exit::Done
            }
            Wrong::Arguments(error) if !output.is_json() => {
                let _ = error.print();
                Exit::Usage
            }
            Wrong::Arguments(error) => {
                let text = error.render().to_string();
                let message = text
                    .lines()
                    .next()
                    .unwrap_or_default()
                    .trim_start_matches("error: ")
                    .to_owned();
                output.failure(&Failure::usage(message).with_hint("See --help."));
                Exit::Usage
            }
            Wrong::File(failure) => {
                output.failure(&failure);
                failure.exit
            }
        }
    }
}

/// What `--output` or its variable says, of arguments that could not be read.
fn format_of(arguments: &[OsString]) -> Format {
    let words: Vec<&str> = arguments.iter().filter_map(|word| word.to_str()).collect();
    let given = words
        .iter()
        .enumerate()
        .find_map(|(n, word)| match word.strip_prefix("--output")? {
            "" => words.get(n + 1).copied(),
            rest => rest.strip_prefix('='),
        });
    let variable = std::env::var("GODWIT_OUTPUT").unwrap_or_default();
    Format::from_str(given.unwrap_or(&variable), false).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_are_consistent() {
        command().debug_assert();
    }

    #[test]
    fn every_option_has_a_variable_of_its_own_or_a_common_one() {
        fn check(command: &clap::Command) {
            for arg in command.get_arguments().filter(|a| a.get_long().is_some()) {
                let is_asked = matches!(arg.get_action(), ArgAction::Help | ArgAction::Version);
                assert!(
                    is_asked || arg.get_env().is_some(),
                    "{} {}",
                    command.get_name(),
                    arg.get_id()
                );
            }
            command.get_subcommands().for_each(check);
        }
        let whole = command();
        whole.get_subcommands().for_each(check);
    }

    /// Whatever is typed is understood or refused.
    #[test]
    fn no_arguments_panic() {
        let words = [
            "migrate",
            "jobs",
            "list",
            "init",
            "verify",
            "--source",
            "--target",
            "--errors",
            "-1",
            "99999999999999999999",
            "",
            "--",
            "--output",
            "json",
            "\u{0}",
            "é",
            "--include",
            ",,",
            "--resume",
            "--restart",
            "--continuous",
            "show",
            "diff",
            "--limit",
            "0",
            "--state",
            "/",
            "--server",
            "::",
            "-h",
            "convert",
            "--help",
            "--no-error-limit",
            "plan",
            "a.relmig",
        ];
        let mut random = fastrand_like(7);
        let whole = command();
        for _ in 0..1_000 {
            let length = random() % 9;
            let mut arguments = vec![OsString::from("godwit")];
            arguments.extend((0..length).map(|_| OsString::from(words[random() % words.len()])));
            let _ = whole
                .clone()
                .try_get_matches_from(&arguments)
                .map(|matches| Cli::from_arg_matches(&matches).is_ok());
        }
    }

    /// A small generator, the same in every run.
    fn fastrand_like(seed: u64) -> impl FnMut() -> usize {
        let mut state = seed;
        move || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize
        }
    }
}
