//! A network that fails between devices and their hub, in every way, with the real program.

use std::time::{Duration, Instant};

use super::feed::Feed;
use crate::devices::until;
use crate::proxy::{Link, Proxy};
use crate::shared;

pub fn a_desk_outlives_a_network_that_drops_resets_and_delays() {
    let Some(server) = shared() else { return };
    let feed = Feed::new(server, "dropped", 20);
    let [a, b, c] = [(); 3].map(|()| Proxy::start(server.port()));
    let first = feed.device("desk-1", "collector", Some(a.port()));
    let second = feed.device("desk-2", "collector", Some(b.port()));
    let board = feed.device("board", "pro", Some(c.port()));
    let one = first.daemon();
    until("looks of the first", || feed.told_by(&first) >= 3);
    let (two, follows) = (second.daemon(), board.daemon());
    until("both follow", || second.looks() >= 3 && board.looks() >= 3);

    // What the first one sends vanishes: the second takes over, and the first one finds back by itself.
    // The board hears nothing for as long.
    let at = Instant::now();
    a.set(Link::Silent);
    c.set(Link::Silent);
    feed.until_told_by(&second, at);
    let at = Instant::now();
    a.set(Link::Open);
    c.set(Link::Open);
    feed.until_caught_up(&first);
    println!("dropped: the first follows {:?} after the network is back", at.elapsed());
    feed.until_caught_up(&board);
    println!("dropped: the board follows {:?} after the network is back", at.elapsed());

    // Connections of the second are reset, and new ones refused.
    let at = Instant::now();
    b.set(Link::Reset);
    feed.until_told_by(&first, at);
    let at = Instant::now();
    b.set(Link::Open);
    feed.until_caught_up(&second);
    println!("dropped: the second follows {:?} after its connections are taken again", at.elapsed());

    // A network that is only slow changes nothing.
    [&a, &b, &c].iter().for_each(|p| p.set(Link::Late(Duration::from_millis(50))));
    let before = feed.told_by(&first);
    until("it goes on slowly", || feed.told_by(&first) >= before + 2);
    [&a, &b, &c].iter().for_each(|p| p.set(Link::Open));
    one.stop();
    two.stop();
    follows.stop();
    feed.assert_whole(&[&first, &second, &board]);
}

pub fn collectors_that_are_split_both_poll_where_they_may_and_agree_afterwards() {
    let Some(server) = shared() else { return };
    let feed = Feed::new(server, "split", 20);
    let a = Proxy::start(server.port());
    let mut first = feed.device("desk-1", "collector", Some(a.port()));
    // This one goes on whoever else may do so.
    first.more.push(("STRATUM_HUB_ALONE", "poll".to_owned()));
    let second = feed.device("desk-2", "collector", None);
    let one = first.daemon();
    until("looks of the first", || feed.told_by(&first) >= 3);
    let two = second.daemon();
    until("the second follows", || second.looks() >= 3);
    let at = Instant::now();
    a.set(Link::Reset);
    feed.until_told_by(&second, at);
    let untold = "SELECT count(*) FROM look WHERE id NOT IN (SELECT look FROM hub_look)";
    until("the first one polls alone", || first.ask(untold) >= 14);
    let told = feed.told_by(&first);
    a.set(Link::Open);
    let took = until("what it collected alone gives way", || {
        first.ask(untold) == 0 && first.ask("SELECT count(*) FROM hub_look") > told + 2
    });
    println!("split: agreed {took:?} after they see each other again");
    assert_eq!(feed.told_by(&first), told, "nothing of a holder who was one no more");
    assert!(feed.status(&first)["given_up"].as_i64().is_some_and(|n| n >= 14), "{}", feed.status(&first));
    two.stop();
    let at = Instant::now();
    feed.until_told_by(&first, at);
    one.stop();
    feed.assert_whole(&[&first, &second]);
}
