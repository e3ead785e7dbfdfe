//! The data folder: ours alone. Who else could write there could exchange the key, or the data of a private `mongod`.

use super::StoreError;
use std::io::Write;
use std::path::Path;

/// Makes the folder, for its owner alone, or sees that the one that is there is ours.
///
/// # Errors
/// When it belongs to somebody else, or others may write to it.
pub fn claim(path: &Path) -> Result<(), StoreError> {
    let failed = |reason: String| StoreError::Folder {
        path: path.display().to_string(),
        reason,
    };
    let mut maker = std::fs::DirBuilder::new();
    maker.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut maker, 0o700);
    maker.create(path).map_err(|e| failed(e.to_string()))?;
    let found = std::fs::metadata(path).map_err(|e| failed(e.to_string()))?;
    check(&found, 0o022).map_err(|wrong| {
        failed(match wrong {
            Wrong::Owner(owner) => format!(
                "it belongs to the user {owner}. Choose another folder with --data-dir, or let that user run the server"
            ),
            Wrong::Mode(mode) => format!(
                "others may write to it (its mode is {mode:03o}). Take that right away: chmod go-w {}",
                path.display()
            ),
        })
    })
}

/// Makes a file of so many random bytes, for its owner alone. It must not be there.
pub(super) fn make_secret<const BYTES: usize>(path: &Path) -> std::io::Result<[u8; BYTES]> {
    let mut secret = [0u8; BYTES];
    getrandom::fill(&mut secret).map_err(std::io::Error::other)?;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(&secret)?;
    file.sync_all()?;
    Ok(secret)
}

/// What is wrong with the rights on a file or a folder.
pub(super) enum Wrong {
    /// It belongs to this user.
    Owner(u32),
    Mode(u32),
}

/// Whether something is ours, and gives others none of these rights.
#[cfg(unix)]
pub(super) fn check(found: &std::fs::Metadata, rights: u32) -> Result<(), Wrong> {
    use std::os::unix::fs::MetadataExt;
    if found.uid() != rustix::process::geteuid().as_raw() {
        return Err(Wrong::Owner(found.uid()));
    }
    match found.mode() & 0o777 {
        mode if mode & rights != 0 => Err(Wrong::Mode(mode)),
        _ => Ok(()),
    }
}

#[cfg(not(unix))]
pub(super) fn check(_: &std::fs::Metadata, _: u32) -> Result<(), Wrong> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};

    fn folder() -> std::path::PathBuf {
        let path = std::env::temp_dir().join(super::super::new_id());
        claim(&path).expect("a folder of ours");
        path
    }

    #[test]
    fn a_new_folder_is_for_its_owner_alone() {
        let path = folder();
        assert_eq!(path.metadata().expect("a folder").mode() & 0o777, 0o700);
        claim(&path).expect("it is ours");
    }

    #[test]
    fn a_folder_that_others_may_write_to_is_refused() {
        let path = folder();
        for (mode, is_fine) in [(0o777, false), (0o770, false), (0o702, false), (0o755, true)] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("a mode");
            let claimed = claim(&path).map_err(|e| e.to_string());
            assert_eq!(claimed.is_ok(), is_fine, "{mode:o}: {claimed:?}");
            assert!(is_fine || claimed.unwrap_err().contains("chmod go-w"));
        }
    }

    #[test]
    fn a_folder_of_somebody_else_is_refused() {
        let path = folder();
        // Only root can give something away.
        if chown(&path, Some(12_345), None).is_err() {
            return;
        }
        let refusal = claim(&path).expect_err("a refusal").to_string();
        assert!(refusal.contains("belongs to the user 12345"), "{refusal}");
    }
}
