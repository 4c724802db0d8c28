//! The client: one call, its attempts, and what came of it.
//!
//! Owns the connection and the only place where the key meets a URL. Redirects are never followed, library errors lose
//! their URL, and text of others is redacted before anyone sees it. Decides nothing itself: the rules stand in
//! [`super::retry`], [`super::breaker`] and [`super::error`].

use std::hash::{BuildHasher, Hasher};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::Url;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

use crate::feeds::outcome::{AttemptClass, Outcome, Unavailable};
use crate::feeds::secret::ApiKey;
use crate::market::batch::Endpoint;
use crate::market::time::Timestamp;

use super::breaker::{BreakerConfig, BreakerView, Purpose, Verdict};
use super::error::{ErrorCode, classify, error_in_success, for_person};
use super::fetched::{AttemptLog, Breakers, Fetched, PendingVerdict};
use super::keys::{KeyView, Keys, Pick};
use super::quota::Quota;
use super::request::Request;
use super::retry::{RetryPolicy, parse_http_date, parse_retry_after};

/// Where The Odds API lives.
pub const DEFAULT_BASE_URL: &str = "https://api.the-odds-api.com";

/// As much of an error answer as is read.
const MAX_ERROR_BODY: usize = 64 * 1024;

/// Largest historical answer that can be empty: a wrapper of three times and `[]`.
const MAX_EMPTY_WRAPPER: usize = 1024;

/// How to reach the provider and how patiently.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClientConfig {
    /// Scheme, host, port and perhaps a path in front of `/v4`. Plain `http` only on this machine.
    pub base_url: String,
    /// Longest wait for a connection.
    pub connect_timeout: Duration,
    /// Longest duration of one attempt, the body included.
    pub timeout: Duration,
    /// Largest body, after decompression, in bytes.
    pub max_body: usize,
    /// Repetition inside a call.
    pub retry: RetryPolicy,
    /// Pauses between failing calls.
    pub breaker: BreakerConfig,
}

impl Default for ClientConfig {
    fn default() -> Self {
        Self {
            base_url: DEFAULT_BASE_URL.to_owned(),
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(20),
            max_body: 32 * 1024 * 1024,
            retry: RetryPolicy::default(),
            breaker: BreakerConfig::default(),
        }
    }
}

/// Why there is no client. Never repeats the base URL, which may hold a password.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The base URL cannot be used.
    #[error("the base URL of The Odds API {0}; it should look like {DEFAULT_BASE_URL}")]
    BaseUrl(&'static str),
    /// TLS or the resolver could not be set up.
    #[error("the HTTPS client could not be set up: {0}; are the system's root certificates installed?")]
    Setup(String),
}

/// A client for one account or several that take turns. Cheap to clone; clones share connections, keys and breakers.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    keys: Keys,
    config: Arc<ClientConfig>,
    breakers: Arc<Breakers>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("base", &self.base).field("keys", &self.keys).finish_non_exhaustive()
    }
}

/// Whose turn it is after an attempt.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// The same key's.
    Keep,
    /// Another key's.
    Next,
}

/// One attempt's end.
struct Attempt {
    status: Option<u16>,
    class: AttemptClass,
    body: Vec<u8>,
    quota: Quota,
    server_date: Option<Timestamp>,
    code: Option<ErrorCode>,
    message: Option<String>,
    retry_after: Option<Duration>,
}

impl Client {
    /// A client; nothing is sent yet.
    ///
    /// # Errors
    /// [`ClientError`] when the base URL cannot be used or HTTPS is not available.
    pub fn new(config: ClientConfig, key: ApiKey) -> Result<Self, ClientError> {
        Self::with_keys(config, Keys::one(key))
    }

    /// A client for keys that take turns: when the credits of one are used up, the next one asks.
    ///
    /// # Errors
    /// As [`Client::new`].
    pub fn with_keys(config: ClientConfig, keys: Keys) -> Result<Self, ClientError> {
        let (base, local) = check_base_url(&config.base_url)?;
        // An error means that one has been installed already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("stratum/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(config.connect_timeout)
            .timeout(config.timeout)
            .redirect(reqwest::redirect::Policy::none())
            // Attempts are counted and logged here; none may happen out of sight.
            .retry(reqwest::retry::never())
            .referer(false)
            .gzip(true);
        if local {
            // A proxy cannot reach this machine, and a demo must start where no root certificates are installed.
            builder = builder.no_proxy();
            if base.starts_with("http:") {
                builder = builder.tls_certs_only([]);
            }
        }
        let http = builder.build().map_err(|e| ClientError::Setup(keys.redact(&chain(&e.without_url()))))?;
        let breakers = Arc::new(Breakers::new(config.breaker));
        Ok(Self { http, base, keys, config: Arc::new(config), breakers })
    }

    /// How the breaker of a purpose stands.
    pub fn breaker(&self, purpose: Purpose) -> BreakerView {
        self.breakers.view(purpose)
    }

    /// `text` without any of the keys.
    pub fn redact(&self, text: &str) -> String {
        self.keys.redact(text)
    }

    /// How the keys stand, in the user's order.
    pub fn keys(&self) -> Vec<KeyView> {
        self.keys.view(now())
    }

    /// Asks, repeats what can be repeated, and tells what came of it. Never fails otherwise than in the outcome.
    ///
    /// Dropping the future cancels the call and counts for nothing.
    pub async fn fetch(&self, request: &Request, purpose: Purpose) -> Fetched {
        let started = Instant::now();
        let mut fetched = Fetched {
            request: self.keys.redact(&request.path_and_query()),
            key: None,
            endpoint: request.endpoint(),
            // A key pasted into the wrong field of the settings is still a key.
            sport: self.keys.redact(request.sport()),
            scope: request.scope(),
            purpose,
            received_at: now(),
            elapsed: Duration::ZERO,
            attempts: Vec::new(),
            quota: Quota::default(),
            outcome: Outcome::Unavailable {
                reason: Unavailable::Paused,
                code: None,
                message: String::new(),
                retry_after: None,
            },
            verdict: PendingVerdict::none(),
        };
        if let Some(message) = self.unfit(request) {
            let reason = Unavailable::BadRequest;
            fetched.outcome = Outcome::Unavailable { reason, code: None, message, retry_after: None };
            return fetched;
        }
        match self.breakers.admit(purpose) {
            Ok(verdict) => fetched.verdict = verdict,
            Err(wait) => {
                let message =
                    format!("not asked: earlier calls failed, next try in {} s", wait.as_millis().div_ceil(1000));
                fetched.outcome =
                    Outcome::Unavailable { reason: Unavailable::Paused, code: None, message, retry_after: Some(wait) };
                return fetched;
            }
        }
        let last = self.attempts(request, &mut fetched).await;
        fetched.received_at = now();
        fetched.elapsed = started.elapsed();
        conclude(&mut fetched, last, request);
        fetched
    }

    /// Why a request is not sent at all.
    fn unfit(&self, request: &Request) -> Option<String> {
        if let Err(error) = request.check() {
            return Some(for_person(&self.keys.redact(&error.to_string()), &self.keys.pick(now()).key));
        }
        // It would stand in the provider's logs, and come back in whatever is answered.
        let path = request.path_and_query();
        let holds = self.keys.all().iter().any(|k| k.is_real() && k.redact(&path) != path);
        let why = "a key stands in the settings where a sport, market, region or book belongs; remove it there";
        holds.then(|| why.to_owned())
    }

    async fn attempts(&self, request: &Request, fetched: &mut Fetched) -> Attempt {
        let mut number: u32 = 0;
        let mut tried = Vec::new();
        loop {
            number = number.saturating_add(1);
            let (started_at, started) = (now(), Instant::now());
            let pick = self.keys.pick(started_at);
            let mut attempt = self.attempt(request, &pick).await;
            let turn = self.note_key(&pick, &mut attempt, &mut tried);
            let wait = match turn {
                // Another key asks the same, at once and as if for the first time.
                Turn::Next => Some(Duration::ZERO),
                Turn::Keep => self.config.retry.delay(number, attempt.class, attempt.retry_after, random()),
            };
            let elapsed = started.elapsed();
            tracing::debug!(
                request = %fetched.request,
                attempt = number,
                key = %pick.name,
                status = attempt.status,
                class = attempt.class.name(),
                ms = elapsed.as_millis() as u64,
                bytes = attempt.body.len(),
                "the odds api"
            );
            // What another account has left says nothing about this one.
            let same = fetched.key.as_ref() == Some(&pick.name);
            fetched.quota = if same { attempt.quota.or(fetched.quota) } else { attempt.quota };
            fetched.key = Some(pick.name);
            fetched.attempts.push(AttemptLog {
                started_at,
                elapsed,
                status: attempt.status,
                class: attempt.class,
                bytes: attempt.body.len(),
                quota: attempt.quota,
                message: attempt.message.clone(),
                wait: wait.unwrap_or_default(),
            });
            match (turn, wait) {
                (Turn::Next, _) => number = 0,
                (Turn::Keep, None) => return attempt,
                (Turn::Keep, Some(wait)) => tokio::time::sleep(wait).await,
            }
        }
    }

    /// Notes what an attempt says about its key, and whether another one takes its turn.
    fn note_key(&self, pick: &Pick, attempt: &mut Attempt, tried: &mut Vec<usize>) -> Turn {
        let (local, server) = (now(), attempt.server_date);
        match attempt.class {
            AttemptClass::Quota => {
                tried.push(pick.at);
                if self.keys.exhausted(pick, local, server, tried) {
                    tracing::warn!(key = %pick.name, "the credits of this key are used up; the next key asks");
                    return Turn::Next;
                }
            }
            AttemptClass::Auth => {
                tried.push(pick.at);
                if self.keys.refused(pick, local, tried) {
                    tracing::error!(key = %pick.name, "this key is refused and passed over; check it");
                    return Turn::Next;
                }
                if self.keys.any_exhausted() {
                    // The others come back on the first of the month; a refusal would end the polling for good.
                    attempt.class = AttemptClass::Quota;
                    let said = attempt.message.take().unwrap_or_default();
                    let name = &pick.name;
                    attempt.message =
                        Some(format!("key {name} is refused ({said}), and the credits of the others are used up"));
                }
            }
            // Anything that was answered was answered to this key.
            AttemptClass::Data | AttemptClass::NoEvents | AttemptClass::NotFound | AttemptClass::BadRequest => {
                self.keys.answered(pick, &attempt.quota, local, server);
            }
            _ => {}
        }
        Turn::Keep
    }

    async fn attempt(&self, request: &Request, pick: &Pick) -> Attempt {
        let path = request.path_and_query();
        let join = if path.contains('?') { '&' } else { '?' };
        let url = format!("{}{path}{join}apiKey={}", self.base, pick.key.query_form());
        let mut attempt = Attempt {
            status: None,
            class: AttemptClass::Connect,
            body: Vec::new(),
            quota: Quota::default(),
            server_date: None,
            code: None,
            message: None,
            retry_after: None,
        };
        let response = match self.http.get(url).send().await {
            Ok(response) => response,
            Err(error) => {
                note(&mut attempt, error, &pick.key);
                return attempt;
            }
        };
        let status = response.status().as_u16();
        let headers = response.headers();
        attempt.status = Some(status);
        attempt.quota = Quota::read(|name| text(headers, name));
        attempt.server_date = text(headers, DATE.as_str()).and_then(parse_http_date);
        let clock = attempt.server_date.unwrap_or_else(now);
        attempt.retry_after = text(headers, RETRY_AFTER.as_str()).and_then(|value| parse_retry_after(value, clock));

        let success = status == 200;
        let limit = if success { self.config.max_body } else { MAX_ERROR_BODY };
        match read_body(response, limit, &mut attempt.body).await {
            Ok(()) => {}
            // What an error answer says is in its status; a body cut short takes nothing from it.
            Err(_) if !success => {}
            Err(BodyError::TooLarge) => {
                attempt.class = AttemptClass::TooLarge;
                attempt.message = Some(format!("the answer is larger than {limit} bytes"));
                attempt.body = Vec::new();
                return attempt;
            }
            Err(BodyError::Lost(error)) => {
                note(&mut attempt, error, &pick.key);
                return attempt;
            }
        }
        if !success || error_in_success(&attempt.body) {
            let fault = classify(status, &attempt.body, &attempt.quota, &pick.key);
            attempt.class = fault.class;
            attempt.message = Some(fault.message);
            attempt.code = fault.code;
            return attempt;
        }
        // An answer is kept as it came, and what it echoes with it.
        pick.key.redact_body(&mut attempt.body);
        attempt.class = look(&attempt.body, request.endpoint());
        if attempt.class == AttemptClass::NotJson {
            attempt.message = Some(match attempt.body.len() {
                0 => "the answer is empty".to_owned(),
                n => format!("the answer ({n} bytes) is not JSON; check the base URL and the network's sign-in page"),
            });
        }
        attempt
    }
}

/// An attempt without a (complete) answer.
fn note(attempt: &mut Attempt, error: reqwest::Error, key: &ApiKey) {
    let answered = attempt.status.is_some();
    (attempt.class, attempt.message) = if error.is_timeout() && error.is_connect() {
        (AttemptClass::Connect, Some("no connection in time".to_owned()))
    } else if error.is_timeout() {
        (AttemptClass::Timeout, Some("no complete answer in time".to_owned()))
    } else {
        let class = if error.is_connect() { AttemptClass::Connect } else { AttemptClass::CutOff };
        let what = match class {
            AttemptClass::Connect => "no connection",
            _ if answered => "the answer was cut off",
            _ => "the connection was lost before the answer",
        };
        (class, Some(for_person(&format!("{what}: {}", chain(&error.without_url())), key)))
    };
}

/// Turns the last attempt into the outcome and tells the breaker.
fn conclude(fetched: &mut Fetched, last: Attempt, request: &Request) {
    let Some(reason) = last.class.reason() else {
        let (body, format, server_date) = (last.body, request.format(), last.server_date);
        fetched.outcome = if last.class == AttemptClass::NoEvents {
            Outcome::NoEvents { body, format, server_date }
        } else {
            Outcome::Data { body, format, server_date }
        };
        // Not settled yet: the parser may still find the body unreadable.
        fetched.verdict.assume(Verdict::Sound);
        return;
    };
    fetched.verdict.assume(if reason.is_fault_of_source() {
        Verdict::Failed { retry_after: last.retry_after }
    } else {
        Verdict::Sound
    });
    fetched.verdict.settle();
    fetched.outcome = Outcome::Unavailable {
        reason,
        code: last.code.map(|code| code.name().to_owned()),
        message: last.message.unwrap_or_else(|| last.class.name().to_owned()),
        retry_after: last.retry_after,
    };
}

enum BodyError {
    TooLarge,
    Lost(reqwest::Error),
}

/// Reads the decompressed body up to `limit` bytes. Keeps what had arrived when it fails.
async fn read_body(mut response: reqwest::Response, limit: usize, body: &mut Vec<u8>) -> Result<(), BodyError> {
    while let Some(chunk) = response.chunk().await.map_err(BodyError::Lost)? {
        let room = limit - body.len();
        if chunk.len() > room {
            body.extend(chunk.iter().take(room));
            return Err(BodyError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(())
}

/// A cheap look at a body: is it JSON at all, and does it list any event? Whether it is *sound* JSON is found out by
/// the parser.
fn look(body: &[u8], endpoint: Endpoint) -> AttemptClass {
    let body = body.trim_ascii();
    match body.first() {
        Some(b'[') if body.get(1..).is_some_and(|rest| rest.trim_ascii_start() == b"]") => AttemptClass::NoEvents,
        Some(b'{') if is_history(endpoint) && is_empty_wrapper(body) => AttemptClass::NoEvents,
        Some(b'[' | b'{') => AttemptClass::Data,
        _ => AttemptClass::NotJson,
    }
}

const fn is_history(endpoint: Endpoint) -> bool {
    matches!(endpoint, Endpoint::HistoricalOdds | Endpoint::HistoricalEvents | Endpoint::HistoricalEventOdds)
}

fn is_empty_wrapper(body: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Wrapper<'a> {
        #[serde(borrow)]
        data: &'a serde_json::value::RawValue,
    }
    body.len() <= MAX_EMPTY_WRAPPER
        && serde_json::from_slice::<Wrapper<'_>>(body).is_ok_and(|wrapper| {
            let data = wrapper.data.get().as_bytes();
            data.strip_prefix(b"[").is_some_and(|rest| rest.trim_ascii_start() == b"]")
        })
}

/// The base without a final slash, and whether it is this machine.
fn check_base_url(text: &str) -> Result<(String, bool), ClientError> {
    let url = Url::parse(text.trim()).map_err(|_| ClientError::BaseUrl("cannot be read"))?;
    let host = url.host_str().ok_or(ClientError::BaseUrl("has no host"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(ClientError::BaseUrl("holds a user name or password"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(ClientError::BaseUrl("has a query or fragment"));
    }
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    let local = host == "localhost" || address.is_ok_and(|ip| ip.is_loopback());
    match url.scheme() {
        "https" => {}
        "http" if local => {}
        "http" => {
            return Err(ClientError::BaseUrl("is plain http, which would show the key to the network: use https"));
        }
        _ => return Err(ClientError::BaseUrl("is neither https nor http")),
    }
    // The version belongs to the path of a request; people copy it from the documentation along with the host.
    let base = url.as_str().trim_end_matches('/');
    Ok((base.strip_suffix("/v4").unwrap_or(base).to_owned(), local))
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// An error and its causes in one line. Library errors name only their outermost layer by themselves.
fn chain(error: &dyn std::error::Error) -> String {
    let mut out = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let text = inner.to_string();
        if !out.contains(&text) {
            out.push_str(": ");
            out.push_str(&text);
        }
        cause = inner.source();
    }
    out
}

fn now() -> Timestamp {
    Timestamp::from_chrono(chrono::Utc::now())
}

/// A number in 0..1 to spread delays. The standard library's hash keys are random for each map and need no generator.
fn random() -> f64 {
    let bits = std::collections::hash_map::RandomState::new().build_hasher().finish();
    (bits >> 11) as f64 / (1u64 << 53) as f64
}
