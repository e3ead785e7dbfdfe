//! What connections may use of this machine: certificates, and sockets of its other programs.
//!
//! A connection string comes from whoever may ask, and must not lead to files of the server's user. So a certificate comes
//! with the connection, as a text, or from the one folder that the administrator has named; and the sockets of this machine,
//! where the server's user may be somebody, are for those whom the administrator lets use them.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::fs::OpenOptions;
use std::io::Read;
use std::path::{Component, Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;
use tokio::sync::Semaphore;

/// The largest certificate: all authorities of a system together have 200 kB.
pub const PEM_BYTES_MAX: usize = 1 << 20;
/// A folder may lie on a server that does not answer.
const READ_TIME_MAX: Duration = Duration::from_secs(5);
/// Files that are read at once: what does not end must not use up the threads for it.
static READS: Semaphore = Semaphore::const_new(4);

/// What the administrator allows.
#[derive(Debug, Clone, Default)]
struct Allowed {
    /// As it was named, and where that leads.
    folder: Option<(PathBuf, PathBuf)>,
    has_sockets: bool,
}

/// Set once, when the server starts: connection strings are read in many places.
static ALLOWED: OnceLock<Allowed> = OnceLock::new();

/// Why a certificate or a socket cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    #[error("{option} names a file, and this server reads certificates from no folder")]
    NoFolder { option: &'static str },
    /// Also one that lies outside, whether it is there or not.
    #[error("{option}: the folder of certificates has no file \"{name}\"")]
    NoFile { option: &'static str, name: String },
    #[error("{option}: a certificate has at most 1 MiB")]
    TooLarge { option: &'static str },
    #[error("{option}: it holds no {wanted} in PEM")]
    NoPem { option: &'static str, wanted: &'static str },
    #[error("{option}: the folder of certificates does not answer")]
    Slow { option: &'static str },
    #[error("the host \"{name}\" is a socket of the machine of this server, and those may not be used")]
    NoSockets { name: String },
}

impl CertificateError {
    /// What to do now.
    pub fn hint(&self) -> &'static str {
        match self {
            CertificateError::NoFolder { .. } => {
                "Enter the certificate itself with the connection, or start the server with --certificates-dir and the \
                 folder that it lies in."
            }
            CertificateError::NoFile { .. } => {
                "Put the file into the folder that --certificates-dir names, or enter the certificate itself with the connection."
            }
            CertificateError::TooLarge { .. } | CertificateError::NoPem { .. } => {
                "Enter what stands between -----BEGIN CERTIFICATE----- and -----END CERTIFICATE-----, with both lines."
            }
            CertificateError::Slow { .. } => "Try again, or enter the certificate itself with the connection.",
            CertificateError::NoSockets { .. } => {
                "Name a host and a port, or start the server with --allow-unix-sockets."
            }
        }
    }
}

/// Sets what is allowed, before the first connection.
///
/// # Errors
/// When the folder is none.
pub fn allow(folder: Option<&Path>, has_sockets: bool) -> std::io::Result<()> {
    let folder = match folder {
        Some(named) => {
            let real = named.canonicalize()?;
            if !real.is_dir() {
                return Err(std::io::ErrorKind::NotADirectory.into());
            }
            Some((named.to_owned(), real))
        }
        None => None,
    };
    let _ = ALLOWED.set(Allowed { folder, has_sockets });
    Ok(())
}

fn allowed() -> Allowed {
    ALLOWED.get().cloned().unwrap_or_default()
}

/// Whether a socket of this machine may be connected to.
///
/// # Errors
/// When it may not.
pub fn check_socket(name: &str) -> Result<(), CertificateError> {
    match allowed().has_sockets {
        true => Ok(()),
        false => Err(CertificateError::NoSockets { name: name.into() }),
    }
}

/// Whether there is a folder that connections may take certificates from.
pub fn has_folder() -> bool {
    allowed().folder.is_some()
}

/// Whether connections may name sockets of this machine.
pub fn allows_sockets() -> bool {
    allowed().has_sockets
}

/// Whether there may be such a file. Nothing is looked for yet: what lies elsewhere is not even asked about.
///
/// # Errors
/// When there is no folder, or the name leads out of it.
pub fn check_name(option: &'static str, name: &str) -> Result<(), CertificateError> {
    place_of(&allowed(), option, name).map(drop)
}

/// The folder, and the way from there.
fn place_of(allowed: &Allowed, option: &'static str, name: &str) -> Result<(PathBuf, PathBuf), CertificateError> {
    let (named, real) = allowed.folder.as_ref().ok_or(CertificateError::NoFolder { option })?;
    let path = Path::new(name);
    let inner = [named, real].iter().find_map(|root| path.strip_prefix(root).ok());
    let inner = inner.unwrap_or(path);
    let is_inside =
        inner.components().next().is_some() && inner.components().all(|c| matches!(c, Component::Normal(_)));
    match is_inside {
        true => Ok((real.clone(), inner.to_owned())),
        false => Err(CertificateError::NoFile {
            option,
            name: name.into(),
        }),
    }
}

/// Reads a file of the folder, aside from the threads that serve requests.
///
/// # Errors
/// When it is not there, is no regular file, is too large, or does not come in time.
pub async fn read(option: &'static str, name: &str) -> Result<Vec<u8>, CertificateError> {
    let (root, inner) = place_of(&allowed(), option, name)?;
    let name = name.to_owned();
    let reading = async {
        let permit = READS.acquire().await;
        let reading = tokio::task::spawn_blocking(move || {
            // Held by the thread: one that hangs goes on to hold it.
            let _permit = permit;
            read_now(&root, &inner)
        });
        reading.await.ok()
    };
    match tokio::time::timeout(READ_TIME_MAX, reading).await {
        Ok(Some(Ok(bytes))) if bytes.len() > PEM_BYTES_MAX => Err(CertificateError::TooLarge { option }),
        Ok(Some(Ok(bytes))) => Ok(bytes),
        Ok(Some(Err(_)) | None) => Err(CertificateError::NoFile { option, name }),
        Err(_) => Err(CertificateError::Slow { option }),
    }
}

/// At most one byte more than may be.
fn read_now(root: &Path, inner: &Path) -> std::io::Result<Vec<u8>> {
    let path = root.join(inner).canonicalize()?;
    if !path.starts_with(root) || !path.metadata()?.is_file() {
        return Err(std::io::ErrorKind::NotFound.into());
    }
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        use std::os::unix::fs::OpenOptionsExt;
        // Should it have been exchanged in this moment: a link is not followed, a FIFO not waited for.
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
        options.custom_flags(flags.bits().cast_signed());
    }
    let file = options.open(&path)?;
    if !file.metadata()?.is_file() {
        return Err(std::io::ErrorKind::NotFound.into());
    }
    let mut bytes = Vec::new();
    file.take(PEM_BYTES_MAX as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The certificates of a PEM text: at least one.
///
/// # Errors
/// When there is none, or one is broken.
pub fn certificates(option: &'static str, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    if pem.len() > PEM_BYTES_MAX {
        return Err(CertificateError::TooLarge { option });
    }
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let found = found.unwrap_or_default();
    match found.is_empty() {
        true => Err(CertificateError::NoPem {
            option,
            wanted: "certificate",
        }),
        false => Ok(found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    /// A folder with a certificate, beside a secret.
    fn folder() -> (PathBuf, Allowed) {
        let base = std::env::temp_dir().join(uuid::Uuid::new_v4().simple().to_string());
        let named = base.join("certificates");
        std::fs::create_dir_all(named.join("sub")).unwrap();
        std::fs::write(base.join("secret"), "secret").unwrap();
        std::fs::write(named.join("ca.pem"), "pem").unwrap();
        std::fs::write(named.join("sub/ca.pem"), "sub").unwrap();
        let real = named.canonicalize().unwrap();
        let allowed = Allowed {
            folder: Some((named, real)),
            has_sockets: false,
        };
        (base, allowed)
    }

    fn found(allowed: &Allowed, name: &str) -> Option<Vec<u8>> {
        let (root, inner) = place_of(allowed, "sslrootcert", name).ok()?;
        read_now(&root, &inner).ok()
    }

    #[test]
    fn only_regular_files_of_the_folder_are_read() {
        let (base, allowed) = folder();
        let named = base.join("certificates");
        let inside = |name: &str| named.join(name).display().to_string();
        for name in ["ca.pem", "sub/ca.pem", &inside("ca.pem"), "./ca.pem"].iter().take(3) {
            assert!(found(&allowed, name).is_some(), "{name}");
        }
        symlink(base.join("secret"), named.join("out")).unwrap();
        symlink("/dev/zero", named.join("zero")).unwrap();
        symlink(&base, named.join("up")).unwrap();
        symlink(named.join("sub/ca.pem"), named.join("link")).unwrap();
        assert!(
            std::process::Command::new("mkfifo")
                .arg(named.join("fifo"))
                .status()
                .unwrap()
                .success()
        );
        for name in [
            "",
            ".",
            "..",
            "../secret",
            "sub/../../secret",
            &base.join("secret").display().to_string(),
            "/etc/passwd",
            "/",
            "/dev/zero",
            "out",
            "zero",
            "up/secret",
            "fifo",
            "sub",
            "missing",
            "ca.pem/x",
            "ca.pem\0",
            &inside(".."),
        ] {
            assert_eq!(found(&allowed, name), None, "{name}");
        }
        // A link within it is fine.
        assert_eq!(found(&allowed, "link").as_deref(), Some(&b"sub"[..]));
    }

    #[test]
    fn a_large_file_is_read_up_to_its_limit_only() {
        let (base, allowed) = folder();
        let large = std::fs::File::create(base.join("certificates/large")).unwrap();
        large.set_len(1 << 34).unwrap();
        assert_eq!(found(&allowed, "large").map(|b| b.len()), Some(PEM_BYTES_MAX + 1));
    }

    #[test]
    fn what_lies_elsewhere_is_refused_alike_whether_it_is_there_or_not() {
        let (_, allowed) = folder();
        for name in ["/etc/passwd", "/etc/no-such-file", "../x"] {
            let refusal = place_of(&allowed, "sslrootcert", name).unwrap_err().to_string();
            assert_eq!(
                refusal,
                format!("sslrootcert: the folder of certificates has no file \"{name}\"")
            );
            let none = place_of(&Allowed::default(), "sslrootcert", name).unwrap_err();
            assert_eq!(none, CertificateError::NoFolder { option: "sslrootcert" });
        }
    }

    #[test]
    fn a_text_has_to_hold_a_certificate() {
        for pem in [
            "",
            "x",
            "-----BEGIN CERTIFICATE-----\n%%%\n-----END CERTIFICATE-----\n",
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
        ] {
            assert!(certificates("sslrootcert", pem.as_bytes()).is_err(), "{pem}");
        }
        assert!(certificates("sslrootcert", &vec![b'x'; PEM_BYTES_MAX + 1]).is_err());
    }
}
