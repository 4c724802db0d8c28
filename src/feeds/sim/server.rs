//! The simulator on loopback HTTP: the provider's paths, and a few of its own under `/sim` to steer it.
//!
//! `GET /sim/state` tells the virtual time and counts; `GET`, `POST`, `DELETE /sim/faults` list, add and clear faults;
//! `POST /sim/clock` with `{"advance_s": 60}` or `{"speed": 10}` moves time. The exchange hangs on the same port, below
//! [`polymarket::PARTS`]; `POST /sim/load` with `{"per_second": 5000, "for_s": 60}` makes its sockets busy.

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use flate2::Compression;
use flate2::write::GzEncoder;
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio_util::io::ReaderStream;
use tokio_util::sync::CancellationToken;

use super::api::{Answer, Api, Delivery, Stats};
use super::body::BadBody;
use super::clock::SimClock;
use super::faults::{FaultKind, FaultSpec};
use super::playback::{Frames, Playback};
use super::polymarket::{self, ExchangeSettings, Load, Reply, Venue};
use super::scenario::Scenario;
use crate::market::price::OddsFormat;
use crate::market::time::Timestamp;

/// A slow body takes about this long.
const SLOW: Duration = Duration::from_secs(5);

/// What to serve.
pub enum SimContent {
    /// A simulated market.
    Scenario(Box<Scenario>),
    /// A recording: frames, oldest first, and the form of its prices.
    Recording {
        /// Frames.
        frames: Frames,
        /// Form of prices in them.
        format: OddsFormat,
        /// Credits a month.
        credits: i64,
    },
}

/// How to start a simulator.
pub struct SimConfig {
    /// What to serve.
    pub content: SimContent,
    /// Virtual time at the start; the scenario starts with its second.
    pub start: Timestamp,
    /// When `start` was the instant; `None`: when the simulator starts.
    pub since: Option<Instant>,
    /// Virtual seconds per real second; `None` takes the scenario's; 0 is a clock moved by hand.
    pub speed: Option<u32>,
    /// Port on 127.0.0.1; 0 takes any free one.
    pub port: u16,
    /// The only key accepted; `None` accepts any.
    pub api_key: Option<SecretString>,
}

impl SimConfig {
    /// A scenario from `start` on, at its own speed, on any free port, with any key.
    pub fn scenario(scenario: Scenario, start: Timestamp) -> Self {
        Self {
            content: SimContent::Scenario(Box::new(scenario)),
            start,
            since: None,
            speed: None,
            port: 0,
            api_key: None,
        }
    }
}

/// Why a simulator did not start.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// The port is taken or not allowed.
    #[error("cannot listen on 127.0.0.1:{port}: {source}; choose another port, or 0 for any free one")]
    Listen {
        /// Port asked for.
        port: u16,
        /// Reason of the operating system.
        source: std::io::Error,
    },
}

/// Requests allowed per real second (0 for any number), and the running second with its count.
struct Limit {
    most: u32,
    window: Mutex<(Instant, u32)>,
}

impl Limit {
    fn new(most: u32) -> Self {
        Self { most, window: Mutex::new((Instant::now(), 0)) }
    }

    /// Counts a request; false when it is one too many.
    fn pace(&self) -> bool {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        if window.0.elapsed() >= Duration::from_secs(1) {
            *window = (Instant::now(), 0);
        }
        window.1 += 1;
        self.most == 0 || window.1 <= self.most
    }
}

struct Shared {
    api: Mutex<Api>,
    clock: SimClock,
    limit: Limit,
    exchange: Exchange,
    /// Sockets of the exchange outlive the task that took them; this ends them.
    stop: CancellationToken,
}

impl Shared {
    fn api(&self) -> MutexGuard<'_, Api> {
        self.api.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_fault(&self, spec: FaultSpec) {
        let now = self.clock.now();
        match self.exchange.venue() {
            Some(venue) if spec.kind.is_exchange() => venue.set_fault(spec, now),
            _ => self.api().faults.set(spec, now),
        }
    }

    fn clear_faults(&self) {
        self.api().faults.clear();
        if let Some(venue) = self.exchange.made() {
            venue.clear_faults(self.clock.now());
        }
    }

    /// What is switched on or waiting.
    fn faults(&self) -> Value {
        let mut all: Vec<FaultSpec> = self.api().faults.specs().into_iter().cloned().collect();
        if let Some(venue) = self.exchange.venue() {
            all.extend(venue.state().faults.specs(self.clock.now()).into_iter().cloned());
        }
        json!(all)
    }
}

/// The exchange, which is made when somebody first asks for it.
struct Exchange {
    scenario: Option<(Scenario, Timestamp)>,
    venue: OnceLock<Option<Arc<Venue>>>,
    load: Arc<Load>,
    limit: Limit,
}

impl Exchange {
    fn new(scenario: Option<(Scenario, Timestamp)>) -> Self {
        let settings = scenario.as_ref().map_or_else(ExchangeSettings::default, |(s, _)| s.exchange.clone());
        Self {
            scenario,
            venue: OnceLock::new(),
            load: Arc::new(Load::new(settings.load_per_second)),
            limit: Limit::new(settings.requests_per_second),
        }
    }

    fn venue(&self) -> Option<Arc<Venue>> {
        let make = || self.scenario.as_ref().and_then(|(s, start)| Venue::new(s, *start)).map(Arc::new);
        self.venue.get_or_init(make).clone()
    }

    /// The exchange, if somebody has asked for it.
    fn made(&self) -> Option<&Arc<Venue>> {
        self.venue.get().and_then(Option::as_ref)
    }
}

/// Where the parts of the exchange are: each takes the place of one of the provider's hosts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExchangeUrls {
    /// Events and markets.
    pub gamma: String,
    /// Books, prices, history.
    pub clob: String,
    /// Trades.
    pub data: String,
    /// The market channel, with its path.
    pub channel: String,
}

/// Starts simulators.
pub struct SimServer;

impl SimServer {
    /// Starts one on loopback. It stops when the handle is dropped or told to.
    ///
    /// # Errors
    /// [`SimError::Listen`] when the port cannot be had.
    pub async fn start(config: SimConfig) -> Result<SimHandle, SimError> {
        let fail = |source| SimError::Listen { port: config.port, source };
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, config.port)).await.map_err(fail)?;
        let address = listener.local_addr().map_err(fail)?;
        let own_speed = match &config.content {
            SimContent::Scenario(s) => s.speed,
            SimContent::Recording { .. } => 1,
        };
        // Before the market is made, which takes its time: at a speed of 1 it is to be of this instant.
        let clock = match config.speed.unwrap_or(own_speed) {
            0 => SimClock::manual(config.start),
            speed => SimClock::running_since(config.start, speed, config.since.unwrap_or_else(Instant::now)),
        };
        // The provider writes its times in whole seconds; the clock runs on between them, as the exchange's stamps do.
        let begins = Timestamp::from_secs(config.start.secs());
        let (api, limit, scenario) = match config.content {
            SimContent::Scenario(s) => {
                let api = Api::of_scenario(&s, begins, config.api_key);
                (api, s.requests_per_second, Some((*s, begins)))
            }
            SimContent::Recording { frames, format, credits } => {
                (Api::of_recording(Playback::new(frames, format), credits, config.api_key), 30, None)
            }
        };
        let (limit, exchange) = (Limit::new(limit), Exchange::new(scenario));
        let shared = Arc::new(Shared { api: Mutex::new(api), clock, limit, exchange, stop: CancellationToken::new() });
        let router =
            Router::new().route(polymarket::CHANNEL, any(channel)).fallback(handle).with_state(Arc::clone(&shared));
        let task = tokio::spawn(async move {
            // An error here means that the socket is gone; clients see it as such.
            let _ = axum::serve(listener, router).await;
        });
        Ok(SimHandle { address, shared, task })
    }
}

/// A running simulator.
pub struct SimHandle {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: tokio::task::JoinHandle<()>,
}

impl SimHandle {
    /// `http://127.0.0.1:port`, without a slash at the end: takes the place of the provider's host.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its clock; moving it moves the market.
    pub fn clock(&self) -> SimClock {
        self.shared.clock.clone()
    }

    /// Where the parts of the exchange are.
    pub fn exchange_urls(&self) -> ExchangeUrls {
        let base = self.base_url();
        ExchangeUrls {
            gamma: format!("{base}/gamma"),
            clob: format!("{base}/clob"),
            data: format!("{base}/data"),
            channel: format!("ws://{}{}", self.address, polymarket::CHANNEL),
        }
    }

    /// The exchange itself; none where a recording is played or the scenario has none.
    pub fn venue(&self) -> Option<Arc<Venue>> {
        self.shared.exchange.venue()
    }

    /// Makes the exchange's sockets send so many messages a real second on top of the market's own, all together; for
    /// a while, or until it is changed.
    pub fn set_load(&self, per_second: u32, lasting: Option<Duration>) {
        self.shared.exchange.load.set(per_second, lasting);
    }

    /// Switches a fault on, `from_s` from now.
    pub fn set_fault(&self, spec: FaultSpec) {
        self.shared.set_fault(spec);
    }

    /// Switches all faults off.
    pub fn clear_faults(&self) {
        self.shared.clear_faults();
    }

    /// Counts so far.
    pub fn stats(&self) -> Stats {
        self.shared.api().stats
    }

    /// Stops listening.
    pub async fn shutdown(mut self) {
        self.task.abort();
        // Aborting is the expected end.
        let _ = (&mut self.task).await;
    }
}

impl Drop for SimHandle {
    fn drop(&mut self) {
        self.shared.stop.cancel();
        self.task.abort();
    }
}

async fn handle(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Some(own) = uri.path().strip_prefix("/sim/") {
        return control(&shared, &method, own.trim_end_matches('/'), &body);
    }
    let first = uri.path().split('/').find(|p| !p.is_empty());
    if first.is_some_and(|p| polymarket::PARTS.contains(&p)) {
        let named = headers.get(header::USER_AGENT).is_some_and(|v| !v.is_empty());
        return exchange(shared, method, uri, named, body).await;
    }
    if method != Method::GET {
        return plain(StatusCode::METHOD_NOT_ALLOWED, &json!({"message": "Use GET"}));
    }
    let zipped = headers
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .any(|v| v.split(',').any(|e| e.trim().split(';').next() == Some("gzip")));
    // Writing a large answer takes tens of milliseconds: not on the threads that serve sockets.
    let work = tokio::task::spawn_blocking(move || {
        let fast_enough = shared.limit.pace();
        let now = shared.clock.now();
        let mut api = shared.api();
        let answer =
            if fast_enough { api.get(now, uri.path(), uri.query().unwrap_or_default()) } else { api.too_fast(now) };
        drop(api);
        let (answer, zipped) = if zipped { zip(answer) } else { (answer, false) };
        (answer, zipped, now)
    });
    match work.await {
        Ok((answer, zipped, now)) => respond(answer, zipped, now),
        Err(_) => plain(StatusCode::INTERNAL_SERVER_ERROR, &json!({"message": "The simulator failed"})),
    }
}

/// The exchange's paths.
async fn exchange(shared: Arc<Shared>, method: Method, uri: Uri, named: bool, body: Bytes) -> Response {
    if method != Method::GET && method != Method::POST {
        return plain(StatusCode::METHOD_NOT_ALLOWED, &json!({"error": "method not allowed"}));
    }
    let work = tokio::task::spawn_blocking(move || {
        let now = shared.clock.now();
        let reply = match shared.exchange.venue() {
            None => Reply::not_found(),
            Some(_) if !named => Reply::nameless(),
            Some(_) if !shared.exchange.limit.pace() => Reply::too_fast(),
            Some(venue) => {
                let query = uri.query().unwrap_or_default();
                polymarket::answer(&venue, now, method == Method::POST, uri.path(), query, &body)
            }
        };
        (reply, now)
    });
    let Ok((reply, now)) = work.await else {
        return plain(StatusCode::INTERNAL_SERVER_ERROR, &json!({"error": "The simulator failed"}));
    };
    let Reply { status, html, headers, delivery, body } = reply;
    let answer = Answer { status, html, quota: None, delivery, body: body.into_bytes() };
    let mut response = respond(answer, false, now);
    for (name, value) in headers {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// The market channel.
async fn channel(
    State(shared): State<Arc<Shared>>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(refused) => return refused.into_response(),
    };
    let (clock, load) = (shared.clock.clone(), Arc::clone(&shared.exchange.load));
    let Some(venue) = shared.exchange.venue() else { return StatusCode::NOT_FOUND.into_response() };
    // Of the faults of requests, all but one of the body refuse a socket.
    match venue.state().faults.request(clock.now(), "ws") {
        None | Some(FaultKind::ExchangeSlow | FaultKind::ExchangeTruncated | FaultKind::ExchangeCut) => {}
        Some(FaultKind::ExchangeRateLimited) => return StatusCode::TOO_MANY_REQUESTS.into_response(),
        Some(_) => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
    let stop = shared.stop.clone();
    upgrade.on_upgrade(move |socket| polymarket::serve(socket, venue, clock, load, stop))
}

/// Compresses a body; one that cannot be compressed goes as it is.
fn zip(mut answer: Answer) -> (Answer, bool) {
    let mut encoder = GzEncoder::new(Vec::with_capacity(answer.body.len() / 8 + 64), Compression::fast());
    match encoder.write_all(&answer.body).and_then(|()| encoder.finish()) {
        Ok(bytes) => {
            answer.body = bytes;
            (answer, true)
        }
        Err(_) => (answer, false),
    }
}

fn respond(answer: Answer, zipped: bool, now: Timestamp) -> Response {
    let body = match answer.delivery {
        Delivery::Plain => Body::from(answer.body),
        Delivery::Slow => Body::from_stream(ReaderStream::new(BadBody::slow(answer.body, SLOW))),
        Delivery::Cut => Body::from_stream(ReaderStream::new(BadBody::cut(answer.body))),
    };
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    let kind = if answer.html { "text/html; charset=utf-8" } else { "application/json; charset=utf-8" };
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    // The provider's clock is the virtual one: a client that plays a recorded day may take its time from here.
    let date = httpdate::fmt_http_date(std::time::SystemTime::from(now.to_chrono()));
    if let Ok(date) = HeaderValue::from_str(&date) {
        headers.insert(header::DATE, date);
    }
    if zipped {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    if let Some(quota) = answer.quota {
        headers.insert("x-requests-remaining", HeaderValue::from(quota.remaining));
        headers.insert("x-requests-used", HeaderValue::from(quota.used));
        headers.insert("x-requests-last", HeaderValue::from(quota.last));
    }
    response
}

fn plain(status: StatusCode, value: &Value) -> Response {
    let mut response = Response::new(Body::from(value.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// The simulator's own paths.
fn control(shared: &Shared, method: &Method, path: &str, body: &[u8]) -> Response {
    let bad = |why: String| plain(StatusCode::UNPROCESSABLE_ENTITY, &json!({"message": why}));
    match (method, path) {
        (&Method::GET, "state") => {
            let stats = shared.api().stats;
            let clock = &shared.clock;
            let exchange = shared.exchange.made().map(|v| v.stats());
            let state = json!({"now": clock.now(), "speed": clock.speed(), "stats": stats, "exchange": exchange});
            plain(StatusCode::OK, &state)
        }
        (&Method::GET, "faults") => plain(StatusCode::OK, &shared.faults()),
        (&Method::DELETE, "faults") => {
            shared.clear_faults();
            plain(StatusCode::OK, &json!([]))
        }
        (&Method::POST, "faults") => {
            let many = serde_json::from_slice::<Vec<FaultSpec>>(body);
            let specs = match many.or_else(|_| serde_json::from_slice::<FaultSpec>(body).map(|s| vec![s])) {
                Ok(specs) => specs,
                Err(e) => return bad(format!("a fault or a list of faults is expected: {e}")),
            };
            if let Some(why) = specs.iter().find_map(|s| s.check().err()) {
                return bad(why);
            }
            for spec in specs {
                shared.set_fault(spec);
            }
            plain(StatusCode::OK, &shared.faults())
        }
        (&Method::POST, "load") => {
            let Ok(value) = serde_json::from_slice::<Value>(body) else { return bad("JSON is expected".into()) };
            let rate = value.get("per_second").and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok());
            let Some(rate) = rate.filter(|r| *r <= 100_000) else {
                return bad("per_second is expected, a whole number up to 100000".into());
            };
            let lasting = value.get("for_s").and_then(Value::as_f64).and_then(|s| Duration::try_from_secs_f64(s).ok());
            shared.exchange.load.set(rate, lasting);
            plain(StatusCode::OK, &json!({"per_second": rate}))
        }
        (&Method::POST, "clock") => {
            let Ok(value) = serde_json::from_slice::<Value>(body) else { return bad("JSON is expected".into()) };
            let advance = value.get("advance_s").and_then(Value::as_i64);
            let speed = value.get("speed").and_then(Value::as_u64).and_then(|s| u32::try_from(s).ok());
            if advance.is_none() && speed.is_none() {
                return bad("advance_s or speed is expected, as a whole number".into());
            }
            if let Some(seconds) = advance {
                shared.clock.advance(seconds.saturating_mul(1000));
            }
            if let Some(speed) = speed {
                shared.clock.set_speed(speed);
            }
            plain(StatusCode::OK, &json!({"now": shared.clock.now(), "speed": shared.clock.speed()}))
        }
        _ => plain(StatusCode::NOT_FOUND, &json!({"message": "state, faults, clock or load"})),
    }
}
