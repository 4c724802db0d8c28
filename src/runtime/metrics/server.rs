//! The port for machines that watch: `/metrics`, `/health/live`, `/health/ready`.
//!
//! Off unless the settings name an address. It tells nothing secret, and takes nothing but these three questions.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::json;
use tokio::net::TcpListener;

use super::page::{Around, page};
use crate::runtime::feeder::Aborting;
use crate::runtime::health;
use crate::runtime::keeper::{Keeper, local_now};
use crate::runtime::watchdog::Alive;

/// The content type of the text form of Prometheus.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A listening port. Dropping it closes it.
#[derive(Debug)]
pub struct MetricsServer {
    address: SocketAddr,
    _task: Aborting<()>,
}

struct Shared {
    store: PathBuf,
    keeper: Keeper,
    alive: Alive,
}

impl MetricsServer {
    /// Listens at `address`.
    ///
    /// # Errors
    /// When the operating system does not give us the port.
    pub async fn start(address: SocketAddr, store: PathBuf, keeper: Keeper, alive: Alive) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let router = Router::new()
            .route("/metrics", get(metrics))
            .route("/health/live", get(live))
            .route("/health/ready", get(ready))
            .with_state(Arc::new(Shared { store, keeper, alive }));
        let task = tokio::spawn(async move {
            // An error here means that the socket is gone; whoever asks sees it as such.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { address, _task: Aborting(task) })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

async fn metrics(State(shared): State<Arc<Shared>>) -> Response {
    let now = local_now();
    let status = shared.keeper.subscribe().borrow().clone();
    let around = Around {
        store_bytes: bytes(&shared.store),
        ready: health::is_ready(&status, now),
        alive: shared.alive.check(),
        memory: crate::runtime::memory::resident(),
    };
    let text = page(&status, &shared.keeper.meters().counts(), &around, now);
    ([(header::CONTENT_TYPE, TEXT)], text).into_response()
}

/// Whether the loops of the process itself go round: not whether the market can be had.
async fn live(State(shared): State<Arc<Shared>>) -> Response {
    let stuck = shared.alive.stuck();
    answer(stuck.is_empty(), &json!({"live": stuck.is_empty(), "stuck": stuck}))
}

/// Whether looks come in as planned and can be stored, and if not, why.
async fn ready(State(shared): State<Arc<Shared>>) -> Response {
    let status = shared.keeper.subscribe().borrow().clone();
    let ailments = health::ailments(&status, local_now());
    let ready = !ailments.iter().any(|a| a.blocks);
    answer(ready, &json!({"ready": ready, "reasons": ailments}))
}

fn answer(well: bool, body: &serde_json::Value) -> Response {
    let code = if well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (code, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

fn bytes(store: &Path) -> Option<u64> {
    let wal = std::fs::metadata(store.with_extension("db-wal")).map_or(0, |m| m.len());
    std::fs::metadata(store).ok().map(|m| m.len() + wal)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::text::check;
    use super::*;
    use crate::runtime::status::{Following, KeyState, StoreState};
    use crate::runtime::watchdog::{Limits, Role, Watchdog};
    use crate::store::Trouble;

    async fn ask(server: &MetricsServer, path: &str) -> (u16, String, String) {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().expect("client");
        let response = client.get(format!("http://{}{path}", server.address())).send().await.expect("answer");
        let kind = response.headers().get(header::CONTENT_TYPE).map_or("", |v| v.to_str().expect("text")).to_owned();
        (response.status().as_u16(), kind, response.text().await.expect("body"))
    }

    #[tokio::test]
    async fn it_tells_the_truth_in_every_state() {
        let home = tempfile::tempdir().expect("folder");
        let keeper = Keeper::new(Some("DEMO"));
        let dog = Watchdog::start(Limits::usual(Duration::from_secs(1)), keeper.clone(), None).expect("thread");
        let address = "127.0.0.1:0".parse().expect("address");
        let store = home.path().join("stratum.db");
        let server = MetricsServer::start(address, store, keeper.clone(), dog.alive()).await.expect("listens");
        let (code, _, body) = ask(&server, "/health/ready").await;
        assert_eq!(code, 503);
        assert!(body.contains("there is no key"), "{body}");
        keeper.key(KeyState::Accepted);
        keeper.following(Following::Running);
        let (code, kind, body) = ask(&server, "/health/ready").await;
        assert_eq!((code, kind.as_str()), (200, "application/json"), "{body}");
        let now = local_now();
        keeper.change(|s| {
            let (since, trouble, tries, next_try, waiting) = (now, Trouble::Full, 0, now, 1);
            s.store = StoreState::Failing { since, trouble, message: "no space".into(), tries, next_try, waiting };
        });
        let (code, _, body) = ask(&server, "/health/ready").await;
        let body: serde_json::Value = serde_json::from_str(&body).expect("JSON");
        assert_eq!((code, &body["ready"], &body["reasons"][0]["part"]), (503, &json!(false), &json!("store")));
        // Trouble outside is no reason to start the process again.
        assert_eq!(ask(&server, "/health/live").await.0, 200);
        let (code, kind, text) = ask(&server, "/metrics").await;
        assert_eq!((code, kind.as_str()), (200, TEXT));
        let samples = check(&text);
        assert_eq!((samples["stratum_alive"], samples["stratum_ready"]), (1.0, 0.0));

        let silent = dog.watch(Role::Judge, Duration::from_millis(200));
        let mut status = keeper.subscribe();
        tokio::time::timeout(Duration::from_secs(20), status.wait_for(|s| !s.stuck.is_empty()))
            .await
            .expect("in time")
            .expect("open");
        let (code, _, body) = ask(&server, "/health/live").await;
        assert_eq!((code, body.contains("judge")), (503, true), "{body}");
        drop(silent);
        assert_eq!(ask(&server, "/health/live/").await.0, 404);
    }

    #[tokio::test]
    async fn a_port_that_is_taken_is_an_error() {
        let keeper = Keeper::new(None);
        let dog = Watchdog::start(Limits::usual(Duration::from_secs(1)), keeper.clone(), None).expect("thread");
        let any = "127.0.0.1:0".parse().expect("address");
        let first = MetricsServer::start(any, PathBuf::new(), keeper.clone(), dog.alive()).await.expect("listens");
        let again = MetricsServer::start(first.address(), PathBuf::new(), keeper, dog.alive()).await;
        assert!(again.is_err());
    }
}
