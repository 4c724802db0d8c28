//! Derivations worked out again from their own inputs, without the engine's code: what a person would do.

use proptest::prelude::*;

use super::*;
use crate::engine::appraise::{Appraisal, Appraiser};
use crate::engine::changes::{EventRow, EventStatus, QuoteKey};
use crate::engine::detect::signal::*;
use crate::engine::grade::close::{Close, CloseBook, Grade, NoClose};
use crate::engine::grade::clv::{CloseSide, ClvRow, NoClv};
use crate::engine::names::Names;
use crate::engine::opportunity::OpportunityKind;
use crate::engine::price::fair::Voter;
use crate::engine::profile::BookProfile;
use crate::engine::rules::AnalysisRules;
use crate::engine::settings::{BookInfo, EngineSettings};
use crate::engine::status::{Phase, QuoteValue, Status};
use crate::market::books::{BookKind, Fee};
use crate::market::bucket::TimeBucket;
use crate::market::ids::{BookId, EventId, MarketId, Slot, SportId, SubjectId};
use crate::market::line::Line;
use crate::market::margin::{Distribution, Models};
use crate::market::price::Price;
use crate::market::selection::{Selection, Side};

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
const BOOKS: [&str; 7] = ["sharp", "one", "two", "three", "sister_a", "sister_b", "six"];

fn settings() -> EngineSettings {
    let mut settings = EngineSettings::default();
    for book in BOOKS {
        let kind = if book == "sharp" { BookKind::Sharp } else { BookKind::Retail };
        let weight = if book == "sharp" { 2.5 } else { 1.0 };
        let fee = if book == "six" { Fee::NetWin(0.02) } else { Fee::None };
        let family = if book.starts_with("sister") { "sisters" } else { "" };
        settings.books.insert(
            book.to_owned(),
            BookInfo {
                family: family.to_owned(),
                profile: BookProfile { voter: Voter { family: 0, kind, weight }, fee, direct: false },
                ..BookInfo::default()
            },
        );
    }
    settings
}

fn names(sport: &str) -> Names {
    let mut names = Names::default();
    names.sources.intern("test");
    names.sports.intern(sport);
    for market in ["spreads", "totals", "h2h"] {
        names.markets.intern(market);
    }
    for book in BOOKS {
        names.books.intern(book);
    }
    names
}

/// One book's market: line as the first side sees it, price of each side, seconds since it was seen.
#[derive(Clone, Debug)]
struct Offered {
    line: Option<f64>,
    prices: Vec<i64>,
    age: i64,
}

fn offered(line: Option<f64>, prices: &[i64], age: i64) -> Offered {
    Offered { line, prices: prices.to_vec(), age }
}

fn appraise(sport: &str, market: u16, sides: &[Side], offers: &[Offered]) -> Appraisal {
    let row = EventRow {
        id: EventId(1),
        source: 1,
        provider_id: "e1".into(),
        sport: SportId(1),
        home: "Home".into(),
        away: "Away".into(),
        commence: NOW.plus(3 * 3_600_000),
        first_seen: NOW.plus(-3_600_000),
        status: EventStatus::Scheduled,
        score: None,
    };
    let mut quotes = Vec::new();
    for (n, offer) in offers.iter().enumerate() {
        for (side, price) in sides.iter().zip(&offer.prices) {
            let line = offer.line.map(|l| if *side == Side::Away { -l } else { l }).and_then(Line::from_points);
            let selection = Selection { side: *side, subject: SubjectId::NONE, line: None };
            let seen = NOW.plus(-offer.age * 1000);
            quotes.push((
                Slot(quotes.len() as u32),
                QuoteKey { book: BookId(n as u16 + 1), market: MarketId(market), selection },
                QuoteValue {
                    line,
                    price: Price::american(*price).expect("price"),
                    status: Status::Open,
                    phase: Phase::Pregame,
                    first_seen: seen.plus(-1000),
                    last_changed: seen.plus(-500),
                    last_seen: seen,
                    provider_update: Some(seen),
                },
            ));
        }
    }
    let mut all = Appraiser::new(settings(), names(sport)).event(row, quotes, NOW, &[]);
    assert_eq!(all.len(), 1);
    all.remove(0)
}

fn spread(offers: &[Offered]) -> Appraisal {
    appraise("americanfootball_nfl", 1, &[Side::Home, Side::Away], offers)
}

fn nfl() -> &'static Distribution {
    static MODELS: std::sync::OnceLock<Models> = std::sync::OnceLock::new();
    let models = MODELS.get_or_init(|| Models::embedded().expect("models"));
    models.for_sport("americanfootball_nfl").expect("nfl").model.margin(None).expect("margin")
}

/// q^k with sum 1, by halving an interval.
fn power(prices: &[Option<f64>]) -> Vec<f64> {
    let raw: Vec<f64> = prices.iter().map(|d| 1.0 / d.expect("price")).collect();
    let (mut low, mut high) = (0.5, 5.0);
    for _ in 0..200 {
        let k = 0.5 * (low + high);
        if raw.iter().map(|q| q.powf(k)).sum::<f64>() > 1.0 { low = k } else { high = k }
    }
    raw.iter().map(|q| q.powf(low)).collect()
}

fn parameter(d: &Derivation, step: &str, name: &str) -> f64 {
    let step = d.steps.iter().find(|s| s.name.starts_with(step)).unwrap_or_else(|| panic!("{step}"));
    let found = step.numbers.iter().chain(&step.result).find(|n| n.name == name).unwrap_or_else(|| panic!("{name}"));
    found.value.expect("number")
}

/// The fair value worked out again from table weights, ages, families, lines and prices of the derivation.
fn again(d: &Derivation, points: bool, side: usize) -> (f64, f64, f64) {
    let half_life = parameter(d, "age decay", "half-life");
    let aged = |i: &Input| {
        let margin = (i.raw_sum.expect("sum") - 1.0).max(parameter(d, "age decay", "least margin"));
        let seconds = (i.seen_seconds_ago.expect("age") / 60.0).floor() * 60.0;
        i.table_weight.expect("weight")
            * (parameter(d, "age decay", "usual margin") / margin).powi(2)
            * (-(seconds / half_life) * std::f64::consts::LN_2).exp()
    };
    let judged = |i: &Input| i.excluded.as_ref().is_some_and(|e| e.name == "judged_family");
    let votes: Vec<(f64, f64, String)> = d
        .inputs
        .iter()
        .filter(|i| i.weight.is_some() && !judged(i))
        .map(|i| {
            let p = power(&i.prices);
            let value = if points {
                nfl()
                    .location(Side::Home, Line::from_points(i.line.expect("line")).expect("line"), p[0])
                    .expect("value")
            } else {
                (p[side] / (1.0 - p[side])).ln()
            };
            let sisters: Vec<f64> = d.inputs.iter().filter(|s| s.family == i.family).map(aged).collect();
            let heaviest = sisters.iter().copied().fold(0.0, f64::max);
            (value, heaviest * aged(i) / sisters.iter().sum::<f64>(), i.family.clone().expect("family"))
        })
        .collect();
    let mut sorted = votes.clone();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let half = 0.5 * sorted.iter().map(|v| v.1).sum::<f64>();
    let (mut sum, mut centre) = (0.0, None);
    for (n, v) in sorted.iter().enumerate() {
        sum += v.1;
        if (sum - half).abs() < 1e-9 * half {
            centre = Some(0.5 * (v.0 + sorted[n + 1].0));
            break;
        }
        if sum > half {
            centre = Some(v.0);
            break;
        }
    }
    let centre = centre.expect("median");
    let steps: Vec<&Step> = d.steps.iter().filter(|s| s.name.starts_with("clip")).collect();
    let c = steps[side].result[0].value.expect("c");
    let share = |v: f64| {
        let away = (v - centre).abs();
        if away <= c {
            1.0
        } else if away <= 3.0 * c {
            c / away
        } else {
            0.0
        }
    };
    let total: f64 = votes.iter().map(|v| v.1 * share(v.0)).sum();
    let mean = votes.iter().map(|v| v.1 * share(v.0) * v.0).sum::<f64>() / total;
    let mut families: Vec<&String> = votes.iter().map(|v| &v.2).collect();
    families.sort();
    families.dedup();
    let squares: f64 = families
        .iter()
        .map(|f| votes.iter().filter(|v| v.2 == **f).map(|v| v.1 * share(v.0)).sum::<f64>().powi(2))
        .sum();
    let effective = total * total / squares;
    let floor = {
        let step = d.steps.iter().filter(|s| s.name.starts_with("standard error")).nth(side).expect("error");
        step.numbers[0].value.expect("floor")
    };
    let spread = votes.iter().map(|v| v.1 * share(v.0) * (v.0 - mean).powi(2)).sum::<f64>() / total;
    let bessel = if effective > 1.0 + 1e-9 { effective / (effective - 1.0) } else { 1.0 };
    (mean, ((spread * bessel).max(floor * floor) / effective).sqrt(), effective)
}

fn near(got: f64, want: f64) {
    assert!((got - want).abs() < 1e-9, "{got}, wanted {want}");
}

fn seven() -> Vec<Offered> {
    vec![
        offered(Some(-3.0), &[-115, -105], 30),
        offered(Some(-3.0), &[-110, -110], 60),
        offered(Some(-3.5), &[-105, -115], 5),
        offered(Some(-2.5), &[-125, 105], 200),
        offered(Some(-3.0), &[-120, 100], 12),
        offered(Some(-3.0), &[-118, -102], 90),
        offered(Some(-3.0), &[105, -125], 1),
    ]
}

/// Worked out by hand, the derivation and the engine agree, with all books and without each.
fn check(a: &Appraisal) {
    for book in [None].into_iter().chain(BOOKS.map(Some)) {
        let d = fair(a, book);
        let engine = match book {
            None => a.fair.as_ref(),
            Some(book) => a.books.iter().find(|p| p.book == book).and_then(|p| p.without.as_ref()),
        };
        let Some(engine) = engine else {
            assert!(d.value("home probability").is_none(), "{d:#?}");
            continue;
        };
        if d.notes.iter().any(|n| n.contains("two camps")) {
            continue;
        }
        let (mean, error, effective) = again(&d, true, 0);
        near(mean, engine.value);
        near(error, engine.standard_error);
        near(effective, engine.effective_books);
        let reference = Line::from_points(a.reference_line.expect("line")).expect("line");
        let s = nfl().settlement(Side::Home, reference, mean).expect("chances");
        near(s.win / (s.win + s.loss), engine.sides[0].fair_probability);
        near(d.value("home probability").expect("p"), engine.sides[0].fair_probability);
        near(d.value("home fair line").expect("line"), engine.sides[0].fair_line.expect("line"));
        near(d.value("standard error").expect("error"), engine.standard_error);
        assert!(!d.notes.iter().any(|n| n.contains("please report")), "{:?}", d.notes);
    }
}

#[test]
fn a_fair_price_can_be_worked_out_by_hand() {
    let a = spread(&seven());
    check(&a);
    let all = fair(&a, None);
    assert_eq!(all.inputs.len(), 7);
    assert!(all.excluded.is_empty());
    let without = fair(&a, Some("sister_a"));
    let out: Vec<&str> = without.excluded.iter().map(|l| l.what.as_str()).collect();
    assert_eq!(out, ["sister_a", "sister_b"], "a family leaves as a whole");
    let family = all.step("sisters share a vote").expect("step");
    assert_eq!(family.filled.len(), 2);
}

#[test]
fn every_exclusion_is_told_in_words() {
    let mut offers = seven();
    offers[1].prices = vec![-110];
    offers[2].prices = vec![-300, -300];
    offers[3] = offered(Some(9.5), &[-110, -110], 10);
    let d = fair(&spread(&offers), None);
    let out: Vec<(&str, &str)> = d.excluded.iter().map(|l| (l.what.as_str(), l.reason.name.as_str())).collect();
    assert_eq!(out, [("one", "incomplete"), ("three", "outlier"), ("two", "vig_too_high")]);
    assert!(d.excluded.iter().all(|l| l.reason.words.contains(' ')));
}

#[test]
fn three_ways_are_averaged_side_by_side() {
    let offers: Vec<Offered> = [[150, 190, 230], [145, 200, 225], [155, 185, 240], [150, 195, 220], [148, 192, 228]]
        .iter()
        .enumerate()
        .map(|(n, p)| offered(None, p, n as i64 * 20))
        .collect();
    let a = appraise("soccer_epl", 3, &[Side::Home, Side::Away, Side::Draw], &offers);
    let d = fair(&a, None);
    let p: Vec<f64> = (0..3).map(|side| 1.0 / (1.0 + (-again(&d, false, side).0).exp())).collect();
    let engine = a.fair.as_ref().expect("fair");
    for (side, p_side) in p.iter().enumerate() {
        near(p_side / p.iter().sum::<f64>(), engine.sides[side].fair_probability);
    }
    near(d.value("draw probability").expect("draw"), engine.sides[2].fair_probability);
    assert!(!d.notes.iter().any(|n| n.contains("please report")), "{:?}", d.notes);
    let c = consensus(&a);
    for (side, name) in ["home", "away", "draw"].iter().enumerate() {
        near(
            c.value(&format!("{name} probability")).expect("p"),
            a.consensus.as_ref().expect("consensus").probability[side],
        );
    }
}

#[test]
fn totals_and_moneylines_give_the_numbers_of_the_analysis() {
    let totals = seven().into_iter().map(|o| Offered { line: o.line.map(|l| 48.0 - l), ..o }).collect::<Vec<_>>();
    let moneylines = seven().into_iter().map(|o| Offered { line: None, ..o }).collect::<Vec<_>>();
    let boards = [
        appraise("americanfootball_nfl", 2, &[Side::Over, Side::Under], &totals),
        appraise("americanfootball_nfl", 3, &[Side::Home, Side::Away], &moneylines),
    ];
    for a in boards {
        for book in [None].into_iter().chain(BOOKS.map(Some)) {
            let d = fair(&a, book);
            assert!(!d.result.is_empty());
            assert!(!d.notes.iter().any(|n| n.contains("please report")), "{:?}", d.notes);
        }
        let d = consensus(&a);
        assert!(!d.result.is_empty());
        assert!(!d.notes.iter().any(|n| n.contains("please report")), "{:?}", d.notes);
    }
}

#[test]
fn too_few_books_have_no_fair_price_and_the_derivation_says_so() {
    let a = spread(&seven()[1..3]);
    // Both take the numbers of the first two books, one of which is sharp: without it one is left.
    let d = fair(&a, Some("sharp"));
    assert!(d.result.is_empty());
    assert!(d.notes.iter().any(|n| n.contains("too few independent books")), "{:?}", d.notes);
    assert!(consensus(&a).notes.iter().any(|n| n.contains("too few books")));
}

#[test]
fn a_consensus_is_the_median_of_its_inputs() {
    let a = spread(&seven());
    let d = consensus(&a);
    let board = a.consensus.as_ref().expect("consensus");
    let mut values: Vec<f64> = d.inputs.iter().filter_map(|i| i.value).collect();
    values.sort_by(f64::total_cmp);
    near(d.value("value").expect("value"), values[3]);
    let at = Line::from_points(d.value("line").expect("line")).expect("line");
    near(nfl().probability(Side::Home, at, values[3]).expect("p"), board.probability[0]);
    let mean = values.iter().sum::<f64>() / 7.0;
    near((values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 7.0).sqrt(), board.dispersion);
    near(d.value("dispersion").expect("dispersion"), board.dispersion);
}

#[test]
fn opportunities_give_their_own_numbers() {
    let mut offers = seven();
    offers[6] = offered(Some(-2.5), &[112, -130], 1);
    offers[1] = offered(Some(-3.0), &[-130, 125], 1);
    let a = spread(&offers);
    let names = names("americanfootball_nfl");
    let mut kinds: Vec<OpportunityKind> = a.opportunities.iter().map(|o| o.kind).collect();
    kinds.dedup();
    assert!(kinds.contains(&OpportunityKind::PositiveEv) && kinds.contains(&OpportunityKind::Middle), "{kinds:?}");
    for o in &a.opportunities {
        let d = opportunity(&a, o, &names);
        near(d.value("ev").expect("ev"), o.ev);
        assert!(!d.notes.iter().any(|n| n.contains("please report")), "{:?}", d.notes);
        match o.kind {
            OpportunityKind::PositiveEv => {
                let of = |name: &str| {
                    let step = d.steps.iter().find(|s| s.name.starts_with("chances")).expect("chances");
                    step.result.iter().find(|n| n.name == name).and_then(|n| n.value).expect("chance")
                };
                let odds = d.inputs[0].odds.expect("odds");
                near(of("win") * (odds - 1.0) - of("loss"), o.ev);
                near(1.0, of("win") + of("push") + of("loss"));
                near(d.value("kelly").expect("kelly"), o.kelly.expect("kelly"));
            }
            OpportunityKind::Middle => near(d.value("both win").expect("chance"), o.chance.expect("chance")),
            OpportunityKind::Arbitrage | OpportunityKind::LowHold => {
                near(d.inputs.iter().map(|i| i.share.expect("share")).sum::<f64>(), 1.0);
                near(1.0 / d.inputs.iter().map(|i| 1.0 / i.odds.expect("odds")).sum::<f64>() - 1.0, o.ev);
            }
        }
    }
}

#[test]
fn an_arbitrage_shows_its_cost_and_its_shares() {
    let mut offers = seven();
    offers[1] = offered(Some(-3.0), &[-105, -115], 1);
    offers[6] = offered(Some(-3.0), &[-160, 130], 3);
    let a = spread(&offers);
    let o = a.opportunities.iter().find(|o| o.kind == OpportunityKind::Arbitrage).expect("arbitrage");
    let d = opportunity(&a, o, &names("americanfootball_nfl"));
    // 2 % of the winnings: 1 + 1.30 x 0.98.
    near(d.inputs[1].odds.expect("odds"), 2.274);
    let cost: f64 = d.inputs.iter().map(|i| 1.0 / i.odds.expect("odds")).sum();
    near(d.value("S").expect("S"), cost);
    near(d.value("ev").expect("ev"), 1.0 / cost - 1.0);
    near(d.step("legs seen close together").expect("skew").result[0].value.expect("skew"), d_skew(&d));
}

fn d_skew(d: &Derivation) -> f64 {
    let ages: Vec<f64> = d.inputs.iter().filter_map(|i| i.seen_seconds_ago).collect();
    (ages[0] - ages[1]).abs()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_board_can_be_worked_out_by_hand(
        books in proptest::collection::vec((-7_i32..=-1, -118_i64..=-102, 0_i64..280), 7),
    ) {
        let offers: Vec<Offered> = books
            .into_iter()
            .map(|(half, home, age)| offered(Some(0.5 * f64::from(half)), &[home, -220 - home], age))
            .collect();
        check(&spread(&offers));
    }
}

fn entry() -> Entry {
    Entry {
        book: "draftkings".into(),
        line: Some(-2.5),
        price: 2.0,
        price_american: 100,
        age_seconds: 20.0,
        ev: Some(0.02),
        fair_probability: Some(0.51),
    }
}

fn stand(line: f64, value: f64) -> Stand {
    Stand { line: Some(line), prices: [Some(1.909), Some(1.909), None], probability: 0.5, value }
}

fn steam() -> Signal {
    let evidence = (0..5)
        .map(|n| Evidence {
            book: format!("book{n}"),
            family: format!("book{n}"),
            before: stand(-2.0, 2.0),
            after: stand(-3.5, 3.5),
            change: if n == 4 { 0.0 } else { 1.5 },
            moved_at: (n < 4).then_some(NOW),
            moved_after: (n < 4).then(|| NOW.plus(-60_000)),
            order: (n < 4).then_some(1),
        })
        .collect();
    let components = Components {
        base: Some(8.0),
        magnitude: Some(40.0),
        books: Some(5.5),
        speed: Some(18.0),
        composite_strength: Some(28.8),
        composite_velocity: Some(14.5),
        composite_movers: Some(12.0),
        composite_sharp: Some(0.0),
        composite_timing: Some(6.0),
        composite_record: Some(0.0),
        composite_stale_entry: Some(0.0),
        ..Components::default()
    };
    Signal {
        id: "0123456789abcdef".into(),
        version: 1,
        schema: SCHEMA,
        kind: SignalType::Steam,
        event_id: EventId(1),
        provider_event_id: "e1".into(),
        sport: "americanfootball_nfl".into(),
        home_team: "Home".into(),
        away_team: "Away".into(),
        commence_time: NOW.plus(3 * 3_600_000),
        market: "spreads".into(),
        selection: "Home".into(),
        side: Some("home".into()),
        direction: Direction::Down,
        window_minutes: 3.0,
        unit: "line".into(),
        from_value: -2.0,
        to_value: -3.5,
        entry: Some(entry()),
        entry_now: None,
        books_affected: 4,
        panel: 5,
        opposers: 0,
        evidence,
        sampling: Sampling { looks: 4, longest_gap_seconds: 60.0, limit_seconds: 180.0, from_look: NOW.plus(-180_000) },
        velocity_minutes: 0.1,
        minutes_to_tip: 180.0,
        time_bucket: TimeBucket::Mid,
        strength: 72,
        components,
        composite: 61,
        tier: Tier::Medium,
        score_source: ScoreSource::Composite,
        sharp: Sharp::None,
        supersedes: Some("fedcba9876543210".into()),
        detail: Detail { labels: vec!["leader_unknown".into()], ..Detail::default() },
        detected_at: NOW,
        updated_at: NOW,
        key: crate::engine::price::unit::UnitKey::default(),
    }
}

#[test]
fn a_signal_shows_its_rule_its_panel_and_what_its_scores_are_made_of() {
    let d = signal(&steam(), &AnalysisRules::default());
    near(parameter(&d, "rule", "threshold"), 0.5);
    near(parameter(&d, "size", "size"), 1.5);
    near(parameter(&d, "panel", "moved this way"), 4.0);
    for (step, told) in [("strength", 72.0), ("composite", 61.0)] {
        let parts = d.step(step).expect("step").numbers.iter().filter_map(|n| n.value).sum::<f64>();
        near(parts.round_ties_even(), told);
        near(d.value(step).expect("score"), told);
    }
    assert!(d.notes.iter().any(|n| n.contains("fedcba9876543210")));
    assert!(d.notes.iter().any(|n| n.starts_with("leader unknown")));
    assert!(!d.notes.iter().any(|n| n.contains("rules have changed")));
    let mut wider = AnalysisRules::default();
    wider.steam.window_ms = [600_000; 3];
    assert!(signal(&steam(), &wider).notes.iter().any(|n| n.contains("rules have changed")));
}

fn closed() -> Close {
    let value = 3.2;
    let inputs = [("a", 3.0), ("b", 3.4)]
        .map(|(book, value)| CloseBook {
            book: book.into(),
            line: Some(-3.0),
            prices: [Some(1.9), Some(1.95), None],
            probability: Some(0.5),
            value: Some(value),
            weight: 1.0,
            age_seconds: 400.0,
            excluded: None,
        })
        .to_vec();
    let line = Line::from_points(-3.0);
    let p = nfl().probability(Side::Home, line.expect("line"), value).expect("p");
    Close {
        event_id: EventId(1),
        market: "spreads".into(),
        subject: None,
        version: 1,
        start: NOW,
        seen_at: Some(NOW.plus(-60_000)),
        grade: Some(Grade::C),
        reason: None,
        provisional: false,
        line: Some(-3.0),
        probability: [p, 1.0 - p, 0.0],
        value,
        scale: "points".into(),
        fair_line: Some(-3.2),
        standard_error: 0.1,
        effective_books: 2.0,
        books: 2,
        sharp: false,
        age_seconds: Some(400.0),
        inputs,
        key: crate::engine::price::unit::UnitKey::default(),
    }
}

#[test]
fn a_close_shows_which_condition_decided_its_grade() {
    let d = close(&closed());
    near(parameter(&d, "mean", "mean"), 3.2);
    let grade = d.step("grade").expect("grade");
    assert!(grade.filled[0].starts_with("A not met: 2 books of 5, no sharp book, 6.7 min old"), "{:?}", grade.filled);
    assert!(grade.filled[1].starts_with("B not met: 2 books of 4"), "{:?}", grade.filled);
    assert!(grade.filled[2].starts_with("C met"), "{:?}", grade.filled);
    let none = Close { grade: None, reason: Some(NoClose::Postponed), inputs: Vec::new(), ..closed() };
    let d = close(&none);
    assert!(d.result.is_empty() && d.excluded[0].reason.name == "postponed");
}

fn graded(left_out: Option<NoClv>) -> (ClvRow, f64) {
    let s = nfl().settlement(Side::Home, Line::from_points(-2.5).expect("line"), 3.2).expect("chances");
    let ev = s.win - s.loss;
    let there = left_out.is_none();
    let signal = steam();
    let row = ClvRow {
        signal_id: signal.id,
        version: 1,
        kind: SignalType::Steam,
        event_id: EventId(1),
        sport: signal.sport,
        market: "spreads".into(),
        selection: "Home".into(),
        side: Some("home".into()),
        entry: Some(entry()),
        close: CloseSide {
            line: Some(-3.0),
            price: there.then_some(1.8),
            fair_probability: there.then(|| s.fair_probability()),
            grade: there.then_some(Grade::A),
            reason: None,
        },
        clv_ev: there.then_some(ev),
        clv_points: there.then_some(0.5),
        clv_price: there.then_some(2.0 / 1.8 - 1.0),
        fair_to_fair: there.then(|| s.fair_probability() - 0.51),
        left_out,
        detected_at: NOW.plus(-3_600_000),
        start: NOW,
        time_bucket: TimeBucket::Late,
        strength: 72,
        composite: 61,
        tier: Tier::Medium,
        books_affected: 4,
        dispersion: None,
        window_minutes: 3.0,
        graded_at: NOW,
    };
    (row, ev)
}

#[test]
fn closing_line_value_is_that_of_the_entry_at_its_own_line() {
    let (row, ev) = graded(None);
    let d = clv(&row, Some(&closed()), &steam());
    near(d.value("clv ev").expect("ev"), ev);
    near(parameter(&d, "expected profit", "ev"), ev);
    near(d.value("points").expect("points"), 0.5);
    assert!(d.notes.iter().all(|n| !n.contains("stored number stands")), "{:?}", d.notes);
    assert!(d.notes.iter().any(|n| n.starts_with("part of the record")));
}

#[test]
fn a_missing_value_says_why_and_is_never_zero() {
    for why in [NoClv::Informational, NoClv::NoEntry, NoClv::InPlay, NoClv::NoClose, NoClv::BeyondModel] {
        let (row, _) = graded(Some(why));
        let d = clv(&row, None, &steam());
        assert_eq!(d.value("clv ev"), None);
        assert_eq!(d.excluded[0].reason.name, why.name());
    }
}
