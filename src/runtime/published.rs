//! A committed look, announced: numbers only, for the rows are in the store by then.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::market::batch::Endpoint;
use crate::market::ids::LookId;
use crate::market::time::Timestamp;

/// A committed look, announced.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Published {
    /// Number of the look; never repeats, always rises.
    pub look: LookId,
    /// Sport key.
    pub sport: String,
    /// Which question.
    #[serde(with = "endpoint_name")]
    pub endpoint: Endpoint,
    /// When it was received.
    pub received_at: Timestamp,
    /// Quotes in it.
    pub quotes: u32,
    /// Rows of the change log.
    pub changes: u32,
    /// Issues found.
    pub issues: u32,
    /// From bytes to commit. In JSON whole microseconds.
    #[serde(rename = "took_us", with = "micros")]
    pub took: Duration,
}

/// An endpoint by its name.
pub(super) mod endpoint_name {
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::market::batch::Endpoint;

    pub(in crate::runtime) fn serialize<S: Serializer>(endpoint: &Endpoint, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(endpoint.name())
    }

    pub(in crate::runtime) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Endpoint, D::Error> {
        let name = <std::borrow::Cow<'de, str>>::deserialize(from)?;
        Endpoint::from_name(&name).ok_or_else(|| serde::de::Error::custom("not the name of an endpoint"))
    }
}

/// A duration in whole microseconds.
mod micros {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(took: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(u64::try_from(took.as_micros()).unwrap_or(u64::MAX))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        Ok(Duration::from_micros(u64::deserialize(from)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_survives_the_way_through_json_and_stays_small() {
        let published = Published {
            look: LookId(u64::MAX),
            sport: "basketball_nba".into(),
            endpoint: Endpoint::HistoricalEventOdds,
            received_at: Timestamp::from_millis(1_800_000_000_123),
            quotes: 9_000,
            changes: 12,
            issues: 1,
            took: Duration::from_micros(1_234),
        };
        let text = serde_json::to_string(&published).expect("JSON");
        assert!(text.len() < 300, "{text}");
        assert!(text.contains(r#""endpoint":"historical_event_odds""#) && text.contains(r#""took_us":1234"#), "{text}");
        assert_eq!(serde_json::from_str::<Published>(&text).expect("reads"), published);
        assert!(serde_json::from_str::<Published>(&text.replace("historical_event_odds", "tea leaves")).is_err());
    }
}
