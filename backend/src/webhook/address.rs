//! Where a webhook leads: only to what an administrator can have meant.

use std::fmt;
use std::net::IpAddr;
use url::{Host, Url};

/// Why an address cannot be that of a webhook.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    #[error("it is no URL: {0}")]
    NoUrl(String),
    #[error("its scheme is {0}: use http or https")]
    Scheme(String),
    #[error("it names no host")]
    NoHost,
    #[error("it holds a user or a password: those would stand in logs, put a token into the path instead")]
    Credentials,
}

/// An address that has been looked at. Its `Debug` shows no path: that may be as good as a password.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookAddress {
    url: Url,
    origin: String,
}

impl WebhookAddress {
    /// Looks at what was set.
    ///
    /// # Errors
    /// [`AddressError`], without the address itself.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let url = Url::parse(text.trim()).map_err(|e| AddressError::NoUrl(e.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(AddressError::Scheme(url.scheme().to_owned()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(AddressError::Credentials);
        }
        if url.host().is_none() {
            return Err(AddressError::NoHost);
        }
        let origin = url.origin().ascii_serialization();
        Ok(Self { url, origin })
    }

    /// `https://hooks.example.org:8443`
    pub fn origin(&self) -> &str {
        &self.origin
    }

    pub fn is_encrypted(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// The name or address to connect to, without brackets.
    pub fn host(&self) -> String {
        match self.url.host() {
            Some(Host::Domain(name)) => name.to_owned(),
            Some(Host::Ipv4(address)) => address.to_string(),
            Some(Host::Ipv6(address)) => address.to_string(),
            None => String::new(),
        }
    }

    pub fn port(&self) -> u16 {
        self.url.port_or_known_default().unwrap_or(80)
    }

    /// The value of the Host header.
    pub fn authority(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        match self.url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        }
    }

    /// What is asked of that host.
    pub fn path(&self) -> String {
        match self.url.query() {
            Some(query) => format!("{}?{query}", self.url.path()),
            None => self.url.path().to_owned(),
        }
    }
}

impl fmt::Debug for WebhookAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WebhookAddress").field(&self.origin).finish()
    }
}

/// Whether nobody can have meant an address that a name has led to: those at which clouds hand out the keys of a machine
/// (link-local), all hosts, none.
pub fn is_no_target(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_link_local() || v4.is_unspecified() || v4.is_multicast() || v4.is_broadcast(),
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => is_no_target(v4.into()),
            None => v6.is_unicast_link_local() || v6.is_unspecified() || v6.is_multicast(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_addresses_of_the_web_are_taken() {
        let address = WebhookAddress::parse(" https://hooks.example.org/T0/secret?x=1 ").expect("an address");
        assert_eq!(address.origin(), "https://hooks.example.org");
        assert_eq!(
            (address.host().as_str(), address.port(), address.path().as_str()),
            ("hooks.example.org", 443, "/T0/secret?x=1")
        );
        assert_eq!(address.authority(), "hooks.example.org");
        assert!(!format!("{address:?}").contains("secret"));
        let local = WebhookAddress::parse("http://[::1]:8080").expect("an address");
        assert_eq!(
            (local.host().as_str(), local.port(), local.path().as_str()),
            ("::1", 8080, "/")
        );
        assert_eq!(local.authority(), "[::1]:8080");
        for (text, is_right) in [
            ("file:///etc/passwd", false),
            ("ftp://h/", false),
            ("https://u:p@h/", false),
            ("h:80", false),
            ("http://", false),
            ("http://h", true),
        ] {
            assert_eq!(WebhookAddress::parse(text).is_ok(), is_right, "{text}");
        }
    }

    #[test]
    fn addresses_that_nobody_means() {
        let no_target = |text: &str| is_no_target(text.parse().expect("an address"));
        for text in [
            "169.254.169.254",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "fe80::1",
            "::",
            "::ffff:169.254.1.1",
        ] {
            assert!(no_target(text), "{text}");
        }
        for text in ["127.0.0.1", "10.0.0.1", "192.0.2.1", "::1", "2001:db8::1"] {
            assert!(!no_target(text), "{text}");
        }
    }
}
