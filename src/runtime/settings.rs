//! From the user's settings to what each room wants to know.

use std::time::Duration;

use crate::config::{Keep, RetentionSettings, Settings};
use crate::engine::EngineSettings;
use crate::engine::settings::BookInfo;
use crate::market::books::{BookKind, Books};
use crate::store::Retention;

fn ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// What the engine should judge by: the user's limits and the table of books.
pub fn engine_settings(settings: &Settings) -> EngineSettings {
    let own = &settings.quotes.max_age_by_book;
    let info = |key: &str| {
        let book = Books::embedded().resolve(key);
        let fresh = book.fresh_seconds.map(|s| i64::from(s) * 1000);
        BookInfo {
            regions: book.regions.clone(),
            max_age_ms: own.get(key).map(|d| ms(*d)).or(fresh),
            exchange: book.kind == BookKind::Exchange,
        }
    };
    let known = Books::embedded().iter().map(|b| b.key.as_str());
    let books = known.chain(own.keys().map(String::as_str)).map(|key| (key.to_owned(), info(key))).collect();
    EngineSettings {
        max_age_ms: ms(settings.quotes.max_age),
        strict: settings.quotes.strict,
        books,
        ..EngineSettings::default()
    }
}

/// How long the store keeps what.
pub fn retention(settings: &RetentionSettings) -> Retention {
    let keep = |k: Keep| match k {
        Keep::Forever => None,
        Keep::For(duration) => Some(ms(duration)),
    };
    Retention { raw_ms: keep(settings.raw), changes_ms: keep(settings.changes), logs_ms: keep(settings.logs) }
}
