//! Moments as people type them into the board, in their own zone. Pure.

use chrono::{Days, NaiveDate, NaiveDateTime, NaiveTime, TimeZone};

use crate::board::format::Zone;
use crate::config::parse_duration;
use crate::market::time::Timestamp;

/// Why a text is no moment.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum MomentError {
    /// It has none of the forms.
    #[error("write 21:05, yesterday 20:00, Fri 20:00, 2026-11-20 21:05 or -30m")]
    Form,
    /// The clocks were put forward over it.
    #[error("the clocks of your zone were put forward over that time: there was none")]
    Skipped,
    /// It has not come yet.
    #[error("that has not come yet: only what was recorded can be shown")]
    Future,
}

/// The instant that `text` means at `now`. A time of day without a day is the last such time.
///
/// # Errors
/// [`MomentError`].
pub fn parse(text: &str, zone: Zone, now: Timestamp) -> Result<Timestamp, MomentError> {
    let at = meant(text.trim(), zone, now)?;
    if at > now { Err(MomentError::Future) } else { Ok(at) }
}

fn meant(text: &str, zone: Zone, now: Timestamp) -> Result<Timestamp, MomentError> {
    let lower = text.to_lowercase();
    if lower == "now" {
        return Ok(now);
    }
    if let Some(ago) = lower.strip_prefix('-').or_else(|| lower.strip_prefix("now-")) {
        let ago = parse_duration(ago.trim()).ok_or(MomentError::Form)?;
        let ms = i64::try_from(ago.as_millis()).map_err(|_| MomentError::Form)?;
        return Ok(now.plus(-ms));
    }
    if let Some(at) = Timestamp::parse(text) {
        return Ok(at);
    }
    let today = zone.0.from_utc_datetime(&now.to_chrono().naive_utc()).date_naive();
    // A `t` stands between date and time, but also within words.
    let parts = lower
        .split_once(' ')
        .or_else(|| lower.split_once('t').filter(|(day, _)| day.ends_with(|c: char| c.is_ascii_digit())));
    let (day, time) = match parts {
        Some((day, time)) if day_of(day, today).is_some() => (day_of(day, today), time.trim()),
        _ => match day_of(&lower, today) {
            Some(day) => (Some(day), "0:00"),
            None => (None, lower.as_str()),
        },
    };
    let time = ["%H:%M:%S", "%H:%M"].iter().find_map(|f| NaiveTime::parse_from_str(time, f).ok());
    let time = time.ok_or(MomentError::Form)?;
    match day {
        Some(day) => local(day.and_time(time), zone),
        None => match local(today.and_time(time), zone) {
            Ok(at) if at <= now => Ok(at),
            _ => local(today.checked_sub_days(Days::new(1)).ok_or(MomentError::Form)?.and_time(time), zone),
        },
    }
}

/// A day: a date, `today`, `yesterday`, or the last day of a name.
fn day_of(text: &str, today: NaiveDate) -> Option<NaiveDate> {
    use chrono::Datelike;
    match text {
        "today" => return Some(today),
        "yesterday" => return today.checked_sub_days(Days::new(1)),
        _ => {}
    }
    if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return Some(day);
    }
    if text.len() < 3 || text.contains(|c: char| !c.is_ascii_alphabetic()) {
        return None;
    }
    let day: chrono::Weekday = text.parse().ok()?;
    let back = (7 + today.weekday().num_days_from_monday() - day.num_days_from_monday()) % 7;
    today.checked_sub_days(Days::new(u64::from(back)))
}

/// Where the clocks were put back a time is there twice: the first is meant.
fn local(at: NaiveDateTime, zone: Zone) -> Result<Timestamp, MomentError> {
    let at = zone.0.from_local_datetime(&at).earliest().ok_or(MomentError::Skipped)?;
    Ok(Timestamp::from_chrono(at.to_utc()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn now() -> Timestamp {
        // Saturday, 16:04:07 in New York.
        Timestamp::parse("2026-11-21T21:04:07Z").expect("time")
    }

    fn said(text: &str) -> Result<String, MomentError> {
        let zone = Zone::parse("America/New_York").expect("zone");
        parse(text, zone, now()).map(|at| zone.full(at))
    }

    #[test]
    fn every_form_in_the_users_zone() {
        for (text, full) in [
            ("15:05", "2026-11-21 15:05:00"),
            ("21:05", "2026-11-20 21:05:00"),
            ("yesterday 20:00", "2026-11-20 20:00:00"),
            ("Today 9:30:15", "2026-11-21 09:30:15"),
            ("fri 20:00", "2026-11-20 20:00:00"),
            ("2026-11-20 21:05", "2026-11-20 21:05:00"),
            ("2026-11-20T21:05", "2026-11-20 21:05:00"),
            ("2026-11-20", "2026-11-20 00:00:00"),
            ("2026-11-20T21:05:00Z", "2026-11-20 16:05:00"),
            ("-30m", "2026-11-21 15:34:07"),
            ("-1h30m", "2026-11-21 14:34:07"),
            ("now", "2026-11-21 16:04:07"),
            ("2026-11-01 01:30", "2026-11-01 01:30:00"),
        ] {
            assert_eq!(said(text).as_deref(), Ok(full), "{text}");
        }
    }

    #[test]
    fn what_is_no_moment_says_why() {
        for text in ["", "soon", "25:00", "yesterday soon", "-", "-2", "2026-13-01", "m 20:00"] {
            assert_eq!(said(text), Err(MomentError::Form), "{text}");
        }
        assert_eq!(said("2026-12-24 20:00"), Err(MomentError::Future));
        assert_eq!(said("2026-03-08 02:30"), Err(MomentError::Skipped));
    }

    proptest! {
        #[test]
        fn nothing_typed_breaks_it_or_leads_into_the_future(text in "\\PC{0,30}") {
            if let Ok(at) = parse(&text, Zone::default(), now()) {
                prop_assert!(at <= now());
            }
        }
    }
}
