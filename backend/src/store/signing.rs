//! The key that reports are signed with: Ed25519, in a file of its own beside the key file, readable by its owner alone.
//! Who has a report can see that no one has changed it since, and by which installation it was made.

use super::StoreError;
use super::folder::{self, Wrong};
use godwit_shared::verification::Signature;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use std::path::Path;
use std::sync::Arc;

/// The name of the file in the data folder.
pub const FILE: &str = "signing.key";
const SEED_BYTES: usize = 32;
const ALGORITHM: &str = "Ed25519";

/// The key of this installation.
#[derive(Clone)]
pub struct SigningKey(Arc<Ed25519KeyPair>);

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKey(<redacted>)")
    }
}

impl SigningKey {
    /// Reads the key of a data folder, or makes it.
    ///
    /// # Errors
    /// When the file is there and cannot be used, or cannot be made.
    pub fn of(data_dir: &Path) -> Result<Self, StoreError> {
        let path = data_dir.join(FILE);
        let failed = |reason: String| StoreError::KeyFile {
            path: path.display().to_string(),
            reason,
        };
        let seed = match std::fs::symlink_metadata(&path) {
            Ok(found) if !found.is_file() => return Err(failed("it is no regular file".into())),
            Ok(found) => {
                match folder::check(&found, 0o077) {
                    Ok(()) => {}
                    Err(Wrong::Owner(owner)) => return Err(failed(format!("it belongs to the user {owner}"))),
                    Err(Wrong::Mode(_)) => return Err(failed("others may read it: chmod 600".into())),
                }
                std::fs::read(&path).map_err(|e| failed(e.to_string()))?
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                let made = folder::make_secret::<SEED_BYTES>(&path).map_err(|e| failed(e.to_string()))?;
                made.to_vec()
            }
            Err(e) => return Err(failed(e.to_string())),
        };
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed)
            .map_err(|_| failed(format!("it does not hold {SEED_BYTES} bytes")))?;
        Ok(Self(Arc::new(pair)))
    }

    /// The public half, as 64 hexadecimal digits.
    pub fn public_key(&self) -> String {
        hex(self.0.public_key().as_ref())
    }

    /// Signs some bytes.
    pub fn sign(&self, bytes: &[u8]) -> Signature {
        Signature {
            algorithm: ALGORITHM.into(),
            public_key: self.public_key(),
            value: hex(self.0.sign(bytes).as_ref()),
        }
    }
}

/// Whether a signature is that of these bytes by the key that it names.
pub fn is_signed(bytes: &[u8], signature: &Signature) -> bool {
    if signature.algorithm != ALGORITHM {
        return false;
    }
    let (Some(key), Some(value)) = (unhex(&signature.public_key), unhex(&signature.value)) else {
        return false;
    };
    UnparsedPublicKey::new(&ED25519, key).verify(bytes, &value).is_ok()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs
        .iter()
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
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
    fn what_was_changed_is_not_signed() {
        let folder = folder();
        let key = SigningKey::of(&folder).unwrap();
        let signature = key.sign(b"a report");
        assert!(is_signed(b"a report", &signature));
        assert!(!is_signed(b"A report", &signature));
        let again = SigningKey::of(&folder).unwrap();
        assert_eq!(again.public_key(), key.public_key(), "the key is kept");
        let other = SigningKey::of(&self::folder()).unwrap();
        let foreign = Signature {
            public_key: other.public_key(),
            ..signature.clone()
        };
        assert!(!is_signed(b"a report", &foreign));
        for (algorithm, value) in [
            ("RSA", signature.value.clone()),
            ("Ed25519", "zz".into()),
            ("Ed25519", "abc".into()),
        ] {
            let wrong = Signature {
                algorithm: algorithm.into(),
                value,
                ..signature.clone()
            };
            assert!(!is_signed(b"a report", &wrong));
        }
    }

    #[test]
    fn a_file_that_is_no_key_is_refused() {
        let folder = folder();
        folder::make_secret::<SEED_BYTES>(&folder.join(FILE)).unwrap();
        std::fs::write(folder.join(FILE), b"short").unwrap();
        assert!(SigningKey::of(&folder).unwrap_err().to_string().contains("32 bytes"));
    }
}
