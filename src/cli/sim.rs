//! `stratum sim`: the simulated market with its exchange, or a recording, served over HTTP as the provider would.

use std::io::Write;
use std::path::Path;
use std::time::Instant;

use super::args::{Global, SimArgs};
use super::{Exit, Failure, look, prepare};
use crate::feeds::odds_api;
use crate::feeds::recording::{BodyKind, Line, merged};
use crate::feeds::sim::{Frame, Scenario, SimConfig, SimContent, SimServer};
use crate::market::batch::{Endpoint, Scope};
use crate::market::price::OddsFormat;
use crate::runtime::intake::{self, Answer};
use crate::runtime::stop::StopSignals;

/// The scenario when none is named.
const DEFAULT_SCENARIO: &str = "demo";
/// Credits a month of a recording that is played: enough never to run out by accident.
const CREDITS: i64 = 10_000_000;

/// Runs `stratum sim` until it is asked to stop.
pub fn run(global: &Global, args: &SimArgs, out: &mut dyn Write) -> Result<Exit, Failure> {
    prepare(global, Vec::new())?;
    let mut config = match &args.recording {
        Some(path) => recording(path)?,
        None => scenario(args)?,
    };
    config.speed = args.speed;
    config.port = args.port;
    let exchange = matches!(&config.content, SimContent::Scenario(s) if s.exchange.enabled);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        // Before the address is told: whoever reads it may send the signal at once.
        let mut signals = StopSignals::listen()?;
        let server = SimServer::start(config).await.map_err(|e| Failure::Other(e.to_string()))?;
        let url = server.base_url();
        writeln!(out, "{url}")?;
        out.flush()?;
        // Nobody needs to read this for the simulator to work.
        let _ = writeln!(
            std::io::stderr(),
            "Serving until Ctrl-C. In another terminal:\n  \
             STRATUM_ODDS_API_BASE_URL={url} STRATUM_ODDS_API_CLOCK=server ODDS_API_KEY=demo stratum --daemon"
        );
        if exchange {
            let at = server.exchange_urls();
            let _ = writeln!(
                std::io::stderr(),
                "The exchange beside the books:\n  gamma    {}\n  clob     {}\n  data     {}\n  channel  {}",
                at.gamma,
                at.clob,
                at.data,
                at.channel
            );
        }
        signals.next().await;
        server.shutdown().await;
        Ok(Exit::Ok)
    })
}

fn scenario(args: &SimArgs) -> Result<SimConfig, Failure> {
    let name = args.scenario.as_deref().unwrap_or(DEFAULT_SCENARIO);
    let mut scenario = Scenario::load(name).map_err(|e| Failure::Other(e.to_string()))?;
    if let Some(seed) = args.seed {
        scenario.seed = seed;
    }
    // To the millisecond: a clock that is behind would make every stamp of the exchange look late.
    let (start, since) = (look::now(), Instant::now());
    Ok(SimConfig { since: Some(since), ..SimConfig::scenario(scenario, start) })
}

/// Plays a recording from the instant of its first answer on.
fn recording(path: &Path) -> Result<SimConfig, Failure> {
    let mut sport = String::new();
    // Lines that cannot be used are passed over: `stratum import` is the place to hear about them.
    let mut frames = merged([path])?.filter_map(Result::ok).filter_map(move |line| frame(&line, &mut sport)).peekable();
    let Some((first, format)) = frames.peek().map(|(frame, format)| (frame.captured_at, *format)) else {
        return Err(Failure::Other(format!("{}: no answer with odds in this recording", path.display())));
    };
    let frames = Box::new(frames.map(|(frame, _)| frame));
    Ok(SimConfig {
        content: SimContent::Recording { frames, format, credits: CREDITS },
        start: first,
        since: None,
        speed: None,
        port: 0,
        api_key: None,
    })
}

/// The answer of the odds of a sport in a line, and the form of its prices. `sport` is the one of the line before:
/// an empty answer says nothing of its own.
fn frame(line: &Line, sport: &mut String) -> Option<(Frame, OddsFormat)> {
    let captured_at = line.captured_at?;
    if line.status.is_some_and(|s| !(200..300).contains(&s)) {
        return None;
    }
    let kind = line.kind();
    let body = match kind {
        BodyKind::Events | BodyKind::Empty => &line.body,
        BodyKind::Historical { data, .. } => data,
        BodyKind::EventObject | BodyKind::Sports | BodyKind::NotAnAnswer => return None,
    };
    let answer = Answer {
        source: odds_api::SOURCE,
        sport: line.sport.as_deref().unwrap_or_default(),
        endpoint: line.endpoint,
        received_at: captured_at,
        scope: Scope::default(),
        format: None,
        body,
        origin: None,
        cost: None,
        remaining: None,
    };
    let batches = intake::read(&answer).ok()?;
    let first = batches.first()?;
    if kind != BodyKind::Empty && !matches!(first.endpoint, Endpoint::Odds | Endpoint::HistoricalOdds) {
        return None;
    }
    let own = line.sport.clone().or_else(|| intake::sport_of(&batches).map(|s| s.into_owned()));
    if let Some(own) = own.filter(|s| !s.is_empty()) {
        *sport = own;
    }
    if sport.is_empty() {
        return None;
    }
    Some((Frame { captured_at, sport: sport.clone(), body: body.to_vec() }, first.format))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_market_of_now_begins_now_and_not_at_the_last_whole_second() {
        // At whole seconds there is nothing to cut off.
        let before = loop {
            let now = look::now();
            if now.millis() % 1000 > 0 {
                break now;
            }
        };
        let args = SimArgs { scenario: None, recording: None, seed: None, speed: Some(1), port: 0 };
        let config = scenario(&args).expect("the scenario of the program");
        assert!(before <= config.start && config.start <= look::now(), "{before} {}", config.start);
    }
}
