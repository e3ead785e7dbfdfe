//! Connections of a command. Passwords come from the environment, a file or the terminal, and need not stand among the
//! arguments, which every user of the machine can read.

use super::exit::Failure;
use crate::config::{ServerArgs, SourceArgs, TargetArgs};
use crate::{certificates, serve};
use godwit_shared::connection::{JdbcConnectionDetails, MongodbConnectionDetails, SourceKind};
use std::io::{BufRead, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};

/// Longer ones are none.
const SECRET_BYTES_MAX: u64 = 64 << 10;
const SOURCE_PASSWORD: &str = "GODWIT_SOURCE_PASSWORD";
const TARGET_PASSWORD: &str = "GODWIT_TARGET_PASSWORD";

/// The source that the arguments name.
///
/// # Errors
/// When there is none, or a file or the terminal cannot be read.
pub fn source(args: &SourceArgs) -> Result<JdbcConnectionDetails, Failure> {
    allow_files();
    let url = args.source.as_deref().filter(|url| !url.is_empty());
    let url = url.ok_or_else(|| {
        Failure::usage("no source is given")
            .with_hint("Name it with --source, or in GODWIT_SOURCE: postgresql://user@host/database, sqlite:FILE, …")
    })?;
    let kind = SourceKind::of_url(url).ok_or_else(|| {
        Failure::usage("the URL of the source is of no database that can be read").with_hint(format!(
            "It begins with postgresql:, mysql:, mariadb: or sqlite:, for {}.",
            SourceKind::ALL.map(SourceKind::name).join(", ")
        ))
    })?;
    let url = match kind {
        SourceKind::Sqlite => serve::sqlite_url(url).map_err(Failure::usage)?,
        _ => url.to_owned(),
    };
    Ok(JdbcConnectionDetails {
        kind: kind.code().to_owned(),
        url,
        user: args.source_user.clone(),
        password: secret(
            SOURCE_PASSWORD,
            args.source_password_file.as_deref(),
            args.ask_source_password.then_some("Password of the source: "),
        )?,
        ssl_root_cert_content: args.source_ca_file.as_deref().map(text_of).transpose()?,
        ..JdbcConnectionDetails::default()
    })
}

/// The destination, where the arguments name one.
///
/// # Errors
/// When a file or the terminal cannot be read.
pub fn target_if_given(args: &TargetArgs) -> Result<Option<MongodbConnectionDetails>, Failure> {
    args.target.is_some().then(|| target(args)).transpose()
}

/// The destination that the arguments name.
///
/// # Errors
/// When there is none, or a file or the terminal cannot be read.
pub fn target(args: &TargetArgs) -> Result<MongodbConnectionDetails, Failure> {
    allow_files();
    let uri = args.target.as_deref().filter(|uri| !uri.is_empty());
    let uri = uri.ok_or_else(|| {
        Failure::usage("no destination is given")
            .with_hint("Name it with --target, or in GODWIT_TARGET: mongodb://host/database")
    })?;
    Ok(MongodbConnectionDetails {
        connection_string: uri.to_owned(),
        user: args.target_user.clone(),
        password: secret(
            TARGET_PASSWORD,
            args.target_password_file.as_deref(),
            args.ask_target_password.then_some("Password of the destination: "),
        )?,
        tls_ca_content: args.target_ca_file.as_deref().map(text_of).transpose()?,
        tls_certificate_key_content: args.target_certificate_file.as_deref().map(text_of).transpose()?,
        ..MongodbConnectionDetails::default()
    })
}

/// The token for a server, if any.
///
/// # Errors
/// When its file cannot be read.
pub fn token(args: &ServerArgs) -> Result<Option<String>, Failure> {
    match (&args.token, &args.token_file) {
        (Some(token), _) => Ok(Some(token.clone())),
        (None, Some(file)) => first_line(file).map(Some),
        (None, None) => Ok(None),
    }
}

/// Whoever types a command may read his own files: connection strings may name any of them, and sockets.
fn allow_files() {
    let _ = certificates::allow(Some(Path::new("/")), true);
}

/// Lets a connection that was made in an earlier run use its files again.
///
/// # Errors
/// When its file is gone.
pub fn allow(source: &JdbcConnectionDetails) -> Result<(), Failure> {
    allow_files();
    match SourceKind::of_url(&source.url) {
        Some(SourceKind::Sqlite) => serve::sqlite_url(&source.url).map(|_| ()).map_err(Failure::usage),
        _ => Ok(()),
    }
}

fn secret(variable: &str, file: Option<&Path>, question: Option<&str>) -> Result<Option<String>, Failure> {
    if let Some(question) = question {
        return ask(question).map(Some);
    }
    match (std::env::var(variable), file) {
        (Ok(secret), _) if !secret.is_empty() => Ok(Some(secret)),
        (_, Some(file)) => first_line(file).map(Some),
        (_, None) => Ok(None),
    }
}

/// A whole text file; `-` is standard input.
pub fn text_of(path: &Path) -> Result<String, Failure> {
    read(path, crate::certificates::PEM_BYTES_MAX as u64)
}

/// A text of at most so many bytes; `-` is standard input.
///
/// # Errors
/// When it cannot be read, is larger, or is no text.
pub fn read(path: &Path, bytes_max: u64) -> Result<String, Failure> {
    let file: Box<dyn Read> = match path.as_os_str() == "-" {
        true => Box::new(std::io::stdin()),
        false => Box::new(std::fs::File::open(path).map_err(|e| Failure::file(path, &e))?),
    };
    let mut bytes = Vec::new();
    let read = file.take(bytes_max + 1).read_to_end(&mut bytes);
    read.map_err(|e| Failure::file(path, &e))?;
    if bytes.len() as u64 > bytes_max {
        return Err(Failure::usage(format!(
            "{} is larger than the {} bytes that may be read of it",
            path.display(),
            bytes_max
        )));
    }
    let text = String::from_utf8(bytes);
    text.map_err(|_| Failure::usage(format!("{} is no text in UTF-8", path.display())))
}

fn first_line(path: &Path) -> Result<String, Failure> {
    let text = read(path, SECRET_BYTES_MAX)?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

/// Asks in the terminal, without showing what is typed.
fn ask(question: &str) -> Result<String, Failure> {
    use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
    let input = std::io::stdin();
    if !input.is_terminal() {
        return Err(
            Failure::usage("a password cannot be asked for: standard input is no terminal")
                .with_hint("Put it into the environment or into a file: see --help."),
        );
    }
    let failed = |e: std::io::Error| Failure::usage(format!("the terminal cannot be read: {e}"));
    let usual = tcgetattr(&input).map_err(|e| failed(e.into()))?;
    let mut silent = usual.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    let _ = write!(std::io::stderr(), "{question}");
    tcsetattr(&input, OptionalActions::Flush, &silent).map_err(|e| failed(e.into()))?;
    let mut line = String::new();
    let read = input.lock().read_line(&mut line);
    let _ = tcsetattr(&input, OptionalActions::Flush, &usual);
    let _ = writeln!(std::io::stderr());
    read.map_err(failed)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// The folder of a file; that of the process where it names none.
pub fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}
