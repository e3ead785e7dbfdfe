//! What of a MongoDB URI is taken: options by a list, limits for those that bound something, and no way to the machine of
//! this server. The driver parses it; here is only said what it may then do.

use super::error::SinkError;
use crate::certificates::{self, CertificateError, PEM_BYTES_MAX};
use godwit_shared::connection::MongodbConnectionDetails;
use mongodb::options::{ClientOptions, ConnectionString, HostInfo, ServerAddress, Tls, TlsOptions};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Options that a URI may have, in lower case. What is not here leads elsewhere (a proxy, a metadata service, a file), or is
/// not known.
const OPTIONS: [&str; 36] = [
    "appname",
    "authmechanism",
    "authsource",
    "compressors",
    "connecttimeoutms",
    "directconnection",
    "heartbeatfrequencyms",
    "journal",
    "loadbalanced",
    "localthresholdms",
    "maxconnecting",
    "maxidletimems",
    "maxpoolsize",
    "maxstalenessseconds",
    "minpoolsize",
    "readconcernlevel",
    "readpreference",
    "readpreferencetags",
    "replicaset",
    "retryreads",
    "retrywrites",
    "servermonitoringmode",
    "serverselectiontimeoutms",
    "sockettimeoutms",
    "srvmaxhosts",
    "srvservicename",
    "ssl",
    "tls",
    "tlsallowinvalidcertificates",
    "tlscafile",
    "tlscertificatekeyfile",
    "tlsinsecure",
    "uuidrepresentation",
    "w",
    "waitqueuetimeoutms",
    "wtimeoutms",
];
/// Ways to sign on that need nothing but the URI and the certificate.
const MECHANISMS: [&str; 4] = ["SCRAM-SHA-1", "SCRAM-SHA-256", "MONGODB-X509", "PLAIN"];
/// The server takes no longer name.
const APP_NAME_BYTES_MAX: usize = 128;
const URI_BYTES_MAX: usize = 20_000;
const HOSTS_MAX: usize = 50;
/// Where the URI says nothing.
const WAIT: Duration = Duration::from_secs(8);
/// Whatever the URI says.
const WAIT_MAX: Duration = Duration::from_secs(20);
const POOL_MAX: u32 = 100;
const POOL_KEPT_MAX: u32 = 10;
const HEARTBEAT_MAX: Duration = Duration::from_secs(60);
/// For the names of the hosts, where a name server has to be asked.
const LOOKUP_MAX: Duration = Duration::from_secs(10);

/// Reads a URI, whose credentials are in it already, with the certificates of the request.
pub(super) async fn options_of(
    text: &str,
    details: &MongodbConnectionDetails,
) -> Result<(ClientOptions, Certificates), SinkError> {
    check_options(text)?;
    let parsed = ConnectionString::parse(text).map_err(|e| invalid(&e.kind.to_string()))?;
    if let HostInfo::HostIdentifiers(hosts) = &parsed.host_info {
        if hosts.len() > HOSTS_MAX {
            return Err(invalid(&format!("it names more than {HOSTS_MAX} hosts")));
        }
        hosts.iter().try_for_each(check_host)?;
    }
    let certificates = Certificates::of(parsed.tls.as_ref(), details).await?;
    let hosts = super::connect::host_of(text);
    let looked_up = tokio::time::timeout(LOOKUP_MAX, ClientOptions::parse(parsed)).await;
    let mut options = looked_up
        .map_err(|_| SinkError::Unreachable {
            hosts: hosts.clone(),
            reason: format!("no name server has answered within {} seconds", LOOKUP_MAX.as_secs()),
        })?
        .map_err(|e| match e.kind.as_ref() {
            // A `mongodb+srv` is asked of a name server, which may not know it.
            mongodb::error::ErrorKind::DnsResolve { .. } => SinkError::of(&e, &hosts),
            _ => invalid(&e.kind.to_string()),
        })?;
    options.hosts.iter().try_for_each(check_host)?;
    bound(&mut options);
    certificates.set(&mut options)?;
    Ok((options, certificates))
}

fn invalid(reason: &str) -> SinkError {
    SinkError::InvalidUri { reason: reason.into() }
}

/// The names of the options, before anything is made of their values.
fn check_options(text: &str) -> Result<(), SinkError> {
    if text.len() > URI_BYTES_MAX {
        return Err(invalid(&format!("it has more than {URI_BYTES_MAX} bytes")));
    }
    if text.contains('\0') {
        return Err(invalid("it has a NUL character"));
    }
    let (_, query) = text.split_once('?').unwrap_or((text, ""));
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        match name.to_ascii_lowercase().as_str() {
            known if !OPTIONS.contains(&known) => {
                return Err(invalid(&format!("the option \"{}\" is not taken", cut(name))));
            }
            "appname" if value.len() > APP_NAME_BYTES_MAX => {
                return Err(invalid(&format!("appName has more than {APP_NAME_BYTES_MAX} bytes")));
            }
            "authmechanism" if !MECHANISMS.contains(&value) => {
                return Err(invalid(&format!("authMechanism may be {}", MECHANISMS.join(", "))));
            }
            _ => {}
        }
    }
    Ok(())
}

fn cut(text: &str) -> String {
    text.chars().take(60).collect()
}

fn check_host(host: &ServerAddress) -> Result<(), SinkError> {
    match host {
        #[cfg(unix)]
        ServerAddress::Unix { path } => Ok(certificates::check_socket(&path.display().to_string())?),
        _ => Ok(()),
    }
}

/// No wait without end, no pool without bound.
fn bound(options: &mut ClientOptions) {
    options.app_name = Some("godwit".into());
    let wait = |asked: Option<Duration>| match asked {
        // To the driver, nothing is no limit.
        None | Some(Duration::ZERO) => Some(WAIT),
        Some(asked) => Some(asked.min(WAIT_MAX)),
    };
    options.server_selection_timeout = wait(options.server_selection_timeout);
    options.connect_timeout = wait(options.connect_timeout);
    options.heartbeat_freq = options.heartbeat_freq.map(|every| every.min(HEARTBEAT_MAX));
    options.max_pool_size = options.max_pool_size.map(|size| size.min(POOL_MAX));
    let kept_max = options.max_pool_size.unwrap_or(POOL_KEPT_MAX).min(POOL_KEPT_MAX);
    options.min_pool_size = options.min_pool_size.map(|size| size.min(kept_max));
    options.max_connecting = options.max_connecting.map(|count| count.clamp(1, POOL_KEPT_MAX));
}

/// The certificates of a connection, where the driver can read them: as long as this lives.
#[derive(Debug, Clone, Default)]
pub(super) struct Certificates {
    authority: Option<Arc<Kept>>,
    own: Option<Arc<Kept>>,
}

impl Certificates {
    /// Those of the request, else those of the files that the URI names.
    async fn of(tls: Option<&Tls>, details: &MongodbConnectionDetails) -> Result<Self, SinkError> {
        let named = match tls {
            Some(Tls::Enabled(tls)) => tls.clone(),
            Some(Tls::Disabled) | None => TlsOptions::default(),
        };
        let authority = content(
            details.tls_ca_content.as_deref(),
            named.ca_file_path.as_deref(),
            "tlsCAFile",
        )
        .await?;
        let own = details.tls_certificate_key_content.as_deref();
        let own = content(own, named.cert_key_file_path.as_deref(), "tlsCertificateKeyFile").await?;
        if let Some(pem) = &authority {
            certificates::certificates("tlsCAFile", pem)?;
        }
        if let Some(pem) = &own {
            certificates::certificates("tlsCertificateKeyFile", pem)?;
            PrivateKeyDer::from_pem_slice(pem).map_err(|_| CertificateError::NoPem {
                option: "tlsCertificateKeyFile",
                wanted: "private key",
            })?;
        }
        let keep = |pem: Option<Vec<u8>>| pem.map(|pem| Kept::new(&pem).map(Arc::new)).transpose();
        let failed = |e: std::io::Error| invalid(&format!("its certificates cannot be kept: {e}"));
        Ok(Self {
            authority: keep(authority).map_err(failed)?,
            own: keep(own).map_err(failed)?,
        })
    }

    fn set(&self, options: &mut ClientOptions) -> Result<(), SinkError> {
        if self.authority.is_none() && self.own.is_none() {
            return Ok(());
        }
        let mut tls = match options.tls.take() {
            Some(Tls::Enabled(tls)) => tls,
            None => TlsOptions::default(),
            Some(Tls::Disabled) => return Err(invalid("a certificate is given, and TLS is turned off")),
        };
        tls.ca_file_path = self.authority.as_ref().map(|kept| kept.path.clone());
        tls.cert_key_file_path = self.own.as_ref().map(|kept| kept.path.clone());
        options.tls = Some(Tls::Enabled(tls));
        Ok(())
    }
}

async fn content(
    given: Option<&str>,
    named: Option<&Path>,
    option: &'static str,
) -> Result<Option<Vec<u8>>, CertificateError> {
    match (given.filter(|text| !text.trim().is_empty()), named) {
        (Some(text), _) if text.len() > PEM_BYTES_MAX => Err(CertificateError::TooLarge { option }),
        (Some(text), _) => Ok(Some(text.as_bytes().to_vec())),
        (None, Some(path)) => certificates::read(option, &path.to_string_lossy()).await.map(Some),
        (None, None) => Ok(None),
    }
}

/// A text that the driver reads as a file: in memory, where the system can do that, so that no key is left on a disk.
#[derive(Debug)]
struct Kept {
    path: PathBuf,
    #[cfg(target_os = "linux")]
    _file: std::fs::File,
    #[cfg(not(target_os = "linux"))]
    _file: tempfile::NamedTempFile,
}

impl Kept {
    #[cfg(target_os = "linux")]
    fn new(text: &[u8]) -> std::io::Result<Self> {
        use rustix::fs::{MemfdFlags, memfd_create};
        use std::io::Write;
        use std::os::fd::AsRawFd;
        let mut file = std::fs::File::from(memfd_create("certificate", MemfdFlags::CLOEXEC)?);
        file.write_all(text)?;
        let path = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
        Ok(Self { path, _file: file })
    }

    #[cfg(not(target_os = "linux"))]
    fn new(text: &[u8]) -> std::io::Result<Self> {
        use std::io::Write;
        let mut file = tempfile::NamedTempFile::new()?;
        file.write_all(text)?;
        let path = file.path().to_owned();
        Ok(Self { path, _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(uri: &str) -> Result<ClientOptions, String> {
        let options = options_of(uri, &MongodbConnectionDetails::default()).await;
        options.map(|(options, _)| options).map_err(|e| e.to_string())
    }

    #[tokio::test]
    async fn options_are_taken_by_a_list() {
        for option in [
            "w=1",
            "W=majority",
            "replicaSet=rs",
            "tls=true",
            "authSource=admin",
            "authMechanism=PLAIN&authSource=$external",
            "readPreference=nearest&readPreferenceTags=a:b&readPreferenceTags=",
            "appName=x",
            "",
        ] {
            let uri = format!("mongodb://u:p@h/x?{option}");
            assert!(read(&uri).await.is_ok(), "{option}: {:?}", read(&uri).await);
        }
        for option in [
            "proxyHost=127.0.0.1",
            "PROXYPORT=1",
            "proxyHost=h&proxyPort=1&proxyUsername=u&proxyPassword=p",
            "unknown=1",
            "authMechanismProperties=ENVIRONMENT:azure",
            "authMechanism=MONGODB-OIDC",
            "authMechanism=MONGODB-AWS",
            "authMechanism=GSSAPI",
            "tlsCertificateKeyFilePassword=x",
            "tlsCRLFile=/x",
            "w",
            "%77=1",
            "w=1&w=2",
        ] {
            let refusal = read(&format!("mongodb://u:p@h/x?{option}")).await;
            assert!(refusal.is_err(), "{option}");
        }
        assert!(
            read(&format!("mongodb://h/x?appName={}", "a".repeat(129)))
                .await
                .is_err()
        );
        assert!(
            read(&format!("mongodb://h/{}", "a".repeat(URI_BYTES_MAX)))
                .await
                .is_err()
        );
        assert!(read(&format!("mongodb://{}/x", ["h"; 51].join(","))).await.is_err());
        assert!(read("mongodb://h/x\0").await.is_err());
    }

    #[tokio::test]
    async fn no_wait_and_no_pool_is_without_bound() {
        let asked = "serverSelectionTimeoutMS=9999999999&connectTimeoutMS=0&minPoolSize=100000&maxPoolSize=100000\
            &maxConnecting=9999&heartbeatFrequencyMS=999999999";
        let o = read(&format!("mongodb://h/x?{asked}")).await.expect("options");
        assert_eq!(
            (o.server_selection_timeout, o.connect_timeout),
            (Some(WAIT_MAX), Some(WAIT))
        );
        assert_eq!(
            (o.max_pool_size, o.min_pool_size, o.max_connecting),
            (Some(100), Some(10), Some(10))
        );
        assert_eq!(o.heartbeat_freq, Some(HEARTBEAT_MAX));
        let o = read("mongodb://h/x?serverSelectionTimeoutMS=300")
            .await
            .expect("options");
        assert_eq!(o.server_selection_timeout, Some(Duration::from_millis(300)));
    }

    #[tokio::test]
    async fn neither_files_nor_sockets_of_this_machine_are_used() {
        for (uri, named) in [
            ("mongodb://h/x?tls=true&tlsCAFile=/etc/passwd", "tlsCAFile"),
            ("mongodb://h/x?tls=true&tlsCAFile=/no/such/file", "tlsCAFile"),
            ("mongodb://h/x?TLSCAFILE=%2Fdev%2Fzero", "tlsCAFile"),
            (
                "mongodb://h/x?tls=true&tlsCertificateKeyFile=/etc/shadow",
                "tlsCertificateKeyFile",
            ),
            ("mongodb://%2Ftmp%2Fmongodb-27017.sock/x", "socket"),
            ("mongodb://h,%2Ftmp%2Fa.sock/x", "socket"),
        ] {
            let refusal = read(uri).await.expect_err(uri);
            assert!(refusal.contains(named), "{uri}: {refusal}");
        }
    }
}
