//! What each room wants to know, from the user's settings and the table of books.

use rustc_hash::FxHashMap;

use crate::config::{Alone, DevigSettings, Keep, RetentionSettings, Settings, Watch};
use crate::engine::EngineSettings;
use crate::engine::price::fair::{FairRule, Voter};
use crate::engine::price::view::DevigRule;
use crate::engine::profile::BookProfile;
use crate::engine::rules::{AnalysisRules, DislocationRule, ExchangeRule, InPlayWatch, MoveRule, OpportunityRule};
use crate::engine::settings::BookInfo;
use crate::feeds::polymarket::socket::SocketConfig;
use crate::hub::lease;
use crate::market::books::{Book, BookKind, Books};
use crate::poller::Cadence;
use crate::poller::plan::DetectorNeed;
use crate::poller::rules::{Bands, CloseWindow, PlanRules};
use crate::runtime::digest::{DigestConfig, Every};
use crate::runtime::exchange::ExchangeConfig;
use crate::runtime::pace::Pacing;
use crate::store::Retention;

/// What a collector does that cannot reach the hub.
pub const fn alone(settings: &Settings) -> lease::Alone {
    match settings.hub.alone {
        Alone::Auto => lease::Alone::Auto,
        Alone::Poll => lease::Alone::Poll,
        Alone::Wait => lease::Alone::Wait,
    }
}

/// What the user has decided about judging quotes, with everything that is known of the books.
///
/// A book's age limit is the user's own for that book, else the table's, else the general one. Its vote is the user's own,
/// else the table's.
pub fn engine_settings(settings: &Settings) -> EngineSettings {
    let mut books: FxHashMap<String, BookInfo> =
        Books::embedded().iter().map(|book| (book.key.clone(), info(book))).collect();
    for (key, age) in &settings.quotes.max_age_by_book {
        books.entry(key.clone()).or_default().max_age_ms = Some(millis(*age));
    }
    for (key, weight) in &settings.fair.weights {
        books.entry(key.clone()).or_default().profile.voter.weight = *weight;
    }
    if settings.polymarket.on {
        books.entry(crate::feeds::polymarket::SOURCE.to_owned()).or_default().direct = true;
    }
    EngineSettings {
        max_age_ms: millis(settings.quotes.max_age),
        strict: settings.quotes.strict,
        books,
        rules: rules(settings),
        ..EngineSettings::default()
    }
}

/// What the user has decided about fair prices, signals and opportunities. What cannot be set is as by default.
fn rules(settings: &Settings) -> AnalysisRules {
    let default = AnalysisRules::default();
    AnalysisRules {
        devig: devig(&settings.devig),
        fair: FairRule {
            half_life_ms: millis(settings.fair.half_life),
            min_books: usize::from(settings.fair.min_books),
            min_families: settings.fair.min_families,
            step: settings.fair.step,
            ..default.fair
        },
        market_move: market_move(settings, &default.market_move),
        key_cross: key_cross(settings, &default.key_cross),
        sync: sync(settings, &default.sync),
        steam: steam(settings),
        live_shock: live_shock(settings, &default.live_shock),
        dislocation: DislocationRule {
            threshold: {
                let s = &settings.dislocation;
                [s.spreads_points, s.totals_points, s.h2h_probability]
            },
            cooldown_ms: millis(settings.dislocation.cooldown),
            cap: settings.dislocation.cap,
            window_ms: millis(settings.dislocation.window),
        },
        exchange: ExchangeRule {
            threshold: settings.exchange_divergence.probability,
            window_ms: millis(settings.exchange_divergence.window),
            cooldown_ms: millis(settings.exchange_divergence.cooldown),
            cap: settings.exchange_divergence.cap,
            shift: settings.exchange_divergence.shift.clone(),
        },
        in_play: match settings.live_shock.watch {
            // Which games those are is known once the watchlists have been read.
            Watch::None | Watch::Watchlists => InPlayWatch::Nothing,
            Watch::All => InPlayWatch::Everything,
        },
        opportunity: OpportunityRule {
            min_ev: settings.opportunities.min_ev,
            max_skew_ms: millis(settings.opportunities.max_skew),
            max_age_ms: millis(settings.opportunities.max_age),
            suspect_above: settings.opportunities.suspect_above,
            max_hold: settings.opportunities.max_hold,
        },
        ..default
    }
}

/// In the order of [`crate::engine::rules::Class`].
fn devig(s: &DevigSettings) -> [DevigRule; 3] {
    [s.spreads, s.totals, s.h2h].map(|method| DevigRule {
        method,
        max_sum: s.max_overround,
        max_exchange_spread: s.max_exchange_spread,
    })
}

fn market_move(settings: &Settings, default: &MoveRule) -> MoveRule {
    let s = &settings.market_move;
    let window_ms = [s.spreads_window, s.totals_window, s.h2h_window].map(millis);
    let threshold = [s.spreads_points, s.totals_points, s.h2h_probability];
    MoveRule { window_ms, cooldown_ms: window_ms, books: s.books, threshold, ..*default }
}

/// Markets without points have no key numbers; their window is never used.
fn key_cross(settings: &Settings, default: &MoveRule) -> MoveRule {
    let s = &settings.key_cross;
    let window_ms = [s.spreads_window, s.totals_window, s.spreads_window].map(millis);
    MoveRule { window_ms, cooldown_ms: window_ms, books: s.books, ..*default }
}

fn sync(settings: &Settings, default: &MoveRule) -> MoveRule {
    let s = &settings.multibook_sync;
    let window_ms = [millis(s.window); 3];
    let threshold = [s.points, s.points, s.probability];
    MoveRule { window_ms, cooldown_ms: window_ms, books: s.books, threshold, ..*default }
}

fn steam(settings: &Settings) -> MoveRule {
    let s = &settings.steam;
    MoveRule {
        window_ms: [millis(s.window); 3],
        books: s.books,
        threshold: [s.spreads_points, s.totals_points, s.h2h_probability],
        cooldown_ms: [millis(s.cooldown); 3],
        cap: s.cap,
    }
}

fn live_shock(settings: &Settings, default: &MoveRule) -> MoveRule {
    let s = &settings.live_shock;
    let window_ms = [millis(s.window); 3];
    let threshold = [s.spreads_points, s.totals_points, s.h2h_probability];
    MoveRule { window_ms, cooldown_ms: window_ms, threshold, ..*default }
}

/// What the user has decided about spending credits.
pub fn plan_rules(settings: &Settings) -> PlanRules {
    let (polling, credits) = (&settings.polling, &settings.credits);
    PlanRules {
        bands: Bands {
            far_ms: millis(polling.far),
            middle_ms: millis(polling.middle),
            near_ms: millis(polling.near),
            middle_from_ms: millis(polling.middle_from),
            near_from_ms: millis(polling.near_from),
            stop_after_ms: millis(polling.stop_after),
            horizon_ms: millis(polling.horizon),
        },
        closes: CloseWindow::default(),
        active_ms: millis(settings.odds_api.interval),
        idle_ms: millis(polling.idle),
        listing_ms: millis(polling.listing),
        low_credit_ms: millis(polling.low_credit),
        low_credits: credits.low,
        daily_target: credits.daily_target,
        in_play_daily: credits.in_play_daily,
        in_play_ms: millis(credits.in_play),
        backfill_daily: credits.backfill_daily,
        exchange_daily: credits.exchange_daily,
        scores_ms: millis(polling.scores),
    }
}

/// How often to ask, by the settings.
pub fn pacing(settings: &Settings) -> Pacing {
    if settings.polling.pace == "steady" {
        Pacing::Steady(Cadence::of(millis(settings.odds_api.interval)))
    } else {
        Pacing::Planned(plan_rules(settings))
    }
}

/// How near to each other looks must be for detectors to judge: the shortest of each one's windows.
pub fn detector_needs(rules: &AnalysisRules) -> Vec<DetectorNeed> {
    let need = |name: &str, rule: &MoveRule| DetectorNeed {
        name: name.to_owned(),
        longest_gap_ms: rule.window_ms.iter().copied().min().unwrap_or(0),
    };
    vec![need("STEAM", &rules.steam), need("MULTIBOOK_SYNC", &rules.sync), need("MOVE", &rules.market_move)]
}

/// The digest that the settings ask for, if any.
///
/// # Errors
/// A sentence for the user when its time or zone is none.
pub fn digest(settings: &Settings) -> Result<Option<DigestConfig>, String> {
    let digest = &settings.alerts.digest;
    let every = match digest.every.as_str() {
        "daily" => Every::Day,
        "weekly" => Every::Week,
        _ => return Ok(None),
    };
    let at = chrono::NaiveTime::parse_from_str(&digest.at, "%H:%M")
        .map_err(|_| format!("alerts.digest.at must be a time of the day such as 08:00, not {:?}", digest.at))?;
    let name = match settings.board.zone.as_str() {
        "" => iana_time_zone::get_timezone().unwrap_or_else(|_| "UTC".to_owned()),
        zone => zone.to_owned(),
    };
    let zone = name.parse().map_err(|_| format!("board.zone: there is no zone {name:?}"))?;
    Ok(Some(DigestConfig { every, at, zone, channels: digest.channels.clone() }))
}

/// How to listen to Polymarket; `None`: it is off. `desk`: where a person's decisions are.
/// `record`: where frames are written as they came.
pub fn exchange_config(
    settings: &Settings,
    desk: std::path::PathBuf,
    record: Option<std::path::PathBuf>,
) -> Option<ExchangeConfig> {
    let s = &settings.polymarket;
    s.on.then(|| ExchangeConfig {
        client: polymarket_client(settings),
        socket: SocketConfig { url: s.socket_url.clone(), watchdog: s.watchdog, ..SocketConfig::default() },
        sports: settings.odds_api.sports.clone(),
        horizon: s.horizon,
        discover: s.discover,
        publish: s.publish,
        max_assets: s.max_assets as usize,
        min_depth: s.min_depth,
        history: s.history,
        record,
        desk,
    })
}

/// How to ask Polymarket.
pub fn polymarket_client(settings: &Settings) -> crate::feeds::polymarket::client::ClientConfig {
    let s = &settings.polymarket;
    crate::feeds::polymarket::client::ClientConfig {
        gamma_url: s.gamma_url.clone(),
        clob_url: s.clob_url.clone(),
        data_url: s.data_url.clone(),
        per_second: s.calls_per_second,
        ..Default::default()
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
        points_ms: keep(settings.points),
        cycles_ms: keep(settings.cycles),
        exchange_ms: keep(settings.exchange),
    }
}

fn info(book: &Book) -> BookInfo {
    BookInfo {
        regions: book.regions.clone(),
        max_age_ms: book.fresh_seconds.map(|s| i64::from(s) * 1000),
        exchange: book.kind == BookKind::Exchange,
        direct: false,
        family: book.family.clone(),
        profile: BookProfile {
            voter: Voter { family: 0, kind: book.kind, weight: book.weight },
            fee: book.fee,
            direct: false,
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
    use crate::market::devig::Method;

    /// The engine's settings of a settings file.
    fn with_file(text: &str) -> EngineSettings {
        let dir = tempfile::tempdir().expect("dir");
        let file = dir.path().join("s.toml");
        std::fs::write(&file, text).expect("writes");
        let loaded = load(&Sources { file: Some(file), ..Sources::default() }).expect("loads");
        assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
        engine_settings(&loaded.settings)
    }

    #[test]
    fn the_default_file_says_what_the_rules_are_by_default() {
        let settings = load(&Sources::default()).expect("defaults").settings;
        assert_eq!(engine_settings(&settings).rules, AnalysisRules::default());
        assert_eq!(plan_rules(&settings), PlanRules::default());
        let kept = retention(&settings.retention);
        assert_eq!(kept, Retention { points_ms: Some(14 * 86_400_000), ..Retention::default() });
    }

    #[test]
    fn every_setting_of_the_analysis_arrives_where_it_belongs() {
        const SECOND: i64 = 1000;
        // Every value differs from every other and from its default.
        let rules = with_file(
            r#"
            devig = { h2h = "shin", spreads = "probit", totals = "additive", max_overround = 1.4, max_exchange_spread = 0.1 }
            fair = { half_life = "1s", min_books = 6, min_families = 4, step = 0.002 }
            key_cross = { spreads_window = "5s", totals_window = "6s", books = 8 }
            multibook_sync = { window = "7s", books = 9, points = 1.75, probability = 0.04 }
            opportunities = { min_ev = 0.01, max_age = "13s", max_skew = "14s", suspect_above = 0.2, max_hold = 0.03 }
            [move]
            spreads_window = "2s"
            totals_window = "3s"
            h2h_window = "4s"
            spreads_points = 1.25
            totals_points = 1.5
            h2h_probability = 0.03
            books = 7
            [steam]
            window = "8s"
            books = 10
            spreads_points = 2.25
            totals_points = 2.5
            h2h_probability = 0.05
            cooldown = "9s"
            cap = 11
            [dislocation]
            spreads_points = 2.75
            totals_points = 3
            h2h_probability = 0.06
            cooldown = "10s"
            cap = 12
            window = "11s"
            [live_shock]
            watch = "all"
            window = "12s"
            spreads_points = 3.25
            totals_points = 3.5
            h2h_probability = 0.07
            "#,
        )
        .rules;
        let default = AnalysisRules::default();
        let devig = |method| DevigRule { method, max_sum: 1.4, max_exchange_spread: 0.1 };
        let all = |s: i64| [s * SECOND; 3];
        let expected = AnalysisRules {
            exchange: default.exchange.clone(),
            on: true,
            devig: [devig(Method::Probit), devig(Method::Additive), devig(Method::Shin)],
            fair: FairRule { half_life_ms: SECOND, min_books: 6, min_families: 4, step: 0.002, ..default.fair },
            market_move: MoveRule {
                window_ms: [2 * SECOND, 3 * SECOND, 4 * SECOND],
                books: 7,
                threshold: [1.25, 1.5, 0.03],
                cooldown_ms: [2 * SECOND, 3 * SECOND, 4 * SECOND],
                cap: u16::MAX,
            },
            key_cross: MoveRule {
                window_ms: [5 * SECOND, 6 * SECOND, 5 * SECOND],
                books: 8,
                threshold: [0.0; 3],
                cooldown_ms: [5 * SECOND, 6 * SECOND, 5 * SECOND],
                cap: u16::MAX,
            },
            sync: MoveRule {
                window_ms: all(7),
                books: 9,
                threshold: [1.75, 1.75, 0.04],
                cooldown_ms: all(7),
                cap: u16::MAX,
            },
            steam: MoveRule {
                window_ms: all(8),
                books: 10,
                threshold: [2.25, 2.5, 0.05],
                cooldown_ms: all(9),
                cap: 11,
            },
            live_shock: MoveRule {
                window_ms: all(12),
                threshold: [3.25, 3.5, 0.07],
                cooldown_ms: all(12),
                ..default.live_shock
            },
            dislocation: DislocationRule {
                threshold: [2.75, 3.0, 0.06],
                cooldown_ms: 10 * SECOND,
                cap: 12,
                window_ms: 11 * SECOND,
            },
            in_play: InPlayWatch::Everything,
            opportunity: OpportunityRule {
                min_ev: 0.01,
                max_skew_ms: 14 * SECOND,
                max_age_ms: 13 * SECOND,
                suspect_above: 0.2,
                max_hold: 0.03,
            },
        };
        assert_eq!(rules, expected);
    }

    #[test]
    fn a_longer_steam_window_is_the_engines() {
        let rules = with_file("[steam]\nwindow = \"15m\"\n").rules;
        assert_eq!((rules.steam.window_ms, rules.longest_window_ms()), ([900_000; 3], 900_000));
        let steam = MoveRule { window_ms: [900_000; 3], ..AnalysisRules::default().steam };
        assert_eq!(rules, AnalysisRules { steam, ..AnalysisRules::default() });
    }

    #[test]
    fn the_users_votes_go_over_the_table() {
        let before = with_file("");
        let after = with_file("[fair.weights]\npinnacle = 7\ndraftkings = 0\na_book_of_mine = 0.25\n");
        let voter = |settings: &EngineSettings, book: &str| settings.books[book].profile.voter;
        assert_eq!(voter(&after, "pinnacle"), Voter { weight: 7.0, ..voter(&before, "pinnacle") });
        assert_eq!(voter(&after, "draftkings").weight, 0.0);
        assert_eq!(after.books["pinnacle"].family, before.books["pinnacle"].family);
        assert_eq!(after.books["fanduel"], before.books["fanduel"]);
        let mine = Voter { weight: 0.25, ..BookProfile::default().voter };
        assert_eq!(voter(&after, "a_book_of_mine"), mine);
    }

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
