//! What an exchange tells, shared through the hub behind the looks: one batch at a time, so that looks never wait for more than
//! that. What goes wrong with it alone is told of once and tried again later; the looks go on.

use std::time::{Duration, Instant};

use super::lease::Leases;
use super::{following, sync::Syncing, telling};
use crate::hub::connect::{Connection, Tier};
use crate::hub::error::HubError;
use crate::hub::exchange::{self, ExchangeStep, ExchangeTeller};
use crate::hub::lease::{Lease, POLYMARKET};
use crate::hub::push::PushError;
use crate::store::Reader;
use crate::store::hub::Incoming;
use crate::store::hub::exchange::ExchangeStretch;

/// After something went wrong it is tried again after so long.
const PAUSE: Duration = Duration::from_secs(60);
/// Batches of our own are passed over without a word in the store, up to so many.
const MOST_OWN: i64 = 1_000;

const OLDER: &str = "the hub's schema is older than this program; its owner runs `stratum hub init`";

/// What goes wrong, and when it is tried again.
#[derive(Debug, Default)]
struct Patience {
    until: Option<Instant>,
    said: Option<String>,
}

impl Patience {
    fn waits(&self) -> bool {
        self.until.is_some_and(|until| Instant::now() < until)
    }

    /// The connection is what is wrong: whoever owns it makes a new one.
    fn is_connection(e: &HubError) -> bool {
        e.is_transient()
    }

    /// Why, for a person. A hub that was made by an older program has neither the tables nor the function.
    fn words(e: &HubError) -> String {
        match e {
            HubError::NotAHub => OLDER.to_owned(),
            HubError::Broken { what } if what.contains("[42883]") => OLDER.to_owned(),
            other => other.to_string(),
        }
    }

    fn failed(&mut self, syncing: &Syncing, why: &str) {
        self.until = Some(Instant::now() + PAUSE);
        let why = syncing.keeper.clean(why);
        if self.said.as_ref() != Some(&why) {
            tracing::warn!(error = %why, "what the exchange tells is not shared through the hub; it is tried again");
            self.said = Some(why);
        }
    }
}

/// Tells what an exchange told, as long as this device is the one that listens.
#[derive(Debug)]
pub(super) struct Telling {
    device: i32,
    teller: Option<ExchangeTeller>,
    patience: Patience,
}

impl Telling {
    pub(super) fn new(device: i32) -> Self {
        Self { device, teller: None, patience: Patience::default() }
    }

    /// This device is the one that listens, and what it hears is told.
    pub(super) const fn is_on(&self) -> bool {
        self.teller.is_some()
    }

    /// Tells one batch; answers whether there is more. The last time nothing is put off.
    pub(super) async fn step(
        &mut self,
        syncing: &Syncing,
        hub: &mut Connection,
        leases: &Leases,
        last: bool,
    ) -> Result<bool, telling::Stopped> {
        let Lease::Held { token } = leases.lease(POLYMARKET) else {
            // Whoever listens meanwhile tells; what came from there is known by the time of the next turn.
            self.teller = None;
            return Ok(false);
        };
        if self.patience.waits() {
            return Ok(false);
        }
        let mut teller = match self.teller.take() {
            Some(teller) => teller,
            None => ExchangeTeller::new(Reader::open(&syncing.store)?, self.device)?,
        };
        match teller.step(hub, token, last).await {
            Ok(ExchangeStep::Nothing) => {
                self.teller = Some(teller);
                Ok(false)
            }
            Ok(ExchangeStep::Told { told, more, .. }) => {
                let noted = syncing.way_in.hub_told(*told).await?;
                noted.map_err(|e| telling::Stopped::NotNoted(e.to_string()))?;
                (self.teller, self.patience.said) = (Some(teller), None);
                Ok(more)
            }
            // The lease has changed hands: the next look at it says so too.
            Err(PushError::Hub(HubError::Fenced { .. })) => Ok(false),
            Err(PushError::Hub(e)) if Patience::is_connection(&e) => Err(e.into()),
            Err(PushError::Hub(e)) => {
                self.patience.failed(syncing, &Patience::words(&e));
                Ok(false)
            }
            Err(PushError::Store(e)) => {
                self.patience.failed(syncing, &e.to_string());
                Ok(false)
            }
        }
    }
}

/// Takes in what another device told of an exchange.
#[derive(Debug)]
pub(super) struct Following {
    device: i32,
    reader: Reader,
    /// The batch up to which everything is here, and the one that is noted.
    after: i64,
    noted: i64,
    patience: Patience,
}

impl Following {
    /// `None` for a login that sees nothing of it.
    pub(super) fn new(syncing: &Syncing, tier: Tier, device: i32) -> Result<Option<Self>, following::Stopped> {
        if tier == Tier::Free {
            return Ok(None);
        }
        let reader = Reader::open(&syncing.store)?;
        let after = reader.hub_exchange_pulled()?;
        Ok(Some(Self { device, reader, after, noted: after, patience: Patience::default() }))
    }

    /// Takes in one stretch; answers whether there was one.
    pub(super) async fn step(&mut self, syncing: &Syncing, hub: &mut Connection) -> Result<bool, following::Stopped> {
        if self.patience.waits() {
            return Ok(false);
        }
        let news = match exchange::next(hub, self.device, self.after).await {
            Ok(news) => news,
            Err(e) if Patience::is_connection(&e) => return Err(e.into()),
            Err(e) => {
                self.patience.failed(syncing, &Patience::words(&e));
                return Ok(false);
            }
        };
        let empty = |until| Incoming {
            exchange: Some(ExchangeStretch { until, device: self.device, rows: Vec::new() }),
            ..Incoming::default()
        };
        let (until, incoming) = match news {
            Some(news) => (news.until, news.incoming),
            // Games may have come that links wait for.
            None if self.reader.hub_exchange_ready()? => (self.after, Some(empty(self.after))),
            None => return Ok(false),
        };
        let incoming = incoming.or_else(|| (until - self.noted > MOST_OWN).then(|| empty(until)));
        if let Some(incoming) = incoming {
            if let Err(e) = syncing.way_in.hub_apply(incoming).await? {
                self.patience.failed(syncing, &e.to_string());
                return Ok(false);
            }
            self.noted = until;
            syncing.note(|s| s.exchange += 1);
        }
        (self.after, self.patience.said) = (until, None);
        Ok(true)
    }
}
