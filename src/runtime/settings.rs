//! What each room wants to know, from the user's settings and the table of books.

use rustc_hash::FxHashMap;

use crate::config::{Keep, RetentionSettings, Settings};
use crate::engine::EngineSettings;
use crate::engine::price::fair::Voter;
use crate::engine::profile::BookProfile;
use crate::engine::settings::BookInfo;
use crate::market::books::{Book, BookKind, Books};
use crate::store::Retention;

/// What the user has decided about judging quotes, with everything that is known of the books.
///
/// A book's age limit is the user's own for that book, else the table's, else the general one.
pub fn engine_settings(settings: &Settings) -> EngineSettings {
    let mut books: FxHashMap<String, BookInfo> =
        Books::embedded().iter().map(|book| (book.key.clone(), info(book))).collect();
    for (key, age) in &settings.quotes.max_age_by_book {
        books.entry(key.clone()).or_default().max_age_ms = Some(millis(*age));
    }
    EngineSettings {
        max_age_ms: millis(settings.quotes.max_age),
        strict: settings.quotes.strict,
        books,
        ..EngineSettings::default()
    }
}

/// How long the store keeps what.
pub fn retention(settings: &RetentionSettings) -> Retention {
    let keep = |k: Keep| match k {
        Keep::Forever => None,
        Keep::For(duration) => Some(millis(duration)),
    };
    Retention {
        raw_ms: keep(settings.raw),
        changes_ms: keep(settings.changes),
        logs_ms: keep(settings.logs),
        points_ms: None,
    }
}

fn info(book: &Book) -> BookInfo {
    BookInfo {
        regions: book.regions.clone(),
        max_age_ms: book.fresh_seconds.map(|s| i64::from(s) * 1000),
        exchange: book.kind == BookKind::Exchange,
        family: book.family.clone(),
        profile: BookProfile {
            voter: Voter { family: 0, kind: book.kind, weight: book.weight },
            fee: book.fee,
        },
    }
}

fn millis(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::{Sources, load};

    #[test]
    fn the_users_word_on_a_book_goes_over_the_table() {
        let mut settings = load(&Sources::default()).expect("defaults").settings;
        settings.quotes.max_age = Duration::from_secs(90);
        settings.quotes.strict = true;
        let own = Books::embedded().iter().find(|b| b.fresh_seconds.is_some()).map(|b| b.key.clone());
        let before = engine_settings(&settings);
        assert_eq!((before.max_age_ms, before.strict), (90_000, true));
        if let Some(own) = &own {
            assert!(before.books[own].max_age_ms.is_some());
        }
        for key in own.iter().map(String::as_str).chain(["pinnacle", "a_book_of_mine"]) {
            settings.quotes.max_age_by_book.insert(key.into(), Duration::from_secs(7));
        }
        let after = engine_settings(&settings);
        assert_eq!(after.books["pinnacle"].max_age_ms, Some(7000));
        assert_eq!(after.books["pinnacle"].regions, before.books["pinnacle"].regions);
        // An unknown book has no regions, so that every region covers it.
        assert_eq!(after.books["a_book_of_mine"], BookInfo { max_age_ms: Some(7000), ..BookInfo::default() });
        assert!(own.is_none_or(|own| after.books[&own].max_age_ms == Some(7000)));
    }

    #[test]
    fn exchanges_are_known_as_such() {
        let engine = engine_settings(&load(&Sources::default()).expect("defaults").settings);
        for book in Books::embedded().iter() {
            assert_eq!(engine.books[&book.key].exchange, book.kind == BookKind::Exchange, "{}", book.key);
        }
        assert!(engine.books.values().any(|b| b.exchange));
    }
}
