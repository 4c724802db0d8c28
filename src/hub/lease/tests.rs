//! What holds whatever the network, the clocks and the devices do: cut, late, frozen and dead ones against a model of the
//! server.

use proptest::prelude::*;

use super::*;

const NAME: &str = "basketball_nba";

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn wanted() -> BTreeSet<String> {
    BTreeSet::from([NAME.to_owned()])
}

fn granted(mine: bool, token: i64, left: u64) -> Answer {
    let holder = (left > 0).then(|| if mine { "desk-1" } else { "desk-2" }.to_owned());
    let lease = Granted { name: NAME.to_owned(), token, mine, holder, left: ms(left) };
    Answer { leases: vec![lease], others: true }
}

fn state(alone: Alone) -> LeaseState {
    let mut state = LeaseState::new(Timing::default(), alone, None);
    assert!(state.want(wanted(), ms(0)).is_empty());
    state
}

#[test]
fn the_holder_counts_from_before_it_asked() {
    let mut s = state(Alone::Wait);
    assert_eq!(s.lease(NAME, ms(0)), Lease::Unknown);
    // The answer took two seconds.
    s.answered(ms(1_000), &granted(true, 7, 9_000), ms(3_000));
    assert_eq!(s.lease(NAME, ms(3_000)), Lease::Held { token: 7 });
    assert_eq!(s.next(), ms(4_000));
    assert_eq!(s.runs_out(ms(3_000)), Some(ms(10_500)));
    assert!(s.lease(NAME, ms(10_499)).is_held());
    // Nothing has to come for it to end.
    assert_eq!(s.lease(NAME, ms(10_500)), Lease::Unknown);
    s.failed(ms(4_000), ms(6_500));
    assert_eq!(s.lease(NAME, ms(10_500)), Lease::Unknown);
}

#[test]
fn an_answer_that_comes_too_late_gives_nothing() {
    let mut s = state(Alone::Wait);
    s.answered(ms(0), &granted(true, 1, 500), ms(9_600));
    assert_eq!(s.lease(NAME, ms(9_600)), Lease::Unknown);
    // One that another has overtaken neither.
    s.answered(ms(9_600), &granted(false, 2, 9_900), ms(9_700));
    s.answered(ms(9_000), &granted(true, 1, 9_000), ms(9_800));
    assert_eq!(s.lease(NAME, ms(9_800)), Lease::Other { name: "desk-2".into() });
}

#[test]
fn what_falls_free_is_asked_for_when_it_does() {
    let mut s = state(Alone::Wait);
    s.answered(ms(0), &granted(false, 1, 1_200), ms(100));
    assert_eq!(s.next(), ms(1_300));
    s.answered(ms(1_300), &granted(false, 1, 0), ms(1_400));
    assert_eq!((s.next(), s.lease(NAME, ms(1_400))), (ms(1_700), Lease::Unknown));
    s.answered(ms(1_700), &granted(false, 1, 9_000), ms(1_800));
    assert_eq!(s.next(), ms(4_700));
}

#[test]
fn tries_come_soon_and_then_at_the_beat() {
    let mut s = state(Alone::Wait);
    let waits: Vec<Duration> = (0..6)
        .map(|_| {
            s.failed(ms(1), ms(1_000));
            s.next() - ms(1_000)
        })
        .collect();
    assert_eq!(waits, [ms(300), ms(600), ms(1_200), ms(2_400), ms(3_000), ms(3_000)]);
}

#[test]
fn alone_it_does_what_the_setting_says() {
    let lost = |alone, others| {
        let mut s = state(alone);
        s.answered(ms(0), &Answer { others, ..granted(true, 3, 10_000) }, ms(10));
        s.failed(ms(12_000), ms(12_001));
        s.lease(NAME, ms(12_002))
    };
    let (on, off) = (Lease::Held { token: 3 }, Lease::Unknown);
    assert_eq!(lost(Alone::Wait, false), off);
    assert_eq!(lost(Alone::Poll, true), on);
    assert_eq!(lost(Alone::Auto, false), on);
    assert_eq!(lost(Alone::Auto, true), off);
    // One that stood by goes on standing by, whatever the setting says.
    for alone in [Alone::Auto, Alone::Poll, Alone::Wait] {
        let mut s = state(alone);
        s.answered(ms(0), &granted(false, 3, 10_000), ms(10));
        s.failed(ms(12_000), ms(12_001));
        assert_eq!(s.lease(NAME, ms(60_000)), Lease::Other { name: "desk-2".into() });
    }
    // Started while the hub is away: what was known of others decides.
    let fresh = |alone, others| {
        let mut s = LeaseState::new(Timing::default(), alone, others);
        s.want(wanted(), ms(0));
        assert_eq!(s.lease(NAME, ms(1)), Lease::Unknown, "it has not tried yet");
        s.failed(ms(0), ms(2));
        s.lease(NAME, ms(3)).is_held()
    };
    assert!(fresh(Alone::Poll, None) && fresh(Alone::Auto, Some(false)));
    assert!(!fresh(Alone::Auto, None) && !fresh(Alone::Auto, Some(true)) && !fresh(Alone::Wait, None));
}

#[test]
fn one_that_has_slept_asks_first() {
    for alone in [Alone::Wait, Alone::Auto, Alone::Poll] {
        let mut s = state(alone);
        s.answered(ms(0), &Answer { others: false, ..granted(true, 3, 10_000) }, ms(10));
        let morning = ms(8 * 3_600_000);
        assert_eq!(s.lease(NAME, morning), Lease::Unknown, "{alone:?}");
        assert!(s.next() < morning);
        // Even one that went on alone before.
        s.failed(ms(3_000), ms(3_001));
        assert_eq!(s.lease(NAME, morning), Lease::Unknown, "{alone:?}");
        s.failed(morning, morning);
        assert_eq!(s.lease(NAME, morning).is_held(), alone != Alone::Wait);
    }
}

#[test]
fn what_is_not_wanted_is_given_up() {
    let mut s = state(Alone::Wait);
    s.answered(ms(0), &granted(true, 3, 10_000), ms(10));
    assert_eq!(s.want(BTreeSet::new(), ms(20)), [NAME.to_owned()]);
    assert_eq!(s.lease(NAME, ms(20)), Lease::Unknown);
    // The answer to what was asked before.
    assert_eq!(s.answered(ms(15), &granted(true, 3, 10_000), ms(30)), [NAME.to_owned()]);
    assert_eq!(s.lease(NAME, ms(30)), Lease::Unknown);
    assert!(s.want(BTreeSet::new(), ms(40)).is_empty());
}

/// The server's side, as hub.lease_take does it.
#[derive(Default)]
struct Server {
    holder: Option<usize>,
    token: i64,
    until: u64,
}

impl Server {
    fn take(&mut self, device: usize, now: u64) -> Answer {
        let ttl = Timing::default().ttl.as_millis() as u64;
        if self.holder == Some(device) {
            self.until = now + ttl;
        } else if self.until <= now {
            (self.holder, self.token, self.until) = (Some(device), self.token + 1, now + ttl);
        }
        let mine = self.holder == Some(device) && self.until > now;
        let left = self.until.saturating_sub(now);
        let holder = self.holder.map(|d| format!("desk-{d}"));
        let lease = Granted { name: NAME.to_owned(), token: self.token, mine, holder, left: ms(left) };
        Answer { leases: vec![lease], others: true }
    }
}

/// What befalls a device for a while.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fault {
    /// Questions get lost.
    CutThere,
    /// Answers get lost. What is asked over a connection that stands arrives; a new one is not made that way.
    CutBack,
    /// The process does nothing; what it has sent is on its way.
    Frozen,
    /// The process is gone, and what it knew.
    Dead,
    /// Both ways take so much longer.
    Late(u64),
}

#[derive(Clone, Copy, Debug)]
struct Spell {
    device: usize,
    fault: Fault,
    from: u64,
    lasts: u64,
}

struct Device {
    state: LeaseState,
    /// Its clock is so far ahead of the server's.
    skew: u64,
    /// Sent, arrives there, arrives here, with what answer.
    under_way: Option<(u64, u64, u64, Option<Answer>)>,
    connected: bool,
}

const STEP: u64 = 50;

/// Runs the devices through the spells; tells for each step who believes to hold.
fn run(skews: &[u64], delays: &[u64], spells: &[Spell], length: u64) -> Vec<Vec<usize>> {
    let fresh = || {
        let mut s = LeaseState::new(Timing::default(), Alone::Wait, None);
        s.want(wanted(), ms(0));
        s
    };
    let mut server = Server::default();
    let mut devices: Vec<Device> =
        skews.iter().map(|skew| Device { state: fresh(), skew: *skew, under_way: None, connected: true }).collect();
    let mut beliefs = Vec::new();
    let mut turn = 0;
    for now in (0..length).step_by(STEP as usize) {
        for (i, d) in devices.iter_mut().enumerate() {
            let is = |f: fn(&Fault) -> bool| {
                spells.iter().any(|s| s.device == i && s.from <= now && now < s.from + s.lasts && f(&s.fault))
            };
            let late: u64 = spells
                .iter()
                .filter(|s| s.device == i && s.from <= now && now < s.from + s.lasts)
                .map(|s| if let Fault::Late(by) = s.fault { by } else { 0 })
                .sum();
            let local = ms(now + d.skew);
            // What has arrived at the server is dealt with, whatever the device does by now.
            if let Some((_, there, _, answer)) = &mut d.under_way
                && answer.is_none()
                && *there <= now
            {
                *answer = Some(server.take(i, now));
            }
            if is(|f| *f == Fault::Dead) {
                (d.state, d.under_way) = (fresh(), d.under_way.take().filter(|(_, there, _, _)| *there > now));
                continue;
            }
            if is(|f| *f == Fault::Frozen) {
                continue;
            }
            if let Some((sent, there, back, answer)) = d.under_way.clone() {
                if let Some(answer) = answer.filter(|_| back <= now && !is(|f| *f == Fault::CutBack)) {
                    d.state.answered(ms(sent + d.skew), &answer, local);
                    (d.under_way, d.connected) = (None, true);
                } else if now - sent >= Timing::default().patience.as_millis() as u64 && (there <= now || back <= now) {
                    d.state.failed(ms(sent + d.skew), local);
                    (d.under_way, d.connected) = (None, false);
                }
            } else if d.state.next() <= local || d.state.next() == ms(0) {
                turn += 1;
                let one_way = delays[turn % delays.len()] + late;
                let cut = is(|f| *f == Fault::CutThere) || (!d.connected && is(|f| *f == Fault::CutBack));
                if cut {
                    // Lost: it is not waited for here, which makes it try more often.
                    d.state.failed(local, local);
                } else {
                    let there = now + one_way;
                    d.under_way = Some((now, there, there + delays[(turn + 1) % delays.len()] + late, None));
                }
            }
        }
        let frozen = |i: usize| {
            let is = |s: &&Spell| matches!(s.fault, Fault::Frozen | Fault::Dead) && s.device == i;
            spells.iter().filter(is).any(|s| s.from <= now && now < s.from + s.lasts)
        };
        // Who is frozen asks nothing; the moment it wakes it is asked what it believes.
        let believes =
            |(i, d): (usize, &Device)| (!frozen(i) && d.state.lease(NAME, ms(now + d.skew)).is_held()).then_some(i);
        beliefs.push(devices.iter().enumerate().filter_map(believes).collect());
    }
    beliefs
}

fn faults() -> impl Strategy<Value = Spell> {
    let fault = prop_oneof![
        Just(Fault::CutThere),
        Just(Fault::CutBack),
        Just(Fault::Frozen),
        Just(Fault::Dead),
        (0..12_000_u64).prop_map(Fault::Late),
    ];
    (0..3_usize, fault, 0..90_000_u64, 0..40_000_u64).prop_map(|(device, fault, from, lasts)| Spell {
        device,
        fault,
        from,
        lasts,
    })
}

/// The longest time without anybody who believes to hold.
fn longest_gap(beliefs: &[Vec<usize>]) -> u64 {
    let (mut gap, mut longest) = (0, 0);
    for held in beliefs {
        gap = if held.is_empty() { gap + STEP } else { 0 };
        longest = longest.max(gap);
    }
    longest
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// However questions and answers are lost, late and out of step with the clocks: never two at once.
    #[test]
    fn never_two_at_once(
        skews in proptest::collection::vec(0..600_000_u64, 3),
        delays in proptest::collection::vec(0..3_000_u64, 1..20),
        spells in proptest::collection::vec(faults(), 0..12),
    ) {
        for (step, held) in run(&skews, &delays, &spells, 120_000).iter().enumerate() {
            prop_assert!(held.len() <= 1, "{held:?} at {} ms", step as u64 * STEP);
        }
    }

    /// The holder is killed, frozen or cut off at any moment and for however long: with the hub there and the others
    /// connected as networks are, somebody holds again in under 15 s, and under 11 s of these are the old lease.
    #[test]
    fn somebody_takes_over_in_time(
        skews in proptest::collection::vec(0..600_000_u64, 3),
        delays in proptest::collection::vec(0..250_u64, 1..20),
        kind in 0..4_usize,
        from in 20_000..30_000_u64,
        lasts in 0..60_000_u64,
    ) {
        let fault = [Fault::CutThere, Fault::CutBack, Fault::Frozen, Fault::Dead][kind];
        let before = run(&skews, &delays, &[], 20_000);
        prop_assert!(longest_gap(&before) <= 1_000, "it begins at once");
        let holder = before.last().and_then(|h| h.first().copied()).expect("somebody");
        let beliefs = run(&skews, &delays, &[Spell { device: holder, fault, from, lasts }], 120_000);
        let gap = longest_gap(&beliefs[(from / STEP) as usize - 1..]);
        prop_assert!(gap < 12_000, "{gap} ms");
    }
}
