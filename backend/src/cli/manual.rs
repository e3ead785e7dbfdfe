//! What is made of the commands themselves: completions, man pages, and the reference in `docs/`.

use super::arguments::command;
use super::exit::{Exit, Failure};
use super::output::Output;
use clap::{Args, Command, ValueEnum};
use clap_complete::Shell;
use std::io::Write;
use std::path::PathBuf;

#[derive(Args)]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: ShellName,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ShellName {
    Bash,
    Elvish,
    Fish,
    Powershell,
    Zsh,
}

#[derive(Args)]
pub struct Man {
    /// The folder that gets a page for every command
    folder: PathBuf,
}

/// Prints completions to standard output.
pub fn completions(asked: &Completions) -> Result<Exit, Failure> {
    let shell = match asked.shell {
        ShellName::Bash => Shell::Bash,
        ShellName::Elvish => Shell::Elvish,
        ShellName::Fish => Shell::Fish,
        ShellName::Powershell => Shell::PowerShell,
        ShellName::Zsh => Shell::Zsh,
    };
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut command(), "godwit", &mut text);
    let _ = std::io::stdout().write_all(&text);
    Ok(Exit::Done)
}

/// Writes `godwit.1`, `godwit-migrate.1`, ….
pub fn man(asked: &Man) -> Result<Exit, Failure> {
    std::fs::create_dir_all(&asked.folder).map_err(|e| Failure::file(&asked.folder, &e))?;
    let mut whole = command();
    whole.build();
    write_pages(&whole, "godwit", asked)?;
    Ok(Exit::Done)
}

fn write_pages(command: &Command, name: &str, asked: &Man) -> Result<(), Failure> {
    let path = asked.folder.join(format!("{name}.1"));
    let mut page = Vec::new();
    let named = command.clone().name(super::arguments::leaked(name.to_owned()));
    let failed = |e: std::io::Error| Failure::file(&path, &e);
    clap_mangen::Man::new(named).render(&mut page).map_err(failed)?;
    std::fs::write(&path, page).map_err(failed)?;
    for sub in shown(command) {
        write_pages(sub, &format!("{name}-{}", sub.get_name()), asked)?;
    }
    Ok(())
}

fn shown(command: &Command) -> impl Iterator<Item = &Command> {
    command
        .get_subcommands()
        .filter(|sub| !sub.is_hide_set() && sub.get_name() != "help")
}

/// Prints the reference as Markdown: `docs/command-line.md` has it, and a test compares the two.
pub fn reference(output: &Output) -> Result<Exit, Failure> {
    output.raw(&markdown());
    Ok(Exit::Done)
}

/// The reference of all commands.
pub fn markdown() -> String {
    let mut whole = command();
    whole.build();
    let mut text = String::from(
        "# The commands\n\nMade by `godwit reference` of what `godwit --help` says; a test compares the two. How they are \
         used together: [command-line.md](command-line.md).\n\n## Exit codes\n\n| code | meaning |\n| --- | --- |\n",
    );
    for exit in Exit::ALL {
        text.push_str(&format!("| {} | {} |\n", exit.code(), exit.meaning()));
    }
    for sub in shown(&whole) {
        section(sub, &format!("godwit {}", sub.get_name()), 2, &mut text);
    }
    text
}

fn section(command: &Command, name: &str, level: usize, text: &mut String) {
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    text.push_str(&format!("\n{} {name}\n\n{about}.\n", "#".repeat(level)));
    let own: Vec<_> = (command.get_arguments())
        .filter(|arg| {
            !arg.is_hide_set() && !arg.is_global_set() && !matches!(arg.get_id().as_str(), "help" | "version")
        })
        .collect();
    if !own.is_empty() {
        text.push_str("\n| argument | variable | |\n| --- | --- | --- |\n");
    }
    for arg in own {
        let value = || {
            let names = arg.get_value_names().unwrap_or_default();
            names.iter().map(|n| format!(" {n}")).collect::<String>()
        };
        let takes_value = arg.get_action().takes_values();
        let shown = match arg.get_long() {
            Some(long) if takes_value => format!("`--{long}{}`", value()),
            Some(long) => format!("`--{long}`"),
            None => format!("`{}`", value().trim()),
        };
        let variable = arg
            .get_env()
            .map(|v| format!("`{}`", v.to_string_lossy()))
            .unwrap_or_default();
        let mut help = arg
            .get_help()
            .map(ToString::to_string)
            .unwrap_or_default()
            .replace('|', "\\|")
            .replace('\n', " ");
        let values: Vec<String> = (arg.get_possible_values().iter())
            .filter(|_| takes_value)
            .map(|v| format!("`{}`", v.get_name()))
            .collect();
        if !values.is_empty() {
            help.push_str(&format!(": {}", values.join(", ")));
        }
        let usual: Vec<String> = arg
            .get_default_values()
            .iter()
            .map(|v| v.to_string_lossy().into_owned())
            .collect();
        if takes_value && !usual.is_empty() && !arg.is_hide_default_value_set() {
            help.push_str(&format!(" (default {})", usual.join(", ")));
        }
        text.push_str(&format!("| {shown} | {variable} | {help} |\n"));
    }
    if let Some(after) = command.get_after_help() {
        text.push_str(&format!("\n```text\n{}\n```\n", after.to_string().trim()));
    }
    for sub in shown(command) {
        section(sub, &format!("{name} {}", sub.get_name()), level + 1, text);
    }
}
