//! One session: pipeline, polling and local socket as a unit that is started, watched and stopped together.
//!
//! The board and the daemon both own one. The polling is supervised and may be without a key; the socket is a
//! courtesy, and a session without it goes on; only the pipeline's end is the end of the session.

use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{broadcast, watch};
use tokio_util::sync::CancellationToken;

use super::attach::server::{Server, ServerConfig};
use super::feeder::{Aborting, Feeder};
use super::follow::FollowConfig;
use super::keeper::Keeper;
use super::pipeline::{Pipeline, PipelineConfig, PipelineError, Tally, WayIn};
use super::published::Published;
use super::status::{Following, KeyState, LiveStatus, Part};
use crate::feeds::odds_api::client::{Client, ClientConfig, ClientError};
use crate::feeds::secret::{ApiKey, KeyError};

/// How to run a session.
#[derive(Debug)]
pub struct SessionConfig {
    /// How to judge and store.
    pub pipeline: PipelineConfig,
    /// What to follow.
    pub follow: FollowConfig,
    /// How to reach the source.
    pub client: ClientConfig,
    /// The key; without one nothing is asked until [`Session::set_key`].
    pub key: Option<SecretString>,
    /// Try the key with a free question before anything else is asked.
    pub check_key: bool,
    /// Listen on the local socket, so that boards of other processes can follow.
    pub attach: bool,
}

/// Why a session did not start or had to end, or a key was not taken.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The pipeline.
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
    /// The text cannot be a key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The source cannot be reached with these settings.
    #[error(transparent)]
    Client(#[from] ClientError),
}

/// A running session. Dropping it asks everything to stop without waiting; [`Session::stop`] waits.
#[derive(Debug)]
pub struct Session {
    /// Taken by `stop`.
    pipeline: Option<Pipeline>,
    way_in: WayIn,
    ended: CancellationToken,
    published: broadcast::Sender<Published>,
    keeper: Keeper,
    client: ClientConfig,
    clients: watch::Sender<Option<Client>>,
    feeding: Option<Aborting<Result<(), PipelineError>>>,
    socket: Option<Server>,
    stop: CancellationToken,
}

impl Session {
    /// Opens the store and begins to follow. Returns as soon as the store is open, which takes seconds at worst; call
    /// it inside a runtime of tokio.
    ///
    /// # Errors
    /// [`SessionError`] when the key or the address of the source cannot be used, or the store cannot be opened (it may
    /// be held by a daemon: see [`super::link::probe`]).
    pub async fn start(config: SessionConfig) -> Result<Self, SessionError> {
        let SessionConfig { pipeline, follow, client, key, check_key, attach } = config;
        let first = key.as_ref().map(|key| make_client(&client, key)).transpose()?;
        let (store, origin) = (pipeline.store.clone(), pipeline.origin.clone());
        let keeper = Keeper::new(origin.as_deref());
        // The key of a simulated market is no secret and may be part of ordinary words.
        for secret in pipeline.secret.iter() {
            if let Ok(key) = ApiKey::parse(secret.expose_secret()) {
                keeper.hide(key);
            }
        }
        if first.is_some() {
            keeper.key(KeyState::Untried);
            // Nobody shall read "no key" before the polling has had its first turn.
            keeper.following(if check_key { Following::Checking } else { Following::Running });
        }
        let pipeline = {
            let keeper = keeper.clone();
            tokio::task::spawn_blocking(move || Pipeline::start(pipeline, keeper))
                .await
                .map_err(|_| PipelineError::Panicked)??
        };
        let (way_in, ended, published) = (pipeline.way_in(), pipeline.ended(), pipeline.publisher());
        let socket = if attach {
            let server = ServerConfig { store, origin, published: published.clone(), status: keeper.subscribe() };
            match Server::start(server).await {
                Ok(server) => Some(server),
                Err(e) => {
                    tracing::warn!(error = %e, "no board can attach to this process");
                    keeper.complain(Part::Attach, &e.to_string());
                    None
                }
            }
        } else {
            None
        };
        let stop = CancellationToken::new();
        let (clients, newest) = watch::channel(first);
        let feeder = Feeder { way_in: way_in.clone(), follow: Arc::new(follow), keeper: keeper.clone(), check_key };
        let feeding = Some(Aborting(tokio::spawn(feeder.run(newest, stop.clone()))));
        let pipeline = Some(pipeline);
        Ok(Self { pipeline, way_in, ended, published, keeper, client, clients, feeding, socket, stop })
    }

    /// Announcements from now on.
    pub fn published(&self) -> broadcast::Receiver<Published> {
        self.published.subscribe()
    }

    /// The status, and word of every change.
    pub fn status(&self) -> watch::Receiver<LiveStatus> {
        self.keeper.subscribe()
    }

    /// Cancelled once the pipeline has ended by itself; [`Session::stop`] then tells why.
    pub fn ended(&self) -> CancellationToken {
        self.ended.clone()
    }

    /// Follows with this key from now on: everything is due at once.
    ///
    /// # Errors
    /// [`SessionError`] when it cannot be a key, or the pipeline has ended.
    pub async fn set_key(&self, key: SecretString) -> Result<(), SessionError> {
        let client = make_client(&self.client, &key)?;
        self.keeper.hide(ApiKey::parse(key.expose_secret())?);
        self.way_in.hide(key).await?;
        self.keeper.key(KeyState::Untried);
        self.clients.send_replace(Some(client));
        Ok(())
    }

    /// Waits until the key has been tried. Without a key, or with a source that cannot be had, there is nothing more to
    /// learn and this returns.
    ///
    /// # Errors
    /// What the source says when it refuses the key.
    pub async fn key_checked(&self) -> Result<(), String> {
        let mut status = self.keeper.subscribe();
        let known = status.wait_for(|s| s.following != Following::Checking).await;
        match known.map(|s| s.key.clone()) {
            Ok(KeyState::Refused { message }) => Err(message),
            _ => Ok(()),
        }
    }

    /// Stops asking, judges what has arrived, says goodbye to attached boards, and closes the store.
    ///
    /// # Errors
    /// What ended the pipeline early, if anything did.
    pub async fn stop(mut self) -> Result<Tally, PipelineError> {
        self.stop.cancel();
        let fed = match self.feeding.take() {
            // A feeder that panicked has nothing to hand over; it is not the pipeline's fault.
            Some(mut feeding) => (&mut feeding.0).await.unwrap_or(Ok(())),
            None => Ok(()),
        };
        // Before the store is free: whoever owns it next wants the place of the socket.
        if let Some(socket) = self.socket.take() {
            let why = self.ended.is_cancelled().then(|| {
                let complaint = self.keeper.subscribe().borrow().complaint.clone();
                complaint.map_or_else(|| "it failed; see its log".to_owned(), |c| c.message)
            });
            socket.stop(why).await;
        }
        let Some(pipeline) = self.pipeline.take() else { return Err(PipelineError::Panicked) };
        let tally =
            tokio::task::spawn_blocking(move || pipeline.stop()).await.map_err(|_| PipelineError::Panicked)??;
        fed?;
        Ok(tally)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.stop.cancel();
        if self.pipeline.is_some() {
            self.way_in.ask_to_stop();
        }
    }
}

fn make_client(config: &ClientConfig, key: &SecretString) -> Result<Client, SessionError> {
    let key = ApiKey::parse(key.expose_secret())?;
    Ok(Client::new(config.clone(), key)?)
}
