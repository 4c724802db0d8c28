//! Games that are moved, and games in play.

use stratum::engine::detect::signal::SignalType;
use stratum::engine::grade::close::{Grade, NoClose};
use stratum::engine::grade::clv::NoClv;
use stratum::engine::rules::InPlayWatch;

use super::bench::{Bench, defaults};
use super::tape::{EIGHT, NFL, Tape};

use SignalType::{LiveShock, Move, Steam};

const MINUTE: i64 = 60;
const DAY: i64 = 24 * 3600;
/// A start, and the one to which the game is moved.
const OLD: i64 = 60 * MINUTE;
const NEW: i64 = OLD + DAY;

#[test]
fn a_postponed_game_has_no_moves_and_no_close_at_its_old_start() {
    let mut tape = Tape::at_spread(NFL, -2.0);
    let old = 40 * MINUTE;
    tape.game().start = old;
    tape.stand(20);
    // The start and the lines change with one look.
    let new = old + DAY;
    tape.game().start = new;
    tape.all("spreads", -4.0, -110, -110);
    tape.stand_until(old + 20 * MINUTE);
    let bench = Bench::of(&tape);
    bench.assert_told(&[]);
    assert!(bench.closes().is_empty());
    for kind in [Steam, Move, SignalType::KeyCross] {
        assert!(bench.tally(kind).expect("tally").suppressed >= 1, "{}", kind.name());
    }
    tape.now = new - 30 * MINUTE;
    tape.stand_until(new + 5 * MINUTE);
    let bench = Bench::of(&tape);
    bench.assert_told(&[]);
    let closes = bench.closes();
    assert_eq!(closes.len(), 1);
    let close = &closes[0];
    assert_eq!((close.start, close.version, close.grade), (tape.at(new), 1, Some(Grade::B)), "{close:#?}");
    assert_eq!((close.line, close.books, close.provisional), (Some(-4.0), 8, false));
    // The look at the very start is in play; the one before it counts.
    assert_eq!(close.seen_at, Some(tape.at(new - MINUTE)));
}

/// A steam, the start, the news that the game is played a day later, and that day.
pub fn moved_after_its_start() -> (Tape, [usize; 2]) {
    let mut tape = Tape::at_spread(NFL, -2.0);
    tape.game().start = OLD;
    tape.stand(20);
    tape.all("spreads", -3.5, -110, -110);
    tape.stand_until(OLD + 2 * MINUTE);
    let first = tape.lines.len();
    tape.game().start = NEW;
    tape.stand(3);
    let second = tape.lines.len();
    tape.all("spreads", -5.0, -110, -110);
    tape.now = NEW - 30 * MINUTE;
    tape.stand_until(NEW + 3 * MINUTE);
    (tape, [first, second])
}

#[test]
fn a_close_that_was_taken_too_early_is_taken_back_and_taken_again() {
    let (tape, [told, moved]) = moved_after_its_start();
    let mut bench = Bench::new(defaults());
    bench.import(&tape.lines[..told]);
    assert_eq!(bench.signals().len(), 2, "{}", bench.told());
    let first = bench.closes().remove(0);
    assert_eq!((first.version, first.grade, first.start), (1, Some(Grade::B), tape.at(OLD)));
    let rows = bench.clv();
    assert!(rows.len() == 2 && rows.iter().all(|r| r.version == 1 && r.clv_ev.is_some()), "{rows:#?}");

    bench.import(&tape.lines[told..moved]);
    let second = bench.closes().remove(0);
    assert_eq!((second.version, second.grade, second.reason), (2, None, Some(NoClose::Postponed)));
    assert!(second.provisional && second.start == tape.at(NEW));
    let rows = bench.clv();
    assert_eq!(rows.len(), 2);
    for row in rows {
        assert_eq!((row.version, row.clv_ev, row.left_out), (2, None, Some(NoClv::NoClose)));
        assert_eq!(row.close.reason, Some(NoClose::Postponed));
        assert!(!row.counts());
    }

    bench.import(&tape.lines[moved..]);
    let third = bench.closes().remove(0);
    assert_eq!((third.version, third.grade, third.line), (3, Some(Grade::B), Some(-5.0)));
    assert_eq!((third.provisional, third.start), (false, tape.at(NEW)));
    for row in bench.clv() {
        assert_eq!((row.version, row.left_out, row.close.grade), (3, None, Some(Grade::B)));
        // -3.5 at -110 against a close of -5: worth having.
        assert!(row.clv_ev.is_some_and(|ev| ev > 0.0) && row.clv_points == Some(1.5), "{row:#?}");
    }
    assert_eq!(bench.signals().len(), 2, "{}", bench.told());
    bench.assert_live_is_replay();
}

/// Prices that fly once the game is on.
pub fn in_play() -> Tape {
    let mut tape = Tape::at_spread(NFL, -3.0);
    tape.all("totals", 44.5, -110, -110);
    tape.all("h2h", 0.0, -150, 130);
    let start = 30 * MINUTE;
    tape.game().start = start;
    tape.stand_until(start + 10 * MINUTE);
    for n in 0..4 {
        let far = f64::from(n) * 7.0;
        tape.all("spreads", -10.0 + far, -110, -110);
        tape.all("totals", 51.5 - far, -110, -110);
        let (home, away) = if n % 2 == 0 { (-450, 350) } else { (350, -450) };
        tape.all("h2h", 0.0, home, away);
        // One book is far away from all others.
        tape.set(EIGHT[n as usize], "spreads", 20.0, -110, -110);
        tape.stand(8);
    }
    tape
}

#[test]
fn nothing_is_told_of_games_in_play_by_default() {
    Bench::of(&in_play()).assert_told(&[]);
}

#[test]
fn a_watched_game_in_play_has_shocks_without_a_side() {
    let mut settings = defaults();
    settings.rules.in_play = InPlayWatch::Everything;
    let tape = in_play();
    let bench = Bench::with(&tape, settings);
    let signals = bench.signals();
    assert!(signals.iter().all(|s| s.kind == LiveShock && s.side.is_none() && s.entry.is_none()), "{}", bench.told());
    for market in ["spreads", "totals", "h2h"] {
        assert!(signals.iter().any(|s| s.market == market), "{market}: {}", bench.told());
    }
    assert!(signals.iter().all(|s| s.minutes_to_tip < 0.0 && s.detected_at > tape.at(30 * MINUTE)));
    // The close stands before the start and does not know of any of this.
    let spread = bench.closes().into_iter().find(|c| c.market == "spreads").expect("close");
    assert_eq!((spread.line, spread.grade), (Some(-3.0), Some(Grade::B)));
    assert!(bench.clv().is_empty());
}

/// Some answers hold a game no longer once it has begun. It has closed all the same.
#[test]
fn a_game_that_leaves_the_answers_at_its_start_has_a_close() {
    let mut tape = Tape::at_spread(NFL, -2.0);
    let mut later = tape.games[0].clone();
    later.id = "feedfacefeedfacefeedfacefeedface".into();
    (later.home, later.away) = ("Dallas Cowboys".into(), "New York Giants".into());
    tape.games.push(later);
    tape.game().start = OLD;
    tape.stand(20);
    tape.all("spreads", -3.5, -110, -110);
    tape.stand_until(OLD - MINUTE);
    let started = tape.games.remove(0);
    tape.stand(20);
    let bench = Bench::of(&tape);
    let closes = bench.closes();
    assert_eq!(closes.len(), 1, "{} has started", started.home);
    assert_eq!((closes[0].grade, closes[0].line, closes[0].start), (Some(Grade::B), Some(-3.5), tape.at(OLD)));
    assert!(bench.clv().iter().all(|r| r.clv_ev.is_some()) && bench.clv().len() == 2);
}
