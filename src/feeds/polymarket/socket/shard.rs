//! One socket: connect, subscribe, listen, notice when it has gone quiet, and begin again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use tokio_util::sync::CancellationToken;

use super::told::GapWhy;
use super::{Shared, SocketConfig};
use crate::feeds::polymarket::client::{USER_AGENT, now, random};
use crate::feeds::polymarket::ids::{TokenId, short};
use crate::feeds::polymarket::wire::channel;

/// What the owner of a socket tells it.
pub(super) enum Command {
    /// Follow these too.
    Add(Vec<TokenId>),
    /// No longer follow these.
    Remove(Vec<TokenId>),
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Why a connection ended.
enum End {
    /// We want it so.
    Stopped,
    /// It has to be opened anew.
    Again(GapWhy, String),
}

/// A connection that held so long was a good one: the next pause is short again.
const GOOD: Duration = Duration::from_secs(20);

pub(super) async fn run(
    number: u32,
    config: Arc<SocketConfig>,
    state: Shared,
    mut tokens: Vec<TokenId>,
    mut inbox: mpsc::UnboundedReceiver<Command>,
    stop: CancellationToken,
) {
    let mut failures: u32 = 0;
    loop {
        let began = Instant::now();
        let end = tokio::select! {
            () = stop.cancelled() => End::Stopped,
            end = connection(number, &config, &state, &mut tokens, &mut inbox) => end,
        };
        let End::Again(why, error) = end else { return };
        tracing::info!(shard = number, why = why.name(), error, "polymarket socket opens anew");
        state.lock().lost(number, &tokens, why, now(), error);
        failures = if began.elapsed() >= GOOD { 0 } else { failures.saturating_add(1) };
        // The first time at once: most connections are lost singly.
        let full = config.backoff.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(config.backoff_cap);
        let pause = if failures == 0 { Duration::ZERO } else { full.mul_f64(0.5 + random() / 2.0) };
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Takes commands while there is no connection: the first subscription covers them.
fn obey(tokens: &mut Vec<TokenId>, command: &Command) {
    match command {
        Command::Add(more) => tokens.extend(more.iter().cloned()),
        Command::Remove(gone) => tokens.retain(|t| !gone.contains(t)),
    }
}

async fn connection(
    number: u32,
    config: &SocketConfig,
    state: &Shared,
    tokens: &mut Vec<TokenId>,
    inbox: &mut mpsc::UnboundedReceiver<Command>,
) -> End {
    let again = |why, error: String| End::Again(why, error);
    let mut socket = match connect(config).await {
        Ok(socket) => socket,
        Err(error) => return again(GapWhy::Lost, error),
    };
    while let Ok(command) = inbox.try_recv() {
        obey(tokens, &command);
    }
    // The initial form, at once: an idle socket may be closed, and the form for later gives no books.
    if let Err(error) = send(&mut socket, first(tokens), config).await {
        return again(GapWhy::Lost, error);
    }
    let connected = Instant::now();
    {
        let mut state = state.lock();
        let health = state.shard(number);
        health.connected_since = Some(now());
    }
    let mut ping = tokio::time::interval_at(tokio::time::Instant::now() + config.ping_every, config.ping_every);
    ping.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let look_every = (config.watchdog / 8).clamp(Duration::from_millis(20), Duration::from_secs(1));
    let mut look = tokio::time::interval(look_every);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let (mut last_data, mut last_word, mut last_idle) = (connected, connected, connected);
    loop {
        tokio::select! {
            frame = socket.next() => {
                let bytes = match &frame {
                    Some(Ok(Message::Text(text))) => text.as_bytes(),
                    Some(Ok(Message::Binary(bytes))) => bytes.as_ref(),
                    // The library answers pings by itself.
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {
                        last_word = Instant::now();
                        continue;
                    }
                    Some(Ok(Message::Close(why))) => {
                        let why = why.as_ref().map_or_else(String::new, |w| format!(": {}", short(w.reason.as_str())));
                        return again(GapWhy::Lost, format!("the server closed the socket{why}"));
                    }
                    Some(Ok(Message::Frame(_))) => continue,
                    Some(Err(error)) => return again(GapWhy::Lost, told(error)),
                    None => return again(GapWhy::Lost, "the socket ended".to_owned()),
                };
                // Read before the lock is taken.
                let frame = channel::read(bytes);
                last_word = Instant::now();
                if frame.is_data() {
                    last_data = last_word;
                }
                let asks = frame.text == Some(channel::TextFrame::Ping);
                {
                    let (mut state, received) = (state.lock(), now());
                    state.hand_on(number, bytes, received);
                    state.apply(number, frame, received);
                    state.applied(now());
                }
                if asks && let Err(error) = send(&mut socket, "PONG".to_owned(), config).await {
                    return again(GapWhy::Lost, error);
                }
            }
            command = inbox.recv() => {
                let Some(command) = command else { return End::Stopped };
                obey(tokens, &command);
                if let Err(error) = send(&mut socket, later(&command), config).await {
                    return again(GapWhy::Lost, error);
                }
                if matches!(command, Command::Add(_)) {
                    last_data = Instant::now();
                }
            }
            _ = ping.tick() => {
                if let Err(error) = send(&mut socket, "PING".to_owned(), config).await {
                    return again(GapWhy::Lost, error);
                }
            }
            _ = look.tick() => {
                if last_word.elapsed() > config.ping_every * 4 && last_word.elapsed() > config.watchdog / 2 {
                    return again(GapWhy::NoPong, "no frame of any kind came, not even an answer to PING".to_owned());
                }
                if state.lock().is_frozen(number) {
                    return again(GapWhy::Frozen, "a change that the exchange tells when asked did not come".to_owned());
                }
                // Silence counts from the moment on from which there should be data.
                if !state.lock().any_live(tokens.iter()) {
                    last_idle = Instant::now();
                }
                if last_data.max(last_idle).elapsed() >= config.watchdog {
                    let seconds = config.watchdog.as_secs_f64();
                    return again(GapWhy::Frozen, format!("no data for {seconds} s while games are played"));
                }
            }
        }
    }
}

async fn connect(config: &SocketConfig) -> Result<Socket, String> {
    let mut request = config.url.trim().into_client_request().map_err(told)?;
    request.headers_mut().insert("User-Agent", HeaderValue::from_static(USER_AGENT));
    let limits =
        WebSocketConfig::default().max_message_size(Some(config.max_frame)).max_frame_size(Some(config.max_frame));
    let connecting = tokio_tungstenite::connect_async_with_config(request, Some(limits), true);
    match tokio::time::timeout(config.connect_timeout, connecting).await {
        Ok(Ok((socket, _))) => Ok(socket),
        Ok(Err(error)) => Err(told(error)),
        Err(_) => Err("no connection in time".to_owned()),
    }
}

/// An error in a few words. Never the URL.
fn told(error: impl std::borrow::Borrow<tungstenite::Error>) -> String {
    match error.borrow() {
        tungstenite::Error::Http(answer) => format!("the server answered with status {}", answer.status().as_u16()),
        tungstenite::Error::Url(_) => "the address cannot be used".to_owned(),
        other => other.to_string().chars().filter(|c| !c.is_control()).take(200).collect(),
    }
}

async fn send(socket: &mut Socket, text: String, config: &SocketConfig) -> Result<(), String> {
    match tokio::time::timeout(config.connect_timeout, socket.send(Message::text(text))).await {
        Ok(sent) => sent.map_err(told),
        Err(_) => Err("nothing could be sent in time".to_owned()),
    }
}

fn list(tokens: &[TokenId]) -> Vec<&str> {
    tokens.iter().map(TokenId::as_str).collect()
}

/// The form that opens a subscription.
fn first(tokens: &[TokenId]) -> String {
    serde_json::json!({
        "assets_ids": list(tokens),
        "type": "market",
        "initial_dump": true,
        "level": 2,
        "custom_feature_enabled": true,
    })
    .to_string()
}

/// The form that changes one.
fn later(command: &Command) -> String {
    match command {
        Command::Add(tokens) => serde_json::json!({
            "assets_ids": list(tokens),
            "operation": "subscribe",
            "custom_feature_enabled": true,
        }),
        Command::Remove(tokens) => serde_json::json!({ "assets_ids": list(tokens), "operation": "unsubscribe" }),
    }
    .to_string()
}
