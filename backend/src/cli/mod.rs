//! The command line: one file a verb.
//!
//! ```text
//! main ─▶ arguments (clap, with environment and configuration file below them) ─▶ a verb ─▶ Exit
//!   migrate, verify            a job in this process: engine, asked through the router of the API
//!   schema init preview …      what the API's handlers call, without a store
//!   jobs projects connections  the same paths of the API, over HTTP
//! ```
//!
//! Nothing is decided here that the API decides too: this room reads arguments, asks, and prints. What a program reads is
//! JSON, one value a line; what a person reads is text. Errors go to standard error, and the number that the process ends
//! with is one of [`Exit`](exit::Exit).

mod arguments;
mod ask;
mod check;
mod connections;
mod convert;
mod diff;
mod doctor;
mod exit;
mod export;
mod file_layer;
mod init;
mod jobs;
mod manual;
mod migrate;
mod output;
mod plan;
mod preview;
mod project_file;
mod projects;
mod remote;
mod schema;
mod secrets;
mod standalone;
pub mod text;
mod verify;
mod watch;

pub use arguments::{Cli, Command, parse};
pub use exit::Exit;

use crate::config::Common;
use exit::Failure;
use output::Output;

/// Runs a command other than those of `main`, and prints what it has to say.
pub async fn run(common: Common, command: Command) -> Exit {
    let output = Output::new(common.output);
    match Box::pin(dispatch(command, &output)).await {
        Ok(exit) => exit,
        Err(failure) => {
            output.failure(&failure);
            failure.exit
        }
    }
}

async fn dispatch(command: Command, output: &Output) -> Result<Exit, Failure> {
    match command {
        Command::Migrate(asked) => Box::pin(migrate::run(*asked, output)).await,
        Command::Verify(asked) => Box::pin(verify::run(*asked, output)).await,
        Command::Schema(asked) => Box::pin(schema::run(asked, output)).await,
        Command::Init(asked) => Box::pin(init::run(asked, output)).await,
        Command::Check(asked) => Box::pin(check::run(asked, output)).await,
        Command::Preview(asked) => Box::pin(preview::run(asked, output)).await,
        Command::Plan(asked) => Box::pin(plan::run(asked, output)).await,
        Command::Diff(asked) => Box::pin(diff::run(asked, output)).await,
        Command::Doctor(asked) => Box::pin(doctor::run(*asked, output)).await,
        Command::Convert(asked) => Box::pin(convert::run(asked, output)).await,
        Command::Export(asked) => Box::pin(export::export(asked, output)).await,
        Command::Import(asked) => Box::pin(export::import(asked, output)).await,
        Command::Jobs(asked) => Box::pin(jobs::run(asked, output)).await,
        Command::Projects(asked) => Box::pin(projects::run(asked, output)).await,
        Command::Connections(asked) => Box::pin(connections::run(asked, output)).await,
        Command::Completions(asked) => manual::completions(&asked),
        Command::Man(asked) => manual::man(&asked),
        Command::Reference => manual::reference(output),
        Command::Serve(_) | Command::CheckReport(_) | Command::ScriptWorker => {
            Err(Failure::usage("this command is not run here"))
        }
    }
}
