//! The REST client of Gamma, CLOB and data API.
//!
//! Owns the connection, its pace and its repetitions. Needs no account and sends no secret. Every call gives a typed
//! answer or an [`AskError`]; a book that does not exist is an answer.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};

use super::error::{AskError, SetupError};
use super::ids::{ConditionId, SeriesId, Side, Slug, TagId, Tick, TokenId, short};
use super::pace::Pace;
use super::wire::channel::BookMessage;
use super::wire::clob::{self, DataTrade, Histories, HistoryPoint, MarketDefinition};
use super::wire::gamma::{self, GammaEvent, GammaMarket, GammaSeries, GammaSport, GammaTag, Page};
use super::wire::lenient::Defect;
use super::wire::{Read, WireError, said};
use crate::feeds::odds_api::retry::{RetryPolicy, parse_retry_after};
use crate::feeds::outcome::AttemptClass;
use crate::market::time::Timestamp;

/// What we call ourselves. A library's own name is turned away at the door.
pub const USER_AGENT: &str = concat!("stratum/", env!("CARGO_PKG_VERSION"));

/// Records on a page; more are not given.
pub const PAGE: usize = 100;
/// Books in one question.
pub const MAX_BOOKS: usize = 100;
/// Tokens in one question for histories.
pub const MAX_HISTORIES: usize = 20;
/// Longest window of a price history.
pub const MAX_HISTORY: Duration = Duration::from_secs(15 * 86_400);

/// As much of an error answer as is read.
const MAX_ERROR_BODY: usize = 64 * 1024;

/// Where to ask and how patiently.
#[derive(Clone, PartialEq, Debug)]
pub struct ClientConfig {
    /// Gamma: listings. Plain `http` only on this machine.
    pub gamma_url: String,
    /// CLOB: books and prices.
    pub clob_url: String,
    /// Data API: trades.
    pub data_url: String,
    /// Requests a second in the long run, of all three together.
    pub per_second: f64,
    /// Requests at once.
    pub burst: f64,
    /// Longest wait for a connection.
    pub connect_timeout: Duration,
    /// Longest duration of one attempt, the body included.
    pub timeout: Duration,
    /// Largest body, after decompression, in bytes.
    pub max_body: usize,
    /// Repetition inside a call.
    pub retry: RetryPolicy,
}

impl Default for ClientConfig {
    fn default() -> Self {
        Self {
            gamma_url: "https://gamma-api.polymarket.com".to_owned(),
            clob_url: "https://clob.polymarket.com".to_owned(),
            data_url: "https://data-api.polymarket.com".to_owned(),
            per_second: 8.0,
            burst: 8.0,
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(20),
            max_body: 32 * 1024 * 1024,
            retry: RetryPolicy::default(),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Host {
    Gamma,
    Clob,
    Data,
}

/// A client. Cheap to clone; clones share connections and pace.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    gamma: Url,
    clob: Url,
    data: Url,
    pace: Arc<Pace>,
    config: Arc<ClientConfig>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("gamma", &self.gamma.host_str()).finish_non_exhaustive()
    }
}

/// Which events or markets to list.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ListQuery {
    /// Of this series.
    pub series: Option<SeriesId>,
    /// With this tag.
    pub tag: Option<TagId>,
    /// Listed or not.
    pub active: Option<bool>,
    /// Over or not.
    pub closed: Option<bool>,
    /// With this name.
    pub slug: Option<Slug>,
    /// Ended at or after this instant (nominal end).
    pub end_from: Option<Timestamp>,
    /// Ended at or before this instant (nominal end).
    pub end_to: Option<Timestamp>,
    /// Of these markets; at most 100.
    pub conditions: Vec<ConditionId>,
}

impl ListQuery {
    fn pairs(&self) -> Vec<(&'static str, String)> {
        let mut out = vec![("limit", PAGE.to_string())];
        let mut put = |name, value: Option<String>| out.extend(value.map(|v| (name, v)));
        put("series_id", self.series.as_ref().map(ToString::to_string));
        put("tag_id", self.tag.as_ref().map(ToString::to_string));
        put("active", self.active.map(|b| b.to_string()));
        put("closed", self.closed.map(|b| b.to_string()));
        put("slug", self.slug.as_ref().map(ToString::to_string));
        put("end_date_min", self.end_from.map(Timestamp::to_wire));
        put("end_date_max", self.end_to.map(Timestamp::to_wire));
        for condition in self.conditions.iter().take(PAGE) {
            put("condition_ids", Some(condition.to_string()));
        }
        out
    }
}

/// The book of a token, or that there is none.
#[derive(Clone, PartialEq, Debug)]
pub enum BookAnswer {
    /// This one.
    Book {
        /// The book.
        book: Box<BookMessage<'static>>,
        /// What of it could not be read.
        defects: Vec<Defect>,
        /// When we received it.
        received_at: Timestamp,
    },
    /// None: unknown, closed or never opened; the answer does not tell which.
    NoBook,
}

impl Client {
    /// A client; nothing is sent yet.
    ///
    /// # Errors
    /// [`SetupError`] when an address cannot be used or HTTPS is not available.
    pub fn new(config: ClientConfig) -> Result<Self, SetupError> {
        let gamma = base(&config.gamma_url, "gamma", "https://gamma-api.polymarket.com")?;
        let clob = base(&config.clob_url, "clob", "https://clob.polymarket.com")?;
        let data = base(&config.data_url, "data", "https://data-api.polymarket.com")?;
        // An error means that one has been installed already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .connect_timeout(config.connect_timeout)
            .timeout(config.timeout)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .gzip(true);
        if [&gamma, &clob, &data].iter().all(|u| is_local(u)) {
            // A demo must start where no proxy reaches and no root certificates are installed.
            builder = builder.no_proxy();
            if [&gamma, &clob, &data].iter().all(|u| u.scheme() == "http") {
                builder = builder.tls_certs_only([]);
            }
        }
        let http = builder.build().map_err(|e| SetupError::Tls(e.without_url().to_string()))?;
        let pace = Arc::new(Pace::new(config.per_second, config.burst));
        Ok(Self { http, gamma, clob, data, pace, config: Arc::new(config) })
    }

    /// The sports listing: leagues with their series and tags.
    ///
    /// # Errors
    /// [`AskError`].
    pub async fn sports(&self) -> Result<Read<GammaSport>, AskError> {
        Ok(gamma::sports(&self.get(Host::Gamma, "sports", &[]).await?)?)
    }

    /// Tags, from an offset on.
    ///
    /// # Errors
    /// [`AskError`].
    pub async fn tags(&self, offset: usize) -> Result<Read<GammaTag>, AskError> {
        let query = [("limit", PAGE.to_string()), ("offset", offset.to_string())];
        Ok(gamma::tags(&self.get(Host::Gamma, "tags", &query).await?)?)
    }

    /// Series, from an offset on.
    ///
    /// # Errors
    /// [`AskError`].
    pub async fn series(&self, offset: usize) -> Result<Read<GammaSeries>, AskError> {
        let query = [("limit", PAGE.to_string()), ("offset", offset.to_string())];
        Ok(gamma::series(&self.get(Host::Gamma, "series", &query).await?)?)
    }

    /// A page of events by cursor; `None` for the first.
    ///
    /// # Errors
    /// [`AskError`].
    pub async fn events_page(&self, query: &ListQuery, cursor: Option<&str>) -> Result<Page<GammaEvent>, AskError> {
        let mut pairs = query.pairs();
        // Any other name of the parameter is ignored, and the first page comes for ever.
        pairs.extend(cursor.map(|c| ("after_cursor", c.to_owned())));
        Ok(gamma::events(&self.get(Host::Gamma, "events/keyset", &pairs).await?)?)
    }

    /// A page of events by offset.
    ///
    /// # Errors
    /// [`AskError`]; [`AskError::OffsetTooLarge`] beyond some thousands.
    pub async fn events_at(&self, query: &ListQuery, offset: usize) -> Result<Page<GammaEvent>, AskError> {
        let mut pairs = query.pairs();
        pairs.push(("offset", offset.to_string()));
        Ok(gamma::events(&self.get(Host::Gamma, "events", &pairs).await?)?)
    }

    /// A page of markets by cursor; `None` for the first.
    ///
    /// # Errors
    /// [`AskError`].
    pub async fn markets_page(&self, query: &ListQuery, cursor: Option<&str>) -> Result<Page<GammaMarket>, AskError> {
        let mut pairs = query.pairs();
        pairs.extend(cursor.map(|c| ("after_cursor", c.to_owned())));
        Ok(gamma::markets(&self.get(Host::Gamma, "markets/keyset", &pairs).await?)?)
    }

    /// The event of a slug, closed ones included.
    ///
    /// # Errors
    /// [`AskError`]; [`AskError::NotFound`] when there is none.
    pub async fn event_by_slug(&self, slug: &Slug) -> Result<Page<GammaEvent>, AskError> {
        Ok(gamma::events(&self.get(Host::Gamma, &format!("events/slug/{slug}"), &[]).await?)?)
    }

    /// The market of a slug, closed ones included.
    ///
    /// # Errors
    /// [`AskError`]; [`AskError::NotFound`] when there is none.
    pub async fn market_by_slug(&self, slug: &Slug) -> Result<Page<GammaMarket>, AskError> {
        Ok(gamma::markets(&self.get(Host::Gamma, &format!("markets/slug/{slug}"), &[]).await?)?)
    }

    /// The book of a token.
    ///
    /// # Errors
    /// [`AskError`]; that there is no book is no error.
    pub async fn book(&self, token: &TokenId) -> Result<BookAnswer, AskError> {
        let body = match self.get(Host::Clob, "book", &[("token_id", token.to_string())]).await {
            Ok(body) => body,
            Err(AskError::NotFound { .. }) => return Ok(BookAnswer::NoBook),
            Err(other) => return Err(other),
        };
        let (book, defects) = clob::book(&body)?;
        Ok(BookAnswer::Book { book: Box::new(book.into_owned()), defects, received_at: now() })
    }

    /// The books of up to [`MAX_BOOKS`] tokens. Tokens without a book are absent from the answer.
    ///
    /// # Errors
    /// [`AskError`].
    pub async fn books(&self, tokens: &[TokenId]) -> Result<(Read<BookMessage<'static>>, Timestamp), AskError> {
        if tokens.is_empty() {
            return Ok((Read::default(), now()));
        }
        let list: Vec<BTreeMap<&str, &str>> =
            tokens.iter().take(MAX_BOOKS).map(|t| BTreeMap::from([("token_id", t.as_str())])).collect();
        let body = self.post(Host::Clob, "books", &list).await?;
        let read = clob::books(&body)?;
        let items = read.items.into_iter().map(BookMessage::into_owned).collect();
        Ok((Read { items, defects: read.defects }, now()))
    }

    async fn one<T>(
        &self,
        path: &str,
        token: &TokenId,
        side: Option<Side>,
        read: impl FnOnce(&[u8]) -> Result<T, WireError>,
    ) -> Result<T, AskError> {
        let mut query = vec![("token_id", token.to_string())];
        query.extend(side.map(|s| ("side", s.wire().to_owned())));
        Ok(read(&self.get(Host::Clob, path, &query).await?)?)
    }

    /// The midpoint of a token, 0 to 1.
    ///
    /// # Errors
    /// [`AskError`].
    pub async fn midpoint(&self, token: &TokenId) -> Result<f64, AskError> {
        self.one("midpoint", token, None, clob::midpoint).await
    }

    /// The best price of a side: of [`Side::Bid`] the best bid, though the wire calls it `BUY`.
    ///
    /// # Errors
    /// [`AskError`].
    pub async fn price(&self, token: &TokenId, side: Side) -> Result<Tick, AskError> {
        self.one("price", token, Some(side), clob::price).await
    }

    /// The difference of the best prices.
    ///
    /// # Errors
    /// [`AskError`].
    pub async fn spread(&self, token: &TokenId) -> Result<Tick, AskError> {
        self.one("spread", token, None, clob::spread).await
    }

    /// The last trade, and what its taker did.
    ///
    /// # Errors
    /// [`AskError`].
    pub async fn last_trade(&self, token: &TokenId) -> Result<(Tick, Option<Side>), AskError> {
        self.one("last-trade-price", token, None, clob::last_trade).await
    }

    /// The smallest step of a price.
    ///
    /// # Errors
    /// [`AskError`].
    pub async fn tick_size(&self, token: &TokenId) -> Result<Tick, AskError> {
        self.one("tick-size", token, None, clob::tick_size).await
    }

    /// What the CLOB says a market is.
    ///
    /// # Errors
    /// [`AskError`].
    pub async fn definition(&self, condition: &ConditionId) -> Result<(MarketDefinition, Vec<Defect>), AskError> {
        Ok(clob::definition(&self.get(Host::Clob, &format!("markets/{condition}"), &[]).await?)?)
    }

    /// Midpoints of a token in an explicit window of at most [`MAX_HISTORY`], one each `fidelity` minutes.
    ///
    /// # Errors
    /// [`AskError::Refused`] without asking when the window is empty or too long; else [`AskError`].
    pub async fn history(
        &self,
        token: &TokenId,
        from: Timestamp,
        to: Timestamp,
        fidelity: u32,
    ) -> Result<Read<HistoryPoint>, AskError> {
        check_window(from, to)?;
        let query = [
            ("market", token.to_string()),
            ("startTs", from.secs().to_string()),
            ("endTs", to.secs().to_string()),
            ("fidelity", fidelity.max(1).to_string()),
        ];
        Ok(clob::history(&self.get(Host::Clob, "prices-history", &query).await?)?)
    }

    /// The same for up to [`MAX_HISTORIES`] tokens at once.
    ///
    /// # Errors
    /// As [`Client::history`].
    pub async fn histories(
        &self,
        tokens: &[TokenId],
        from: Timestamp,
        to: Timestamp,
        fidelity: u32,
    ) -> Result<(Histories, Vec<Defect>), AskError> {
        check_window(from, to)?;
        let body = serde_json::json!({
            "markets": tokens.iter().take(MAX_HISTORIES).map(TokenId::as_str).collect::<Vec<_>>(),
            "start_ts": from.secs(),
            "end_ts": to.secs(),
            "fidelity": fidelity.max(1),
        });
        Ok(clob::batch_history(&self.post(Host::Clob, "batch-prices-history", &body).await?)?)
    }

    /// Trades of a market, the newest first, from an offset of at most 10 000 on.
    ///
    /// # Errors
    /// [`AskError`].
    pub async fn trades(&self, condition: &ConditionId, offset: usize) -> Result<Read<DataTrade>, AskError> {
        let query = [("market", condition.to_string()), ("limit", "500".to_owned()), ("offset", offset.to_string())];
        Ok(clob::trades(&self.get(Host::Data, "trades", &query).await?)?)
    }

    fn url(&self, host: Host, path: &str, query: &[(&str, String)]) -> Url {
        let mut url = match host {
            Host::Gamma => self.gamma.clone(),
            Host::Clob => self.clob.clone(),
            Host::Data => self.data.clone(),
        };
        url.set_path(&format!("{}/{path}", url.path().trim_end_matches('/')));
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    async fn get(&self, host: Host, path: &str, query: &[(&str, String)]) -> Result<Vec<u8>, AskError> {
        let url = self.url(host, path, query);
        self.ask(path, || self.http.get(url.clone())).await
    }

    async fn post(&self, host: Host, path: &str, body: &impl serde::Serialize) -> Result<Vec<u8>, AskError> {
        let url = self.url(host, path, &[]);
        let body = serde_json::to_vec(body).map_err(|e| WireError::NotJson(e.to_string()))?;
        self.ask(path, || self.http.post(url.clone()).header(CONTENT_TYPE, "application/json").body(body.clone())).await
    }

    /// Asks, and asks again where that can help.
    async fn ask(&self, path: &str, request: impl Fn() -> reqwest::RequestBuilder) -> Result<Vec<u8>, AskError> {
        let mut attempt: u32 = 0;
        loop {
            attempt = attempt.saturating_add(1);
            self.pace.turn().await;
            let error = match self.attempt(request()).await {
                Ok(body) => return Ok(body),
                Err(error) => error,
            };
            let (class, wish) = match &error {
                AskError::RateLimited { retry_after } => (AttemptClass::RateLimited, *retry_after),
                AskError::Unreachable { .. } => (AttemptClass::Connect, None),
                AskError::Trouble { .. } => (AttemptClass::ServerError, None),
                _ => return Err(error),
            };
            let wait = self.config.retry.delay(attempt, class, wish, random());
            tracing::debug!(path, attempt, error = error.name(), again = wait.is_some(), "polymarket");
            match wait {
                Some(wait) => tokio::time::sleep(wait).await,
                None => return Err(error),
            }
        }
    }

    async fn attempt(&self, request: reqwest::RequestBuilder) -> Result<Vec<u8>, AskError> {
        let lost = |e: reqwest::Error| {
            let what = match () {
                () if e.is_timeout() => "no complete answer in time",
                () if e.is_connect() => "no connection",
                () => "the connection was lost",
            };
            AskError::Unreachable { what: what.to_owned() }
        };
        let mut response = request.send().await.map_err(lost)?;
        let status = response.status().as_u16();
        let wish = response.headers().get(RETRY_AFTER).and_then(|v| v.to_str().ok()).map(str::to_owned);
        let retry_after = wish.and_then(|w| parse_retry_after(&w, now()));
        let limit = if status == 200 { self.config.max_body } else { MAX_ERROR_BODY };
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() <= limit => body.extend_from_slice(&chunk),
                Ok(Some(_)) if status == 200 => return Err(AskError::TooLarge { limit }),
                Ok(Some(_)) | Ok(None) => break,
                // What an error answer says is in its status.
                Err(_) if status != 200 => break,
                Err(e) => return Err(lost(e)),
            }
        }
        judge(status, body, retry_after)
    }
}

/// What an answer means.
fn judge(status: u16, body: Vec<u8>, retry_after: Option<Duration>) -> Result<Vec<u8>, AskError> {
    // An error can hide in a success; a success is never small print in a large body.
    let words = if status == 200 {
        if body.len() > 4096 || !body.trim_ascii_start().starts_with(b"{") { None } else { said(&body) }
    } else {
        said(&body)
    };
    let lower = words.as_deref().unwrap_or_default().to_lowercase();
    let told = words.unwrap_or_else(|| short(&String::from_utf8_lossy(&body)));
    match status {
        200 if lower.contains("too many requests") => Err(AskError::RateLimited { retry_after }),
        200 if lower.contains("no orderbook exists") => Err(AskError::NotFound { said: told }),
        200 if lower.is_empty() => Ok(body),
        200 => Err(WireError::Said(told).into()),
        300..=399 => Err(AskError::Redirected { status }),
        404 | 410 => Err(AskError::NotFound { said: told }),
        408 | 425 => Err(AskError::Trouble { status, said: told }),
        429 => Err(AskError::RateLimited { retry_after }),
        422 if lower.contains("offset") => Err(AskError::OffsetTooLarge),
        401 | 403 | 451 => Err(AskError::Blocked { status, said: told }),
        400..=499 => Err(AskError::Refused { status, said: told }),
        _ => Err(AskError::Trouble { status, said: told }),
    }
}

fn check_window(from: Timestamp, to: Timestamp) -> Result<(), AskError> {
    let length = to.since(from);
    if length > 0 && length <= i64::try_from(MAX_HISTORY.as_millis()).unwrap_or(i64::MAX) {
        return Ok(());
    }
    let said = "the window of a price history must be longer than nothing and at most 15 days".to_owned();
    Err(AskError::Refused { status: 400, said })
}

/// This machine.
pub(super) fn is_local(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|ip| ip.is_loopback())
}

fn base(text: &str, host: &'static str, example: &'static str) -> Result<Url, SetupError> {
    let wrong = |problem| SetupError::BaseUrl { host, problem, example };
    let url = Url::parse(text.trim()).map_err(|_| wrong("cannot be read"))?;
    if url.host_str().is_none() {
        return Err(wrong("has no host"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("holds a user name or password"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("has a query or fragment"));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_local(&url) => Ok(url),
        "http" => Err(wrong("is plain http, which anybody on the way could change: use https")),
        _ => Err(wrong("is neither https nor http")),
    }
}

pub(super) fn now() -> Timestamp {
    Timestamp::from_chrono(chrono::Utc::now())
}

/// A number in 0..1 to spread delays.
pub(super) fn random() -> f64 {
    let bits = std::collections::hash_map::RandomState::new().build_hasher().finish();
    (bits >> 11) as f64 / (1u64 << 53) as f64
}
