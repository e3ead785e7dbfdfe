//! Which file a connection means. Connection strings come from whoever may ask, so they name files of one folder alone.

use crate::source::SourceError;
use godwit_shared::connection::JdbcConnectionDetails;
use std::path::{Component, Path, PathBuf};
use std::sync::OnceLock;

/// Longer names than any file system takes.
const NAME_BYTES_MAX: usize = 4_096;

/// Where files may lie; set once, when the server starts.
static FOLDER: OnceLock<PathBuf> = OnceLock::new();

/// Lets connections read the files of a folder.
pub fn allow(folder: &Path) {
    let _ = FOLDER.set(folder.to_path_buf());
}

/// The folder.
///
/// # Errors
/// When the server has none.
pub(super) fn folder() -> Result<&'static Path, SourceError> {
    let none = || SourceError::NoFile { name: String::new() };
    FOLDER.get().map(PathBuf::as_path).ok_or_else(none)
}

/// A file of the folder, by its name in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqliteFile {
    name: String,
}

impl SqliteFile {
    /// Reads `jdbc:sqlite:shop.db` or `sqlite:shop.db`. Whether there is such a file shows when it is opened.
    ///
    /// # Errors
    /// When it is no URL of a file.
    pub fn parse(details: &JdbcConnectionDetails) -> Result<Self, SourceError> {
        let invalid = |reason: &str| SourceError::InvalidUrl { reason: reason.into() };
        let text = details.url.trim();
        let native = text.strip_prefix("jdbc:").unwrap_or(text);
        let name = match native.split_once(':') {
            Some((scheme, name)) if scheme.eq_ignore_ascii_case("sqlite") => name,
            _ => return Err(invalid("it does not start with \"jdbc:sqlite:\"")),
        };
        let name = name.strip_prefix("//").unwrap_or(name);
        if name.is_empty() {
            return Err(invalid("it names no file"));
        }
        if name.len() > NAME_BYTES_MAX || name.contains('\0') {
            return Err(invalid("the name of the file is too long, or has a NUL character"));
        }
        if name.contains('?') {
            return Err(invalid("a file has no options"));
        }
        Ok(Self { name: name.to_owned() })
    }

    /// As the connection names it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name of its database: that of the file without its ending.
    pub fn database(&self) -> String {
        let stem = Path::new(&self.name).file_stem().unwrap_or_default();
        stem.to_string_lossy().into_owned()
    }

    /// Where it lies.
    ///
    /// # Errors
    /// When the folder has no such file. One that lies elsewhere is refused alike, whether it is there or not.
    pub fn path(&self) -> Result<PathBuf, SourceError> {
        let none = || SourceError::NoFile {
            name: self.name.clone(),
        };
        inside(FOLDER.get().ok_or_else(none)?, &self.name).ok_or_else(none)
    }
}

/// A regular file of a folder, by its name in it or by its whole path.
fn inside(folder: &Path, name: &str) -> Option<PathBuf> {
    let root = folder.canonicalize().ok()?;
    let named = Path::new(name);
    let inner = match named.is_absolute() {
        true => named.strip_prefix(folder).or_else(|_| named.strip_prefix(&root)).ok()?,
        false => named,
    };
    let is_plain = |part: Component<'_>| matches!(part, Component::Normal(_));
    if !inner.components().all(is_plain) {
        return None;
    }
    let path = root.join(inner).canonicalize().ok()?;
    (path.starts_with(&root) && path.metadata().ok()?.is_file()).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(url: &str) -> Result<String, String> {
        let details = JdbcConnectionDetails {
            url: url.into(),
            ..JdbcConnectionDetails::default()
        };
        SqliteFile::parse(&details)
            .map(|file| file.name)
            .map_err(|e| e.to_string())
    }

    #[test]
    fn urls_name_a_file() {
        for url in [
            "jdbc:sqlite:shop.db",
            "sqlite:shop.db",
            "sqlite://shop.db",
            " SQLITE:shop.db",
        ] {
            assert_eq!(named(url).as_deref(), Ok("shop.db"), "{url}");
        }
        for url in [
            "",
            "shop.db",
            "jdbc:postgresql://h/db",
            "sqlite:",
            "sqlite:a?mode=rwc",
            "sqlite:a\0b",
        ] {
            assert!(named(url).is_err(), "{url}");
        }
    }

    #[test]
    fn only_regular_files_of_the_folder_are_found() {
        let base = tempdir();
        let folder = base.join("files");
        std::fs::create_dir_all(folder.join("sub")).expect("a folder");
        for file in ["secret", "files/a.db", "files/sub/b.db"] {
            std::fs::write(base.join(file), "x").expect("a file");
        }
        std::os::unix::fs::symlink(base.join("secret"), folder.join("out")).expect("a link");
        let whole = folder.join("a.db").display().to_string();
        for name in ["a.db", "sub/b.db", &whole] {
            assert!(inside(&folder, name).is_some(), "{name}");
        }
        for name in [
            "",
            ".",
            "..",
            "../secret",
            "sub/../../secret",
            "/etc/passwd",
            "out",
            "sub",
            "missing",
            "./a.db/x",
        ] {
            assert_eq!(inside(&folder, name), None, "{name}");
        }
    }

    fn tempdir() -> PathBuf {
        let base = std::env::temp_dir().join(uuid::Uuid::new_v4().simple().to_string());
        std::fs::create_dir_all(&base).expect("a folder");
        base
    }
}
