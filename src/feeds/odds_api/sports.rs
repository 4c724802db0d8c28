//! The list of sports: small, rarely fetched, free.

use serde::Deserialize;
use serde_json::value::RawValue;

/// One sport that the provider offers.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Sport {
    /// The key by which it is asked for, such as `basketball_nba`. The only field that never changes.
    pub key: String,
    /// Its family, such as `Basketball`.
    #[serde(default)]
    pub group: String,
    /// For display; follows sponsors.
    #[serde(default)]
    pub title: String,
    /// For display; follows sponsors.
    #[serde(default)]
    pub description: String,
    /// In season.
    #[serde(default)]
    pub active: bool,
    /// A futures market: only `outrights` can be asked for.
    #[serde(default)]
    pub has_outrights: bool,
}

/// The list, as far as it could be read.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Sports {
    /// In the provider's order.
    pub list: Vec<Sport>,
    /// Records that could not be read. One bad record does not spoil the others.
    pub unreadable: usize,
}

/// The answer is not a list at all.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the list of sports is not a JSON array: the base URL may lead to something else than The Odds API")]
pub struct NotAList;

/// Reads the answer to [`super::request::Question::Sports`].
///
/// # Errors
/// [`NotAList`] when it is no JSON array.
pub fn parse_sports(body: &[u8]) -> Result<Sports, NotAList> {
    let records: Vec<&RawValue> = serde_json::from_slice(body).map_err(|_| NotAList)?;
    let mut sports = Sports::default();
    for record in records {
        match serde_json::from_str::<Sport>(record.get()) {
            Ok(sport) if !sport.key.is_empty() => sports.list.push(sport),
            _ => sports.unreadable += 1,
        }
    }
    Ok(sports)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_with_unknown_missing_and_broken_fields() {
        let body = br#"[
            {"key":"basketball_nba","group":"Basketball","title":"NBA","description":"US Basketball","active":true,
             "has_outrights":false,"something_new":[1]},
            {"key":"golf_masters_tournament_winner","has_outrights":true},
            {"title":"no key"}, {"key":""}, {"key":5}, null, "text"]"#;
        let sports = parse_sports(body).unwrap();
        assert_eq!(sports.unreadable, 5);
        assert_eq!(sports.list.len(), 2);
        assert!(sports.list[0].active && sports.list[1].has_outrights);
        assert_eq!(sports.list[0].title, "NBA");
    }

    #[test]
    fn what_is_no_list_is_refused() {
        for body in [&b""[..], b"{}", b"<html>", b"[{\"key\":", b"null", b"\xff"] {
            assert_eq!(parse_sports(body), Err(NotAList));
        }
        assert_eq!(parse_sports(b"[]"), Ok(Sports::default()));
    }
}
