//! A real HTTP server on this machine that answers as it is told and remembers what it got; and a message.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;

use crate::alerts::message::{Kind, Message, Severity};
use crate::market::time::Timestamp;

/// An ordinary message.
pub(crate) fn message(key: &str) -> Message {
    Message {
        key: key.into(),
        kind: Kind::Signal,
        severity: Severity::Info,
        origin: None,
        at: Timestamp::from_secs(1_800_000_000),
        title: "STEAM Boston Celtics -3.5".into(),
        text: "6 of 9 books moved".into(),
        facts: Vec::new(),
        rule: None,
        data: None,
    }
}

/// One answer.
pub(crate) struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
    stall: Duration,
}

impl Answer {
    pub(crate) fn new(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: String::new(), stall: Duration::ZERO }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub(crate) fn body(mut self, body: &str) -> Self {
        self.body = body.into();
        self
    }

    pub(crate) fn stall(mut self, stall: Duration) -> Self {
        self.stall = stall;
        self
    }
}

/// What the server got.
#[derive(Clone)]
pub(crate) struct Got {
    pub(crate) path: String,
    pub(crate) body: Vec<u8>,
    headers: HeaderMap,
}

impl Got {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).expect(name).to_str().expect("text")
    }
}

struct Shared {
    answers: Mutex<VecDeque<Answer>>,
    got: Mutex<Vec<Got>>,
}

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    task: tokio::task::JoinHandle<()>,
}

impl Server {
    /// Answers in this order; once there are none left, with 599.
    pub(crate) async fn start(answers: Vec<Answer>) -> Self {
        let shared = Arc::new(Shared { answers: Mutex::new(answers.into()), got: Mutex::default() });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        let router = Router::new().fallback(serve).with_state(Arc::clone(&shared));
        let task = tokio::spawn(async move { drop(axum::serve(listener, router).await) });
        Self { address, shared, task }
    }

    pub(crate) fn all(&self) -> Vec<Got> {
        self.shared.got.lock().expect("got").clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.all().len()
    }

    pub(crate) fn one(&self) -> Got {
        let mut all = self.all();
        assert_eq!(all.len(), 1);
        all.remove(0)
    }

    /// Comes back when the port is free.
    pub(crate) async fn stop(self) {
        self.task.abort();
        let _ = self.task.await;
    }
}

async fn serve(State(shared): State<Arc<Shared>>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response<String> {
    shared.got.lock().expect("got").push(Got { path: uri.to_string(), body: body.to_vec(), headers });
    let answer = shared.answers.lock().expect("answers").pop_front().unwrap_or_else(|| Answer::new(599));
    tokio::time::sleep(answer.stall).await;
    let mut response = Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    response.body(answer.body).expect("an answer")
}
