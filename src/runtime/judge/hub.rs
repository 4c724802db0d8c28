//! What a hub told, and what it has taken, on its way through the judge: written by the one writer, announced like any
//! other look. The engine has not judged it and is made anew from the store before it judges again.

use std::time::{Duration, Instant};

use super::Judge;
use crate::market::batch::Endpoint;
use crate::market::ids::LookId;
use crate::runtime::pipeline::{NotKept, PipelineError};
use crate::runtime::published::Published;
use crate::store::hub::{Applied, Incoming, PutBack, PutBackDone, Told};

impl Judge {
    /// Takes in a stretch of the hub's log. The inner error: it could not be; it is fetched again.
    pub(super) fn hub_apply(&mut self, incoming: &Incoming) -> Result<Result<Applied, NotKept>, PipelineError> {
        if self.mending.is_ill() {
            return Ok(Err(NotKept("the store cannot be written now".to_owned())));
        }
        let began = Instant::now();
        let applied = self.store.hub_apply(incoming, &self.config.engine);
        let Some(applied) = self.mind(applied)? else {
            return Ok(Err(NotKept("the store cannot be written now".to_owned())));
        };
        if !applied.looks.is_empty() || applied.retracted {
            self.stale = true;
        }
        let each = began.elapsed() / u32::try_from(applied.looks.len().max(1)).unwrap_or(1);
        for look in &applied.looks {
            self.announce_pulled(look, each);
        }
        if let Some(last) = applied.looks.last() {
            let id = LookId(u64::try_from(last.id).unwrap_or(0));
            self.keeper.change(|s| s.look = s.look.max(id));
            self.now = self.now.max(last.received_at);
        }
        Ok(Ok(applied))
    }

    fn announce_pulled(&self, look: &crate::store::hub::AppliedLook, took: Duration) {
        let Some(endpoint) = Endpoint::from_name(&look.endpoint) else { return };
        let published = Published {
            look: LookId(u64::try_from(look.id).unwrap_or(0)),
            sport: look.sport.clone(),
            endpoint,
            received_at: look.received_at,
            quotes: look.quotes,
            changes: look.changes,
            issues: look.issues,
            took,
        };
        // Nobody may be listening.
        let _ = self.published.send(published);
    }

    /// Goes on with a hub that was put back to an earlier moment.
    pub(super) fn hub_put_back(&mut self, there: &PutBack) -> Result<Result<PutBackDone, NotKept>, PipelineError> {
        if self.mending.is_ill() {
            return Ok(Err(NotKept("the store cannot be written now".to_owned())));
        }
        let done = self.store.hub_put_back(there);
        Ok(self.mind(done)?.ok_or_else(|| NotKept("the store cannot be written now".to_owned())))
    }

    /// Notes what the hub has taken.
    pub(super) fn hub_told(&mut self, told: &Told) -> Result<Result<(), NotKept>, PipelineError> {
        if self.mending.is_ill() {
            return Ok(Err(NotKept("the store cannot be written now".to_owned())));
        }
        let noted = self.store.hub_told(told);
        Ok(self.mind(noted)?.ok_or_else(|| NotKept("the store cannot be written now".to_owned())))
    }
}
