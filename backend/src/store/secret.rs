//! Encryption of secrets at rest: AES-256-GCM with a key file in the data directory, readable by its owner alone.

use super::StoreError;
use super::folder::{self, Wrong};
use aes_gcm::aead::{Aead, KeyInit};
use aes_gcm::{Aes256Gcm, Nonce};
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

/// The name of the key file in the data folder.
pub(super) const FILE: &str = "godwit.key";
const NONCE_BYTES: usize = 12;
const KEY_BYTES: usize = 32;

/// The key of this data directory.
#[derive(Clone)]
pub struct Key(Arc<Aes256Gcm>);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(<redacted>)")
    }
}

impl Key {
    /// Reads the key file. `None` where there is none.
    pub fn read(path: &Path) -> Result<Option<Self>, StoreError> {
        let failed = |reason: String| StoreError::KeyFile {
            path: path.display().to_string(),
            reason,
        };
        let found = match std::fs::symlink_metadata(path) {
            Ok(found) => found,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(failed(e.to_string())),
        };
        if !found.is_file() {
            return Err(failed("it is no regular file".into()));
        }
        match folder::check(&found, 0o077) {
            Ok(()) => {}
            Err(Wrong::Owner(owner)) => return Err(failed(format!("it belongs to the user {owner}"))),
            // A copy from a backup is often readable for all.
            Err(Wrong::Mode(_)) => {
                for_owner_alone(path)
                    .map_err(|e| failed(format!("others may read it, and that cannot be changed: {e}")))?;
                tracing::warn!(path = %path.display(), "Others could read the key file: now its owner alone may");
            }
        }
        let mut key = Vec::new();
        let file = std::fs::File::open(path).map_err(|e| failed(e.to_string()))?;
        file.take(KEY_BYTES as u64 + 1)
            .read_to_end(&mut key)
            .map_err(|e| failed(e.to_string()))?;
        let cipher = Aes256Gcm::new_from_slice(&key).map_err(|_| {
            failed(format!(
                "it does not hold {KEY_BYTES} bytes. Put back the one that the entries of the store were sealed with"
            ))
        })?;
        Ok(Some(Self(Arc::new(cipher))))
    }

    /// Makes the key file, which must not be there.
    pub fn make(path: &Path) -> Result<Self, StoreError> {
        let key = folder::make_secret::<KEY_BYTES>(path).map_err(|e| StoreError::KeyFile {
            path: path.display().to_string(),
            reason: e.to_string(),
        })?;
        let cipher = Aes256Gcm::new_from_slice(&key).expect("a key of this length");
        Ok(Self(Arc::new(cipher)))
    }

    /// Nonce and ciphertext.
    pub fn encrypt(&self, plain: &str) -> Vec<u8> {
        let mut nonce = [0u8; NONCE_BYTES];
        getrandom::fill(&mut nonce).expect("the system gives random numbers");
        let sealed = self
            .0
            .encrypt(&Nonce::from(nonce), plain.as_bytes())
            .expect("AES-GCM takes any text of this size");
        [&nonce[..], &sealed].concat()
    }

    /// What [`Key::encrypt`] was given; `None` for what another key sealed.
    pub fn decrypt(&self, sealed: &[u8]) -> Option<String> {
        let (nonce, rest) = sealed.split_first_chunk::<NONCE_BYTES>()?;
        let plain = self.0.decrypt(&Nonce::from(*nonce), rest).ok()?;
        String::from_utf8(plain).ok()
    }
}

#[cfg(unix)]
fn for_owner_alone(path: &Path) -> std::io::Result<()> {
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600))
}

#[cfg(not(unix))]
fn for_owner_alone(_: &Path) -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> std::path::PathBuf {
        let path = std::env::temp_dir().join(super::super::new_id());
        std::fs::create_dir(&path).unwrap();
        path
    }

    #[test]
    fn only_the_same_key_opens_a_secret() {
        let (one, two) = (folder().join(FILE), folder().join(FILE));
        assert!(Key::read(&one).unwrap().is_none());
        let sealed = Key::make(&one).unwrap().encrypt("pässword");
        assert!(!sealed.windows(8).any(|w| w == b"ssword".as_slice()));
        let again = Key::read(&one).unwrap().unwrap();
        assert_eq!(again.decrypt(&sealed).as_deref(), Some("pässword"));
        assert_eq!(Key::make(&two).unwrap().decrypt(&sealed), None);
        assert!(Key::make(&one).is_err(), "a key was made over another");
    }

    #[test]
    fn a_key_file_that_is_none_is_refused() {
        for bytes in [&b""[..], b"short", &[7; 33]] {
            let path = folder().join(FILE);
            std::fs::write(&path, bytes).unwrap();
            let refusal = Key::read(&path).unwrap_err().to_string();
            assert!(refusal.contains("32 bytes") && refusal.contains(FILE), "{refusal}");
        }
        let path = folder().join(FILE);
        std::fs::create_dir(&path).unwrap();
        assert!(Key::read(&path).unwrap_err().to_string().contains("no regular file"));
    }

    #[cfg(unix)]
    #[test]
    fn others_may_not_read_the_key_file() {
        use std::os::unix::fs::{MetadataExt, PermissionsExt};
        let path = folder().join(FILE);
        Key::make(&path).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        Key::read(&path).unwrap().unwrap();
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o600);
        let link = folder().join(FILE);
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert!(Key::read(&link).unwrap_err().to_string().contains("no regular file"));
    }
}
