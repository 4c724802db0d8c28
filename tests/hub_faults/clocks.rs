//! Devices whose clocks are five minutes apart, by which they stamp what they see.

use std::time::Instant;

use crate::devices::{Device, until};
use crate::faketime::WallClock;
use crate::shared;

use super::feed::Feed;

/// Has a device live by a clock that is so many seconds wrong.
fn skew(device: &mut Device, seconds: i64) -> Option<()> {
    let clock = WallClock::new(&device.home)?;
    clock.set(seconds);
    device.more.extend(clock.variables());
    device.more.push(("STRATUM_ODDS_API_CLOCK", "local".to_owned()));
    Some(())
}

pub fn devices_with_clocks_minutes_apart_hold_the_same() {
    let Some(server) = shared() else { return };
    let feed = Feed::new(server, "skewed", 1);
    let mut ahead = feed.device("desk-1", "collector", None);
    let mut behind = feed.device("desk-2", "collector", None);
    let mut board = feed.device("board", "pro", None);
    for (device, seconds) in [(&mut ahead, 300), (&mut behind, 0), (&mut board, -300)] {
        if skew(device, seconds).is_none() {
            return;
        }
    }
    let one = ahead.daemon();
    until("looks of the first", || feed.told_by(&ahead) >= 3);
    let (two, follows) = (behind.daemon(), board.daemon());
    until("both follow", || behind.looks() >= 3 && board.looks() >= 3);
    let newest = ahead.ask("SELECT max(received_at) FROM look");
    assert!(newest > chrono::Utc::now().timestamp_millis() + 200_000, "the clock is ahead");

    // The one that is ahead dies in mid-work; what the other one sees is taken all the same, though it seems older.
    let at = Instant::now();
    drop(one);
    feed.until_told_by(&behind, at);
    let seen = board.looks();
    until("the board sees it", || board.looks() >= seen + 3);
    // Instants rise all the same, and none is that of two looks.
    assert_eq!(behind.ask("SELECT count(*) - count(DISTINCT received_at) FROM look"), 0);

    // The first comes back and stands by; the second dies, and so the other way round.
    let one = ahead.daemon();
    feed.until_caught_up(&ahead);
    let at = Instant::now();
    drop(two);
    feed.until_told_by(&ahead, at);
    let seen = board.looks();
    until("the board sees that", || board.looks() >= seen + 3);
    one.stop();
    follows.stop();
    feed.assert_whole(&[&ahead, &behind, &board]);
}
