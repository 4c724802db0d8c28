//! Follows the market: asks what is due, hands the answers to the pipeline, until told to stop.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::clock::Clock;
use super::pipeline::{Pipeline, PipelineError};
use super::stop::StopSignals;
use crate::feeds::odds_api::ask::{Ask, EventFilter};
use crate::feeds::odds_api::breaker::Purpose;
use crate::feeds::odds_api::client::Client;
use crate::feeds::odds_api::request::{Question, Request};
use crate::feeds::outcome::{Outcome, Unavailable};
use crate::poller::{Cadence, Due, Schedule};

/// What to follow.
#[derive(Clone, Debug)]
pub struct FollowConfig {
    /// Sport keys.
    pub sports: Vec<String>,
    /// Markets, books and form of prices.
    pub ask: Ask,
    /// How often.
    pub cadence: Cadence,
    /// Which clock.
    pub clock: Clock,
}

/// Never waits longer than this in one go, so that a machine that slept notices.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Asks whether the key is accepted, by the list of sports, which is free.
///
/// # Errors
/// A sentence for the user when the key is refused. Any other failure is left to the polling, which tries again.
pub async fn check_key(client: &Client, sports: &[String]) -> Result<(), String> {
    let fetched = client.fetch(&Question::Sports { all: true }.into(), Purpose::Discovery).await;
    match &fetched.outcome {
        Outcome::Unavailable { reason: Unavailable::Auth, message, .. } => Err(message.clone()),
        Outcome::Unavailable { reason, message, .. } => {
            tracing::warn!(reason = reason.name(), %message, "the list of sports could not be had");
            Ok(())
        }
        Outcome::Data { body, .. } | Outcome::NoEvents { body, .. } => {
            if let Ok(known) = crate::feeds::odds_api::sports::parse_sports(body) {
                for sport in sports.iter().filter(|s| !known.list.iter().any(|k| k.key == **s)) {
                    tracing::warn!(sport, "the provider does not list this sport");
                }
            }
            Ok(())
        }
    }
}

/// Polls until `stop`. Failures of the source are logged and waited for; only the pipeline can end this early.
///
/// # Errors
/// [`PipelineError`] when the pipeline has ended.
pub async fn follow(
    client: &Client,
    pipeline: &Pipeline,
    config: FollowConfig,
    stop: CancellationToken,
) -> Result<(), PipelineError> {
    let clock = &config.clock;
    let mut schedule = Schedule::new(&config.sports, config.cadence, clock.now());
    loop {
        let Some(due) = schedule.due(clock.now()) else {
            let wait = schedule.next().map_or(LONGEST_WAIT, |at| clock.wait(at)).min(LONGEST_WAIT);
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = tokio::time::sleep(wait.max(Duration::from_millis(1))) => continue,
            }
        };
        schedule.asked(&due, clock.now());
        let (request, purpose) = question(&due, &config.ask);
        let fetched = tokio::select! {
            () = stop.cancelled() => return Ok(()),
            fetched = client.fetch(&request, purpose) => fetched,
        };
        let at = clock.received(&fetched);
        if let Outcome::Unavailable { reason, message, .. } = &fetched.outcome {
            let pause = schedule.failed(&due, *reason, clock.now());
            let until = pause.map(|p| p.until.to_string());
            tracing::warn!(reason = reason.name(), %message, until, "no answer");
        } else {
            schedule.succeeded();
        }
        // An answer that has arrived was paid for: it is taken even when the stop came meanwhile.
        let judged = pipeline.judge(fetched, at).await?;
        let (Due::Odds(sport) | Due::Scores(sport)) = &due;
        schedule.under_way(sport, judged.under_way > 0);
    }
}

fn question(due: &Due, ask: &Ask) -> (Request, Purpose) {
    match due {
        Due::Odds(sport) => {
            let filter = EventFilter::default();
            (Question::Odds { sport: sport.clone(), filter, ask: ask.clone() }.into(), Purpose::Live)
        }
        Due::Scores(sport) => {
            let events = Vec::new();
            (Question::Scores { sport: sport.clone(), days_from: None, events }.into(), Purpose::Scores)
        }
    }
}

/// A token that is cancelled when the process is asked to stop. Call it inside the runtime.
///
/// # Errors
/// When the operating system does not let us listen.
pub fn stop_on_signals() -> std::io::Result<CancellationToken> {
    let stop = CancellationToken::new();
    let mut signals = StopSignals::listen()?;
    let token = stop.clone();
    tokio::spawn(async move {
        signals.next().await;
        token.cancel();
    });
    Ok(stop)
}
