//! The channel to any HTTP server: one signed JSON document a message.
//!
//! The receiver can tell that a delivery is ours (signature), that it is not an old one sent again by somebody else
//! (signed time), and that it is not a repeat of ours (delivery id). Addresses are checked by [`super::address`], and no
//! redirect is followed.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit, Mac};
use reqwest::Url;
use reqwest::header::CONTENT_TYPE;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use sha2::Sha256;

use super::address::{Checked, Forbidden, Lookup, Reachable, forbidden, system};
use super::http::{self, Reach};
use super::{ChannelError, text};
use crate::alerts::channel::{Attempt, Channel, Sending, one_by_one};
use crate::alerts::message::{Fact, Kind, Message, Severity};
use crate::market::time::Timestamp;

/// The name in rules, tables and settings.
pub const NAME: &str = "webhook";
/// The delivery id: the same at every attempt.
pub const DELIVERY: &str = "Stratum-Delivery";
/// When this attempt was signed, in seconds since 1970.
pub const TIMESTAMP: &str = "Stratum-Timestamp";
/// `v1=` and the HMAC-SHA256 of `TIMESTAMP.BODY` in hex.
pub const SIGNATURE: &str = "Stratum-Signature";
/// Shortest secret; anything shorter can be guessed.
pub const SHORTEST_SECRET: usize = 16;
/// Longest delivery id that is sent as it is.
const LONGEST_ID: usize = 200;

/// Why an address or secret cannot be used. Never repeats either.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum WebhookError {
    /// It cannot be read at all.
    #[error("the address is none; it should look like https://example.com/hook")]
    Unreadable,
    /// Neither http nor https.
    #[error("the address must begin with https:// (http:// only for addresses that alerts.webhook.allow names)")]
    Scheme,
    /// A name and password would be sent to whoever answers.
    #[error("the address holds a user name, a password or a #; leave them away")]
    Parts,
    /// An address that may not be reached.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// Not an address or range.
    #[error("alerts.webhook.allow: `{0}` is neither an address nor a range such as 192.168.1.0/24")]
    Allow(String),
    /// Too short.
    #[error("the secret has fewer than {SHORTEST_SECRET} characters; make one with: openssl rand -hex 32")]
    Secret,
}

/// Where to and how.
#[derive(Clone, Debug)]
pub struct WebhookConfig {
    /// The address; a path or query may be a secret.
    pub url: SecretString,
    /// What signatures are made with.
    pub secret: SecretString,
    /// Addresses and ranges that are not public and may be reached all the same.
    pub allow: Vec<String>,
}

/// The channel.
pub struct Webhook {
    http: reqwest::Client,
    url: Url,
    secret: SecretString,
}

impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Webhook").field("url", &"***").field("secret", &"***").finish_non_exhaustive()
    }
}

impl Webhook {
    /// A channel to the server of `config`. Its name is resolved anew for each connection.
    ///
    /// # Errors
    /// [`ChannelError`] when the address, a range or the secret cannot be used, or HTTPS is not available.
    pub fn new(config: &WebhookConfig) -> Result<Self, ChannelError> {
        Self::with(config, system(), None)
    }

    fn with(config: &WebhookConfig, lookup: Lookup, limit: Option<Duration>) -> Result<Self, ChannelError> {
        let (url, reachable) = check(config)?;
        let plain = url.scheme() == "http";
        let resolver = Arc::new(Checked { reachable, lookup });
        let reach = Reach { limit, resolver: Some(resolver), plain, proxy: false };
        let http = http::client(reach).map_err(|why| ChannelError::Setup { channel: NAME, why })?;
        Ok(Self { http, url, secret: config.secret.clone() })
    }

    async fn attempt(&self, message: &Message) -> Attempt {
        let body = match serde_json::to_string(&Delivery::of(message)) {
            Ok(body) => body,
            Err(e) => return Attempt::Refused { why: format!("the message cannot be written: {e}") },
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let signature = sign(self.secret.expose_secret(), now, body.as_bytes());
        let request = self
            .http
            .post(self.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .header(DELIVERY, delivery_id(&message.key))
            .header(TIMESTAMP, now)
            .header(SIGNATURE, signature);
        let response = match request.body(body).send().await {
            Ok(response) => response,
            Err(e) => {
                return match forbidden(&e) {
                    // There may be such a name tomorrow.
                    Some(e @ Forbidden::Nothing) => Attempt::Later { after: None, why: e.to_string() },
                    Some(e) => Attempt::Refused { why: e.to_string() },
                    None => Attempt::Later { after: None, why: self.redact(&http::failure(e)) },
                };
            }
        };
        let status = response.status().as_u16();
        let after = http::retry_after(response.headers());
        match status {
            200..=299 => Attempt::Delivered,
            300..=399 => Attempt::Refused { why: format!("status {status}: redirects are not followed") },
            410 => Attempt::Refused { why: "status 410: the receiver wants nothing more".into() },
            408 | 425 | 429 | 500..=599 => {
                Attempt::Later { after, why: format!("status {status}: {}", reason(status)) }
            }
            _ => Attempt::Refused { why: format!("status {status}: {}", reason(status)) },
        }
    }

    fn redact(&self, text: &str) -> String {
        text.replace(self.url.as_str(), "***").replace(self.secret.expose_secret(), "***")
    }
}

impl Channel for Webhook {
    fn name(&self) -> &str {
        NAME
    }

    fn send<'a>(&'a self, messages: &'a [Message]) -> Sending<'a> {
        Box::pin(one_by_one(messages, |message| self.attempt(message)))
    }
}

/// What can be told without sending anything.
fn check(config: &WebhookConfig) -> Result<(Url, Reachable), WebhookError> {
    let url = Url::parse(config.url.expose_secret().trim()).map_err(|_| WebhookError::Unreadable)?;
    let plain = match url.scheme() {
        "https" => false,
        "http" => true,
        _ => return Err(WebhookError::Scheme),
    };
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err(WebhookError::Parts);
    }
    if plain && config.allow.is_empty() {
        return Err(WebhookError::Scheme);
    }
    let reachable = Reachable::new(&config.allow, plain).map_err(WebhookError::Allow)?;
    // An address in place of a name is never resolved, so it has to be judged here.
    let host = url.host_str().ok_or(WebhookError::Unreadable)?;
    if let Ok(address) = host.trim_start_matches('[').trim_end_matches(']').parse() {
        reachable.check(address)?;
    }
    if config.secret.expose_secret().chars().count() < SHORTEST_SECRET {
        return Err(WebhookError::Secret);
    }
    Ok((url, reachable))
}

/// The value of [`SIGNATURE`] for a body that is sent at `seconds`.
pub fn sign(secret: &str, seconds: u64, body: &[u8]) -> String {
    use std::fmt::Write;
    // Keys of any length are taken; the error is of other kinds of MAC.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return String::new() };
    mac.update(seconds.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    let mut out = String::from("v1=");
    for byte in mac.finalize().into_bytes() {
        let _ = write!(out, "{byte:02x}");
    }
    out
}

/// The key of a message as a header can carry it.
fn delivery_id(key: &str) -> String {
    if (1..=LONGEST_ID).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic()) {
        key.to_owned()
    } else {
        blake3::hash(key.as_bytes()).to_hex().to_string()
    }
}

/// The document that is sent. The same bytes at every attempt.
#[derive(Serialize)]
struct Delivery<'a> {
    version: u8,
    key: &'a str,
    kind: Kind,
    severity: Severity,
    origin: Option<&'a str>,
    at: Timestamp,
    title: String,
    text: String,
    facts: Vec<Fact>,
    rule: Option<&'a str>,
    data: Option<&'a serde_json::Value>,
}

impl<'a> Delivery<'a> {
    fn of(m: &'a Message) -> Self {
        let facts = m.facts.iter().map(|f| Fact { label: text::line(&f.label), value: text::lines(&f.value) });
        Self {
            version: 1,
            key: &m.key,
            kind: m.kind,
            severity: m.severity,
            origin: m.origin.as_deref(),
            at: m.at,
            title: text::line(&m.headline()),
            text: text::lines(&m.text),
            facts: facts.collect(),
            rule: m.rule.as_deref(),
            data: m.data.as_ref(),
        }
    }
}

const fn reason(status: u16) -> &'static str {
    match status {
        401 | 403 => "the receiver does not accept the signature or the sender",
        404 => "there is nothing at this address",
        408 | 504 => "the receiver was too slow",
        413 => "the message is too large for the receiver",
        425 | 429 => "the receiver asks for a pause",
        500..=599 => "the receiver has trouble",
        _ => "the receiver does not take it",
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use proptest::prelude::*;

    use super::super::testing::{Answer, Server, message};
    use super::*;

    const SECRET: &str = "a-5ecret-of-the-hook";

    fn config(url: &str, allow: &[&str]) -> WebhookConfig {
        WebhookConfig { url: url.into(), secret: SECRET.into(), allow: allow.iter().map(|a| (*a).to_owned()).collect() }
    }

    fn to(server: &Server) -> Webhook {
        let config = config(&format!("http://{}/hook?t=5ecret", server.address), &["127.0.0.1"]);
        Webhook::with(&config, system(), Some(Duration::from_millis(800))).expect("channel")
    }

    fn names(found: &'static [&'static str]) -> Lookup {
        Arc::new(move |_| {
            Box::pin(async move { Ok(found.iter().map(|a| SocketAddr::new(a.parse().expect("address"), 0)).collect()) })
        })
    }

    #[test]
    fn the_signature_is_the_standard_one() {
        // echo -n '1700000000.{"a":1}' | openssl dgst -sha256 -hmac 'a-5ecret-of-the-hook'
        let made = sign(SECRET, 1_700_000_000, b"{\"a\":1}");
        assert_eq!(made, "v1=3afc3b9d2b5f74671b0452d539d5ebb0340013e15bbeedc65edad4b371aea9ea");
        let others = [sign("other", 1_700_000_000, b"{\"a\":1}"), sign(SECRET, 1, b"{\"a\":1}"), sign(SECRET, 1, b"")];
        assert!(others.iter().all(|o| *o != made));
    }

    #[test]
    fn addresses_are_judged_before_anything_is_sent() {
        let of = |url: &str, allow: &[&str]| check(&config(url, allow)).map(|_| ());
        assert_eq!(of("https://example.com/hook?token=1", &[]), Ok(()));
        assert_eq!(of("https://8.8.8.8:8443/", &[]), Ok(()));
        assert_eq!(of("http://192.168.1.7/x", &["192.168.1.0/24"]), Ok(()));
        assert_eq!(of("https://[fd00::1]/x", &["fd00::/8"]), Ok(()));
        for private in [
            "https://127.0.0.1/",
            "https://[::1]/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://0177.0.0.1/",
            "https://[::ffff:169.254.169.254]/",
            "https://169.254.169.254/latest/meta-data",
            "https://10.1.2.3/",
            "https://[fe80::1]/",
            "https://[64:ff9b::7f00:1]/",
        ] {
            let said = of(private, &["192.168.1.0/24"]);
            assert!(matches!(said, Err(WebhookError::Forbidden(Forbidden::Private { .. }))), "{private}: {said:?}");
        }
        assert_eq!(of("http://example.com/", &[]), Err(WebhookError::Scheme));
        assert_eq!(of("ftp://example.com/", &[]), Err(WebhookError::Scheme));
        assert!(matches!(of("http://8.8.8.8/", &["10.0.0.0/8"]), Err(WebhookError::Forbidden(Forbidden::Plain(_)))));
        assert_eq!(of("https://u:p@example.com/", &[]), Err(WebhookError::Parts));
        assert_eq!(of("https://example.com/#x", &[]), Err(WebhookError::Parts));
        assert_eq!(of("example.com", &[]), Err(WebhookError::Unreadable));
        assert_eq!(of("https://example.com/", &["home"]), Err(WebhookError::Allow("home".into())));
        let short = WebhookConfig { secret: "short".into(), ..config("https://example.com/", &[]) };
        assert_eq!(check(&short).map(|_| ()), Err(WebhookError::Secret));
    }

    proptest! {
        #[test]
        fn no_spelling_of_an_address_gets_past(bits: u32, form in 0_u8..6) {
            let v4 = std::net::Ipv4Addr::from_bits(bits);
            let [a, b, c, d] = v4.octets();
            let host = match form {
                0 => v4.to_string(),
                1 => bits.to_string(),
                2 => format!("{bits:#x}"),
                3 => format!("0{a:o}.{b}.{c:#x}.{d}"),
                4 => format!("[{}]", v4.to_ipv6_mapped()),
                _ => format!("{a}.{}", bits & 0x00ff_ffff),
            };
            let said = check(&config(&format!("https://{host}/x"), &[]));
            let private = crate::alerts::channels::address::not_public(v4.into()).is_some();
            prop_assert_eq!(said.is_err(), private, "{}", host);
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_inside_is_refused() {
        for found in [&["127.0.0.1"][..], &["8.8.8.8", "169.254.169.254"], &["::ffff:10.0.0.1"], &["fd00:ec2::254"]] {
            let channel = Webhook::with(&config("https://hook.example/", &[]), names(found), None).expect("channel");
            let said = channel.send(&[message("a")]).await;
            assert!(matches!(&said, Attempt::Refused { why } if why.contains("alerts.webhook.allow")), "{said:?}");
        }
        // The system's own way to resolve, with a name that every machine has.
        let channel = Webhook::new(&config("https://localhost/", &[])).expect("channel");
        let said = channel.send(&[message("a")]).await;
        assert!(matches!(&said, Attempt::Refused { why } if why.contains("this machine")), "{said:?}");
        let plain = Webhook::with(&config("http://hook.example/", &["10.0.0.0/8"]), names(&["8.8.8.8"]), None);
        let said = plain.expect("channel").send(&[message("a")]).await;
        assert!(matches!(&said, Attempt::Refused { why } if why.contains("plain http")), "{said:?}");
        let none = Webhook::with(&config("https://hook.example/", &[]), names(&[]), None).expect("channel");
        assert!(matches!(none.send(&[message("a")]).await, Attempt::Later { .. }));
    }

    #[tokio::test]
    async fn a_delivery_is_signed_and_keeps_its_id() {
        let server = Server::start(vec![Answer::new(503).header("retry-after", "7"), Answer::new(200)]).await;
        let channel = to(&server);
        let m = Message { origin: Some("DEMO".into()), ..message("signal:7/webhook") };
        let first = channel.send(std::slice::from_ref(&m)).await;
        assert!(matches!(first, Attempt::Later { after: Some(w), .. } if w == Duration::from_secs(7)));
        assert_eq!(channel.send(std::slice::from_ref(&m)).await, Attempt::Delivered);
        let got = server.all();
        assert_eq!(got.len(), 2);
        assert_eq!(got[0].body, got[1].body);
        for request in &got {
            assert_eq!(request.path, "/hook?t=5ecret");
            assert_eq!(request.header(DELIVERY), "signal:7/webhook");
            let at = request.header(TIMESTAMP).parse().expect("seconds");
            assert_eq!(request.header(SIGNATURE), sign(SECRET, at, &request.body));
            let body: serde_json::Value = serde_json::from_slice(&request.body).expect("JSON");
            assert_eq!(body["key"], "signal:7/webhook");
            assert_eq!(body["title"].as_str().map(|t| t.starts_with("[DEMO] ")), Some(true));
            assert_eq!(body["at"], m.at.to_string());
        }
        assert_eq!(delivery_id("two words"), blake3::hash(b"two words").to_hex().to_string());
        assert_eq!(delivery_id("").len(), 64);
    }

    #[tokio::test]
    async fn what_is_final_and_what_is_not() {
        for (status, is_final) in
            [(400, true), (401, true), (404, true), (410, true), (408, false), (425, false), (429, false), (500, false)]
        {
            let server = Server::start(vec![Answer::new(status).body("5ecret")]).await;
            let said = to(&server).send(&[message("a")]).await;
            assert_eq!(matches!(said, Attempt::Refused { .. }), is_final, "{status} {said:?}");
            assert!(!format!("{said:?}").contains("5ecret"));
        }
    }

    #[tokio::test]
    async fn a_redirect_is_not_followed() {
        let inside = Server::start(vec![Answer::new(200)]).await;
        let location = format!("http://{}/latest/meta-data", inside.address);
        let server = Server::start(vec![Answer::new(307).header("location", &location)]).await;
        let said = to(&server).send(&[message("a")]).await;
        assert!(matches!(&said, Attempt::Refused { why } if why.contains("redirects")), "{said:?}");
        assert_eq!(inside.count(), 0);
    }

    #[tokio::test]
    async fn a_stall_or_a_flood_holds_nobody_up() {
        let answers =
            vec![Answer::new(200).stall(Duration::from_secs(30)), Answer::new(500).body(&"x".repeat(4_000_000))];
        let server = Server::start(answers).await;
        let channel = to(&server);
        let said = channel.send(&[message("a")]).await;
        assert!(matches!(&said, Attempt::Later { why, .. } if !why.contains("5ecret")), "{said:?}");
        assert!(matches!(channel.send(&[message("a")]).await, Attempt::Later { .. }));
        assert!(!format!("{channel:?}").contains("5ecret"));
    }
}
