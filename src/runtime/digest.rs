//! The daily and the weekly digest: when one is due, and what it says. Sent once for each day or week, by its key, however
//! often the program is started; one that was missed is sent when the program is there again, on the same day.

use std::path::PathBuf;
use std::time::Duration;

use chrono::{Datelike, NaiveTime, TimeZone};
use chrono_tz::Tz;
use tokio_util::sync::CancellationToken;

use super::keeper::local_now;
use super::pipeline::WayIn;
use super::report;
use crate::alerts::message::{Kind, Message, Severity};
use crate::market::time::Timestamp;
use crate::store::outbox::{NewMessage, Outgoing};
use crate::store::{Reader, StoreError};

/// Whether one is due is looked at so often.
const LOOK: Duration = Duration::from_secs(60);

/// How often.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Every {
    /// Each day.
    Day,
    /// Each Monday.
    Week,
}

/// What is to be sent, when and where to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DigestConfig {
    /// How often.
    pub every: Every,
    /// At this time of the user's day.
    pub at: NaiveTime,
    /// The user's zone.
    pub zone: Tz,
    /// Names of channels.
    pub channels: Vec<String>,
}

/// A digest that is due: the name of its day or week, and the days that it is about.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Due {
    period: String,
    days: u32,
}

fn due(config: &DigestConfig, now: Timestamp) -> Option<Due> {
    let local = config.zone.from_utc_datetime(&now.to_chrono().naive_utc());
    if local.time() < config.at {
        return None;
    }
    match config.every {
        Every::Day => Some(Due { period: local.format("%Y-%m-%d").to_string(), days: 1 }),
        Every::Week if local.weekday() == chrono::Weekday::Mon => {
            let week = local.iso_week();
            Some(Due { period: format!("{}-W{:02}", week.year(), week.week()), days: 7 })
        }
        Every::Week => None,
    }
}

fn outgoing(config: &DigestConfig, due: &Due, text: &str, origin: Option<&str>, now: Timestamp) -> Outgoing {
    let title = match config.every {
        Every::Day => format!("The last day, told on {}", due.period),
        Every::Week => format!("The last week, {}", due.period),
    };
    let message = |channel: &String| {
        let key = format!("digest:{}:{channel}", due.period);
        let message = Message {
            key: key.clone(),
            kind: Kind::Digest,
            severity: Severity::Info,
            origin: origin.map(str::to_owned),
            at: now,
            title: title.clone(),
            text: text.to_owned(),
            facts: Vec::new(),
            rule: None,
            data: None,
        };
        NewMessage {
            key,
            channel: channel.clone(),
            kind: Kind::Digest.name().to_owned(),
            rule: String::new(),
            subject: "digest".to_owned(),
            signal: None,
            at: now,
            not_before: now,
            why: String::new(),
            // What is made of texts and numbers has a JSON form.
            message: serde_json::to_string(&message).unwrap_or_default(),
        }
    };
    Outgoing { messages: config.channels.iter().map(message).collect(), fired: Vec::new() }
}

/// Sends digests until `stop`.
pub(super) async fn send(
    config: DigestConfig,
    store: PathBuf,
    origin: Option<String>,
    way_in: WayIn,
    stop: CancellationToken,
) {
    let mut sent: Option<String> = None;
    loop {
        let now = local_now();
        if let Some(due) = due(&config, now).filter(|due| sent.as_ref() != Some(&due.period)) {
            let (path, days) = (store.clone(), due.days);
            let read = move || -> Result<String, StoreError> { report::digest(&Reader::open(&path)?, now, days) };
            match tokio::task::spawn_blocking(read).await {
                Ok(Ok(text)) => {
                    let outgoing = outgoing(&config, &due, &text, origin.as_deref(), now);
                    match way_in.tell(outgoing).await {
                        Ok(Ok(())) => sent = Some(due.period),
                        Ok(Err(e)) => tracing::warn!(error = %e, "the digest could not be stored; it is tried again"),
                        Err(_) => return,
                    }
                }
                Ok(Err(e)) => tracing::warn!(error = %e, "the digest could not be made; it is tried again"),
                Err(_) => {}
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(every: Every) -> DigestConfig {
        DigestConfig {
            every,
            at: NaiveTime::from_hms_opt(8, 0, 0).expect("time"),
            zone: chrono_tz::America::New_York,
            channels: vec!["discord".into(), "desktop".into()],
        }
    }

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).expect("time")
    }

    #[test]
    fn a_day_begins_where_the_user_is() {
        let day = config(Every::Day);
        assert_eq!(due(&day, at("2026-11-21T12:59:59Z")), None, "07:59 in New York");
        let found = due(&day, at("2026-11-21T13:00:00Z")).expect("08:00");
        assert_eq!((found.period.as_str(), found.days), ("2026-11-21", 1));
        // Missed in the morning, told in the evening; the next day's is another.
        assert_eq!(due(&day, at("2026-11-22T04:00:00Z")), Some(found));
    }

    #[test]
    fn a_week_ends_on_monday_even_when_the_hour_was_missed() {
        let week = config(Every::Week);
        assert_eq!(due(&week, at("2026-11-22T20:00:00Z")), None, "Sunday");
        assert_eq!(due(&week, at("2026-11-23T12:00:00Z")), None, "Monday, 07:00");
        for time in ["2026-11-23T13:00:00Z", "2026-11-24T02:00:00Z"] {
            assert_eq!(due(&week, at(time)), Some(Due { period: "2026-W48".into(), days: 7 }), "{time}");
        }
        assert_eq!(due(&week, at("2026-11-24T13:00:00Z")), None, "Tuesday");
    }

    #[test]
    fn every_channel_gets_one_under_a_key_that_names_the_day() {
        let day = config(Every::Day);
        let now = at("2026-11-21T13:00:00Z");
        let found = due(&day, now).expect("due");
        let out = outgoing(&day, &found, "covered   nothing", Some("DEMO"), now);
        let keys: Vec<&str> = out.messages.iter().map(|m| m.key.as_str()).collect();
        assert_eq!(keys, ["digest:2026-11-21:discord", "digest:2026-11-21:desktop"]);
        let message: Message = serde_json::from_str(&out.messages[0].message).expect("JSON");
        assert_eq!((message.kind, message.text.as_str()), (Kind::Digest, "covered   nothing"));
        assert!(message.headline().starts_with("[DEMO]"));
    }
}
