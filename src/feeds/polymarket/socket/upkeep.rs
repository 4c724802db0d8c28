//! What REST does for the sockets: books that do not come, books in doubt, and a look now and then.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::{Shared, SocketConfig};
use crate::feeds::polymarket::client::{Client, MAX_BOOKS, now};
use crate::feeds::polymarket::ids::TokenId;
use crate::feeds::polymarket::wire::channel::BookMessage;
use crate::market::time::Timestamp;

/// Time for a change that REST knows already to reach us over the socket.
const GRACE: Duration = Duration::from_secs(1);

pub(super) async fn run(config: Arc<SocketConfig>, state: Shared, client: Client, stop: CancellationToken) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = keep(&config, &state, &client) => {}
    }
}

async fn keep(config: &SocketConfig, state: &Shared, client: &Client) {
    let every = (config.seed_wait.min(config.doubt_wait) / 2).clamp(Duration::from_millis(20), Duration::from_secs(1));
    let mut checked = Instant::now();
    loop {
        tokio::time::sleep(every).await;
        let unwell = state.lock().unwell(config.seed_wait, config.doubt_wait, MAX_BOOKS);
        if !unwell.is_empty() {
            for (book, received) in books(state, client, &unwell).await {
                state.lock().seed_from_rest(&book, received);
            }
        }
        if !config.cross_check_every.is_zero() && checked.elapsed() >= config.cross_check_every {
            checked = Instant::now();
            let sample = state.lock().sample(config.cross_check_sample);
            compare(config, state, client, &sample).await;
        }
        if !config.confirm_after.is_zero() {
            let silent = state.lock().silent(config.confirm_after, now(), MAX_BOOKS);
            compare(config, state, client, &silent).await;
        }
    }
}

/// The books of REST. One unreadable or failed answer is no answer.
async fn books(state: &Shared, client: &Client, tokens: &[TokenId]) -> Vec<(BookMessage<'static>, Timestamp)> {
    match client.books(tokens).await {
        Ok((read, received)) => {
            let sound = read.items.into_iter().filter(|b| !b.incomplete);
            sound.map(|b| (b, received)).collect()
        }
        Err(error) => {
            state.lock().counts.rest_failures += 1;
            tracing::debug!(error = error.name(), tokens = tokens.len(), "polymarket books over REST");
            Vec::new()
        }
    }
}

/// Compares our books with those of REST. One that REST shows alike is as fresh as the answer, whatever its socket said.
async fn compare(config: &SocketConfig, state: &Shared, client: &Client, tokens: &[TokenId]) {
    if tokens.is_empty() {
        return;
    }
    let asked = now();
    let answers = books(state, client, tokens).await;
    let mut late: Vec<(BookMessage<'static>, Timestamp)> = Vec::new();
    for (book, received) in answers {
        let mut state = state.lock();
        state.counts.checked += 1;
        match state.differs(&book, false) {
            Some(true) => state.overrule(&book, received),
            Some(false) => state.confirm(&book.token, received),
            None => late.push((book, received)),
        }
    }
    if late.is_empty() {
        return;
    }
    // REST may know what is on its way to us.
    tokio::time::sleep(GRACE.min(config.seed_wait)).await;
    for (book, received) in late {
        let mut state = state.lock();
        if state.differs(&book, true) == Some(true) {
            state.suspect(&book.token, asked);
            state.overrule(&book, received);
        }
    }
}
