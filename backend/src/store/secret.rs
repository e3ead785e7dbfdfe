//! Encryption of secrets at rest: AES-256-GCM with a key file in the data directory, readable by its owner alone.

use super::StoreError;
use aes_gcm::aead::{Aead, KeyInit};
use aes_gcm::{Aes256Gcm, Nonce};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

const FILE: &str = "godwit.key";
const NONCE_BYTES: usize = 12;

/// The key of this data directory.
#[derive(Clone)]
pub struct Key(Arc<Aes256Gcm>);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(<redacted>)")
    }
}

impl Key {
    /// Reads the key file, or makes one.
    pub fn of(data_dir: &Path) -> Result<Self, StoreError> {
        let path = data_dir.join(FILE);
        let failed = |reason: String| StoreError::KeyFile {
            path: path.display().to_string(),
            reason,
        };
        let key = match std::fs::read(&path) {
            Ok(key) => key,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => make(&path).map_err(|e| failed(e.to_string()))?,
            Err(e) => return Err(failed(e.to_string())),
        };
        let cipher = Aes256Gcm::new_from_slice(&key).map_err(|_| failed("it does not hold 32 bytes".into()))?;
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

fn make(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut key = vec![0u8; 32];
    getrandom::fill(&mut key).map_err(std::io::Error::other)?;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(&key)?;
    file.sync_all()?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_key_opens_a_secret() {
        let (one, two) = (tempdir(), tempdir());
        let sealed = Key::of(&one).unwrap().encrypt("pässword");
        assert!(!sealed.windows(8).any(|w| w == b"ssword".as_slice()));
        assert_eq!(Key::of(&one).unwrap().decrypt(&sealed).as_deref(), Some("pässword"));
        assert_eq!(Key::of(&two).unwrap().decrypt(&sealed), None);
    }

    fn tempdir() -> std::path::PathBuf {
        let path = std::env::temp_dir().join(super::super::new_id());
        std::fs::create_dir(&path).unwrap();
        path
    }
}
