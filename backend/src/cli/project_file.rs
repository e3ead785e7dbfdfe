//! Project files of a command: `.relmig`, or the text form (`.yaml`, `.yml`), read by what is in them and written by their
//! name.

use super::exit::{Exit, Failure};
use super::secrets::{self, folder_of};
use super::text;
use godwit_shared::ids::ProjectId;
use godwit_shared::project::FILE_BYTES_MAX;
use godwit_shared::relmig::ProjectFile;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The text form of a file takes a little more room.
pub const TEXT_BYTES_MAX: u64 = 2 * FILE_BYTES_MAX as u64;

/// A form of a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Relmig,
    Text,
}

impl Form {
    /// By the ending of a name.
    pub fn of(path: &Path) -> Self {
        match path.extension().and_then(|e| e.to_str()) {
            Some("yaml" | "yml") => Form::Text,
            _ => Form::Relmig,
        }
    }
}

/// Reads a project; `-` is standard input.
///
/// # Errors
/// When the file cannot be read, or is no project.
pub fn read(path: &Path) -> Result<ProjectFile, Failure> {
    parse(&secrets::read(path, TEXT_BYTES_MAX)?, path)
}

/// A project of a text that was read from a file.
///
/// # Errors
/// When it is none.
pub fn parse(text: &str, path: &Path) -> Result<ProjectFile, Failure> {
    let text = text.trim_start_matches('\u{feff}');
    let is_json = text.trim_start().starts_with('{');
    match is_json {
        true => Ok(ProjectFile::from_json(text)?),
        false => text::from_text(text).map_err(|e| {
            Failure::new(Exit::Usage, "invalid_project_file", format!("{}: {e}", path.display()))
                .with_hint("Expected is a .relmig file (JSON), or a mapping as `godwit convert` writes it (YAML).")
        }),
    }
}

/// The project as text of a form.
///
/// # Errors
/// When it cannot be written so that reading it gives the same.
pub fn written(file: &ProjectFile, form: Form, with_schema: bool) -> Result<String, Failure> {
    match form {
        Form::Relmig => {
            let text = serde_json::to_string_pretty(&file.to_exported_value());
            Ok(text.map_err(|e| Failure::new(Exit::Failed, "internal", e.to_string()))? + "\n")
        }
        Form::Text => text::to_text(file, with_schema).map_err(|e| Failure::new(Exit::Failed, "internal", e)),
    }
}

/// Writes a file whole, or not at all. One that is there is only replaced where that is asked for.
///
/// # Errors
/// When it is there, or cannot be written.
pub fn write(path: &Path, text: &str, may_replace: bool) -> Result<(), Failure> {
    let failed = |e: std::io::Error| Failure::file(path, &e);
    if !may_replace && path.exists() {
        return Err(Failure::usage(format!("{} is there already", path.display()))
            .with_hint("Choose another name, or let it be replaced with --force."));
    }
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // As any program makes a file: what the umask takes away is taken away.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.tempfile_in(folder_of(path)).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    if let Ok(there) = std::fs::metadata(path) {
        file.as_file().set_permissions(there.permissions()).map_err(failed)?;
    }
    file.persist(path).map_err(|e| failed(e.error))?;
    Ok(())
}

/// The id under which a project runs without a server: ids of documents are made of it, so it is that of the file, or one
/// that its name gives, in every run.
pub fn project_id(file: &ProjectFile) -> ProjectId {
    let own = file.project.id.as_str();
    let is_id = |c: char| c.is_ascii_alphanumeric() || c == '-';
    match !own.is_empty() && own.len() <= 100 && own.chars().all(is_id) {
        true => ProjectId::new(own),
        false => {
            let hash = blake3::hash(format!("{}\0{}", file.project.name, file.project.kind).as_bytes());
            ProjectId::new(&hash.to_hex()[..32])
        }
    }
}

/// The folder of the state of a project: beside its file, with the same name.
pub fn state_folder(project: &Path) -> PathBuf {
    match project.as_os_str() == "-" {
        true => PathBuf::from("project.godwit"),
        false => project.with_extension("godwit"),
    }
}
