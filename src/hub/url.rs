//! The address of a hub: what it may say, what of it may be shown, and how the connection is encrypted.
//!
//! Owns the rules of `sslmode`: beyond this machine a certificate is checked unless the address says in so many words
//! that it is not.

use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use super::error::HubError;

/// Until an attempt to connect is given up, unless the address says otherwise. Sleeping servers are woken by the first.
const CONNECT: Duration = Duration::from_secs(10);
/// A link is dead when nothing has come back for about three times this.
const PROBE: Duration = Duration::from_secs(3);
/// What was sent and is not acknowledged for so long says so too.
const UNACKNOWLEDGED: Duration = Duration::from_secs(9);
const PROBES: u32 = 2;

/// How the connection is encrypted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Encryption {
    /// Not at all.
    None,
    /// If the server can; this machine alone.
    Maybe,
    /// Against listening, not against somebody in between.
    Unchecked,
    /// With a certificate of a known authority for this host name.
    Checked,
}

/// A parsed address. Neither `Debug` nor anything else shows the password.
#[derive(Clone)]
pub struct HubUrl {
    config: Config,
    encryption: Encryption,
    ca: Option<PathBuf>,
    within: Duration,
}

impl HubUrl {
    /// Reads an address such as `postgres://user:password@host:5432/database?sslmode=verify-full`.
    ///
    /// # Errors
    /// [`HubError::Url`], without any part of the address.
    pub fn parse(text: &SecretString) -> Result<Self, HubError> {
        let bad = |why: &str| HubError::Url { why: why.to_owned() };
        let text = text.expose_secret().trim();
        if !(text.starts_with("postgres://") || text.starts_with("postgresql://")) {
            return Err(bad("it does not begin with postgres://"));
        }
        let (base, query) = text.split_once('?').unwrap_or((text, ""));
        let (mut mode, mut ca, mut rest) = (None, None, Vec::new());
        for pair in query.split('&').filter(|p| !p.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match name {
                "sslmode" => mode = Some(value),
                "sslrootcert" => ca = Some(unescaped(value).ok_or_else(|| bad("sslrootcert is not a path"))?),
                "sslcert" | "sslkey" | "sslpassword" => return Err(bad("client certificates are not supported")),
                // Words of other clients for poolers; we need none.
                "pgbouncer" | "pool_timeout" | "connection_limit" | "schema" => {}
                _ => rest.push(pair),
            }
        }
        let cleaned = if rest.is_empty() { base.to_owned() } else { format!("{base}?{}", rest.join("&")) };
        // The parser's own words may quote what they stumbled over.
        let mut config: Config =
            cleaned.parse().map_err(|_| bad("it cannot be read; are signs in the password escaped?"))?;
        if config.get_hosts().is_empty() {
            return Err(bad("it names no host"));
        }
        if config.get_user().is_none_or(str::is_empty) {
            return Err(bad("it names no user"));
        }
        if config.get_dbname().is_none_or(str::is_empty) {
            return Err(bad("it names no database"));
        }
        let here = config.get_hosts().iter().all(is_here);
        let socket = config.get_hosts().iter().all(|h| !matches!(h, Host::Tcp(_)));
        let ca = ca.filter(|path| path != "system").map(PathBuf::from);
        let encryption = match mode {
            _ if socket => Encryption::None,
            Some("disable") => Encryption::None,
            // In clear text by accident: on this machine alone.
            Some("prefer" | "allow") | None if here && ca.is_none() => Encryption::Maybe,
            // What providers write into the addresses that are copied from them; they do not mean: do not look.
            Some("prefer" | "allow" | "require" | "verify-ca" | "verify-full") | None => Encryption::Checked,
            Some("no-verify") => Encryption::Unchecked,
            Some(_) => return Err(bad("sslmode is one of disable, prefer, require, verify-full and no-verify")),
        };
        let within = config.get_connect_timeout().copied().filter(|t| !t.is_zero()).unwrap_or(CONNECT);
        config
            .ssl_mode(match encryption {
                Encryption::None => SslMode::Disable,
                Encryption::Maybe => SslMode::Prefer,
                Encryption::Unchecked | Encryption::Checked => SslMode::Require,
            })
            .connect_timeout(within)
            .keepalives(true)
            .keepalives_idle(PROBE)
            .keepalives_interval(PROBE)
            .keepalives_retries(PROBES)
            .tcp_user_timeout(UNACKNOWLEDGED);
        Ok(Self { config, encryption, ca, within })
    }

    /// With a file of certificates, unless the address names one itself.
    #[must_use]
    pub fn with_ca(mut self, file: Option<&Path>) -> Self {
        if self.ca.is_none() {
            self.ca = file.map(Path::to_owned);
            if self.ca.is_some() && self.encryption == Encryption::Maybe {
                self.encryption = Encryption::Checked;
                self.config.ssl_mode(SslMode::Require);
            }
        }
        self
    }

    /// `host:port/database as user`, for people and logs.
    pub fn shown(&self) -> String {
        let ports = self.config.get_ports();
        let hosts: Vec<String> = (self.config.get_hosts().iter().enumerate())
            .map(|(i, host)| {
                let port = ports.get(i).or_else(|| ports.first()).copied().unwrap_or(5432);
                match host {
                    Host::Tcp(name) => format!("{name}:{port}"),
                    #[cfg(unix)]
                    Host::Unix(path) => path.display().to_string(),
                }
            })
            .collect();
        format!("{}/{} as {}", hosts.join(","), self.database(), self.user())
    }

    /// The login.
    pub fn user(&self) -> &str {
        self.config.get_user().unwrap_or_default()
    }

    /// The database.
    pub fn database(&self) -> &str {
        self.config.get_dbname().unwrap_or_default()
    }

    /// How the connection is encrypted.
    pub const fn encryption(&self) -> Encryption {
        self.encryption
    }

    /// What a person should know of this address.
    pub fn warning(&self) -> Option<&'static str> {
        let beyond = !self.config.get_hosts().iter().all(is_here);
        match self.encryption {
            Encryption::None if beyond => {
                Some("the hub's address says sslmode=disable: anybody on the way can read along")
            }
            Encryption::Unchecked if beyond => {
                Some("the hub's address says sslmode=no-verify: anybody on the way can pretend to be the hub")
            }
            _ => None,
        }
    }

    /// The same address for another login. For a person who has to be told one: it holds the password.
    pub fn for_login(&self, user: &str, password: &SecretString) -> SecretString {
        let ports = self.config.get_ports();
        let hosts: Vec<String> = (self.config.get_hosts().iter().enumerate())
            .map(|(i, host)| {
                let port = ports.get(i).or_else(|| ports.first()).copied().unwrap_or(5432);
                match host {
                    Host::Tcp(name) if name.contains(':') => format!("[{name}]:{port}"),
                    Host::Tcp(name) => format!("{name}:{port}"),
                    #[cfg(unix)]
                    Host::Unix(path) => escaped(&path.display().to_string()),
                }
            })
            .collect();
        let mode = match self.encryption {
            Encryption::None => "disable",
            Encryption::Maybe => "prefer",
            Encryption::Unchecked => "no-verify",
            Encryption::Checked => "verify-full",
        };
        SecretString::from(format!(
            "postgres://{}:{}@{}/{}?sslmode={mode}",
            escaped(user),
            escaped(password.expose_secret()),
            hosts.join(","),
            escaped(self.database()),
        ))
    }

    pub(super) const fn config(&self) -> &Config {
        &self.config
    }

    pub(super) fn ca(&self) -> Option<&Path> {
        self.ca.as_deref()
    }

    pub(super) const fn within(&self) -> Duration {
        self.within
    }
}

impl fmt::Debug for HubUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HubUrl").field(&self.shown()).finish()
    }
}

impl fmt::Display for HubUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown())
    }
}

/// The host is this machine.
fn is_here(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => {
            let bare = name.trim_start_matches('[').trim_end_matches(']');
            name.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

/// Percent signs taken back.
fn unescaped(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(b) = rest.next() {
        if b == b'%' {
            let digit = |b: Option<u8>| char::from(b?).to_digit(16);
            let (high, low) = (digit(rest.next())?, digit(rest.next())?);
            bytes.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            bytes.push(b);
        }
    }
    String::from_utf8(bytes).ok()
}

/// Everything that may mean something in an address, escaped.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for b in text.bytes() {
        if b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.') {
            out.push(char::from(b));
        } else {
            out.push_str(&format!("%{b:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> HubUrl {
        HubUrl::parse(&SecretString::from(text)).expect(text)
    }

    #[test]
    fn a_password_is_never_shown() {
        let url = parsed("postgres://ann:5ecret%2F@db.example.com:6432/desk?sslmode=require&channel_binding=require");
        assert_eq!(url.shown(), "db.example.com:6432/desk as ann");
        for text in [format!("{url}"), format!("{url:?}"), format!("{url:#?}"), format!("{:?}", url.config())] {
            assert!(!text.contains("5ecret"), "{text}");
        }
        for text in [
            "postgres://ann:5ecret@db/desk?sslmode=5ecret",
            "postgres://ann:5ecret@db:5ecret/desk",
            "postgres://ann:5ecret@db/desk?5ecret=5ecret",
            "http://ann:5ecret@db/desk",
            "postgres://ann:5ecret@/desk",
            "postgres://ann:5ecret@db",
            "postgres://db/desk",
        ] {
            let e = HubUrl::parse(&SecretString::from(text)).expect_err(text);
            assert!(!format!("{e} {e:?}").contains("5ecret"), "{e:?}");
        }
    }

    #[test]
    fn beyond_this_machine_certificates_are_checked() {
        let of = |text: &str| parsed(text).encryption();
        for mode in ["", "?sslmode=prefer", "?sslmode=require", "?sslmode=verify-ca", "?sslmode=verify-full"] {
            assert_eq!(of(&format!("postgres://a:b@db.example.com/x{mode}")), Encryption::Checked, "{mode}");
        }
        assert_eq!(of("postgres://a:b@10.0.0.1,localhost/x"), Encryption::Checked);
        assert_eq!(of("postgres://a:b@db/x?sslmode=no-verify"), Encryption::Unchecked);
        assert_eq!(of("postgres://a:b@db/x?sslmode=disable"), Encryption::None);
        for host in ["localhost", "127.0.0.1", "127.8.0.1", "[::1]"] {
            assert_eq!(of(&format!("postgres://a:b@{host}/x")), Encryption::Maybe, "{host}");
            assert_eq!(of(&format!("postgres://a:b@{host}/x?sslmode=require")), Encryption::Checked);
            assert_eq!(of(&format!("postgres://a:b@{host}/x?sslrootcert=%2Fca.pem")), Encryption::Checked);
        }
        assert_eq!(of("postgres://a@%2Frun%2Fpostgresql/x?sslmode=require"), Encryption::None);
        assert!(parsed("postgres://a:b@db/x?sslmode=disable").warning().is_some());
        assert!(parsed("postgres://a:b@localhost/x?sslmode=disable").warning().is_none());
    }

    #[test]
    fn a_file_of_certificates_comes_from_the_address_or_beside_it() {
        let named = parsed("postgres://a:b@db/x?sslrootcert=/a%20b.pem").with_ca(Some(Path::new("/other")));
        assert_eq!(named.ca(), Some(Path::new("/a b.pem")));
        let beside = parsed("postgres://a:b@127.0.0.1/x").with_ca(Some(Path::new("/other")));
        assert_eq!((beside.ca(), beside.encryption()), (Some(Path::new("/other")), Encryption::Checked));
        assert_eq!(parsed("postgres://a:b@db/x?sslrootcert=system").ca(), None);
    }

    #[test]
    fn an_address_for_another_login_reads_back() {
        let url = parsed("postgres://a:b@db.example.com:6432/my%20desk");
        let other = url.for_login("x@y", &SecretString::from("p/?#:@ ü"));
        let back = HubUrl::parse(&other).expect("reads");
        assert_eq!(back.shown(), "db.example.com:6432/my desk as x@y");
        assert_eq!(back.config().get_password(), Some("p/?#:@ ü".as_bytes()));
    }
}
