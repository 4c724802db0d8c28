//! What an exchange told, on its way through the judge: applied, committed and announced like any other look, and its order
//! books kept beside.

use std::time::Instant;

use super::Judge;
use crate::feeds::odds_api;
use crate::feeds::polymarket::SOURCE;
use crate::market::batch::Batch;
use crate::market::ids::EventId;
use crate::market::time::Timestamp;
use crate::runtime::exchange::{ExchangeNews, NewListings, NewPrices};
use crate::runtime::intake::Taken;
use crate::runtime::late;
use crate::runtime::pipeline::{NotKept, Numbers, PipelineError};
use crate::store::raw::body_hash;
use crate::store::{LookMeta, StoreError};

impl Judge {
    /// Judges and keeps. The inner error: it could not be kept; whoever told it tells it again.
    pub(super) fn exchange(&mut self, news: ExchangeNews) -> Result<Result<(), NotKept>, PipelineError> {
        // While the store cannot be written nothing is judged: the exchange tells everything anew afterwards.
        if self.mending.is_ill() {
            return Ok(Err(not_now()));
        }
        let kept = self.take_news(news);
        self.settle(kept)
    }

    /// Keeps listings.
    pub(super) fn listings(&mut self, news: &NewListings) -> Result<Result<Numbers, NotKept>, PipelineError> {
        if self.mending.is_ill() {
            return Ok(Err(not_now()));
        }
        let kept = self.store.keep_listings(SOURCE, &news.listings, news.at);
        self.settle(kept.map_err(Into::into))
    }

    /// Keeps middles of the past.
    pub(super) fn prices(&mut self, prices: &NewPrices) -> Result<Result<u64, NotKept>, PipelineError> {
        if self.mending.is_ill() {
            return Ok(Err(not_now()));
        }
        let kept = self.store.keep_prices(prices.market, prices.between, &prices.points, prices.at);
        self.settle(kept.map_err(Into::into))
    }

    /// Takes back what was told of a game, and judges the looks since then again.
    pub(super) fn disown(
        &mut self,
        sport: &str,
        event: EventId,
        since: Timestamp,
    ) -> Result<Result<u64, NotKept>, PipelineError> {
        if self.mending.is_ill() {
            return Ok(Err(not_now()));
        }
        let disowned = self.refresh().and_then(|()| {
            let pulse = &self.pulse;
            let whose = (odds_api::SOURCE, sport);
            Ok(late::disown(&mut self.engine, &mut self.store, whose, event, since, || pulse.beat())?)
        });
        let looks = self.settle(disowned)?;
        if let Ok(looks) = &looks {
            tracing::warn!(event = event.0, looks, "an undone link: the looks since it was made were judged again");
            // What was remembered of the looks that are no more.
            if let Some(teller) = &mut self.teller {
                teller.stand_by(&self.store, &self.engine)?;
            }
            let newest = self.engine.last_look();
            self.keeper.change(|s| s.look = s.look.max(newest));
        }
        Ok(looks)
    }

    /// A failure that waiting may mend is told to whoever handed it over, and so is one of this record alone; a damaged
    /// store ends the pipeline.
    fn settle<T>(&mut self, kept: Result<T, PipelineError>) -> Result<Result<T, NotKept>, PipelineError> {
        let e = match kept {
            Ok(kept) => return Ok(Ok(kept)),
            Err(PipelineError::Store(e)) => e,
            Err(other) => return Err(other),
        };
        match self.store.diagnose(&e) {
            Some(trouble) => self.mending.failed(trouble, &e.to_string(), &self.keeper),
            None if e.is_damage() => return Err(e.into()),
            None => {}
        }
        Ok(Err(NotKept(e.to_string())))
    }

    fn take_news(&mut self, news: ExchangeNews) -> Result<(), PipelineError> {
        if !news.looks.is_empty() {
            self.refresh()?;
        }
        for batch in news.looks {
            if let Err(e) = self.look_at_exchange(batch, news.origin.as_deref()) {
                // The engine is ahead of the store now; only what is stored counts.
                self.stale = true;
                return Err(e.into());
            }
        }
        Ok(self.store.keep_exchange(&news.rows)?)
    }

    fn look_at_exchange(&mut self, mut batch: Batch<'static>, origin: Option<&str>) -> Result<(), StoreError> {
        let began = Instant::now();
        // A clock that was set back must not reorder the looks of a sport.
        if let Some(newest) = self.store.newest_look(batch.source, &batch.sport)? {
            batch.received_at = batch.received_at.max(newest);
        }
        let meta = LookMeta {
            scope: batch.scope.clone(),
            origin: Some(origin.unwrap_or(SOURCE).to_owned()),
            cost: None,
            remaining: None,
            body_hash: body_hash(format!("{SOURCE} {} {}", batch.sport, batch.received_at.millis()).as_bytes()),
        };
        let changes = self.engine.apply(&batch);
        match &mut self.teller {
            Some(teller) => teller.commit(&self.engine, &mut self.store, &changes, &meta, &batch)?,
            None => self.store.commit(&changes, &meta)?,
        }
        self.now = self.now.max(batch.received_at);
        let mut taken = Taken::default();
        taken.count(&changes);
        self.keeper.change(|s| {
            s.look = s.look.max(taken.last_look);
            s.counted.looks += u64::from(taken.looks);
            s.counted.quotes += taken.quotes;
            s.counted.changes += taken.changes;
            s.counted.issues += taken.issues;
        });
        self.announce(&[changes.look], began.elapsed());
        Ok(())
    }
}

fn not_now() -> NotKept {
    NotKept("the store cannot be written at the moment".to_owned())
}
