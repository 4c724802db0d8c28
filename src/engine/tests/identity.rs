//! Which game, which outcome.

use super::*;
use crate::engine::changes::EventStatus;
use crate::market::line::Line;

const DAY: i64 = 86_400;

fn with(mut event: Value, field: &str, value: impl Into<Value>) -> Value {
    event[field] = value.into();
    event
}

#[test]
fn a_moved_start_keeps_the_event_and_its_history() {
    let mut desk = Desk::new();
    let game = |t| event("e1", vec![book("b1", vec![h2h(t, -110, -110)])]);
    let first = desk.look(0, &json!([game(0)]));
    let moved = desk.look(60, &json!([with(game(60), "commence_time", time(START + DAY))]));
    assert_eq!(moved.events.len(), 1);
    let change = &moved.events[0];
    assert_eq!(change.row.id, first.events[0].row.id);
    assert!(change.start_changed && !change.new && !change.score_changed);
    assert_eq!(change.row.commence, at(START + DAY));
    assert!(moved.quotes.is_empty());
    assert_eq!(desk.quote("b1", "h2h", Side::Home).first_seen, at(0));
}

#[test]
fn a_new_id_is_a_new_event() {
    let mut desk = Desk::new();
    desk.look(0, &one(vec![h2h(0, -110, -110)]));
    let again = desk.look(60, &json!([event("e9", vec![book("b1", vec![h2h(60, -110, -110)])])]));
    assert!(again.events[0].new);
    assert_ne!(desk.id("e1"), desk.id("e9"));
    assert_eq!(desk.all("b1", "h2h"), Status::EventMissing);
}

#[test]
fn a_vanished_game_and_a_new_id_of_its_pair_are_a_candidate_for_a_person() {
    let mut desk = Desk::new();
    let game = |id: &str, t: i64, start: i64| {
        with(event(id, vec![book("b1", vec![h2h(t, -110, -110)])]), "commence_time", time(start))
    };
    desk.look(0, &json!([game("e1", 0, START)]));
    let moved = desk.look(60, &json!([game("e2", 60, START + 2 * DAY)]));
    let found: Vec<_> = moved.issues.iter().map(|i| (i.reason, i.event)).collect();
    assert_eq!(found, [(Reason::RescheduleCandidate, Some(desk.id("e2")))]);
    assert_ne!(desk.id("e1"), desk.id("e2"));
    // Told once.
    assert!(desk.look(120, &json!([game("e2", 120, START + 2 * DAY)])).issues.is_empty());
    // A series is none: the first game is still there as the next one appears.
    let mut desk = Desk::new();
    desk.look(0, &json!([game("e1", 0, START)]));
    let series = desk.look(60, &json!([game("e1", 60, START), game("e2", 60, START + DAY)]));
    assert!(series.issues.is_empty());
}

#[test]
fn a_doubleheader_stays_two_events() {
    let mut desk = Desk::new();
    let game = |id: &str, start: i64, price: i64| {
        with(event(id, vec![book("b1", vec![h2h(0, price, 100)])]), "commence_time", time(start))
    };
    let both = json!([game("e1", START, -120), game("e2", START + 4 * 3600, -130)]);
    let changes = desk.look(0, &both);
    assert_eq!((changes.events.len(), changes.quotes.len()), (2, 4));
    assert!(changes.issues.is_empty());
    assert_silent(&desk.look(30, &both));
    let price = |id: &str| desk.quotes(id, "b1", "h2h")[0].value.price.to_american();
    assert_eq!((price("e1"), price("e2")), (-120, -130));
}

#[test]
fn swapped_home_and_away_change_nothing() {
    let mut desk = Desk::new();
    desk.look(0, &one(vec![spread(0, -3.5, -110, -105)]));
    let game = event("e1", vec![book("b1", vec![spread(60, -3.5, -110, -105)])]);
    let swapped = with(with(game, "home_team", AWAY), "away_team", HOME);
    assert_silent(&desk.look(60, &json!([swapped])));
    assert_eq!(desk.quote("b1", "spreads", Side::Home).line, Line::from_points(-3.5));
}

#[test]
fn a_renamed_team_keeps_its_side_and_its_history() {
    let mut desk = Desk::new();
    desk.look(0, &one(vec![h2h(0, -110, -105)]));
    let renamed = with(
        event(
            "e1",
            vec![book(
                "b1",
                vec![market(
                    "h2h",
                    60,
                    vec![json!({"name": "Gulls FC", "price": -110}), json!({"name": AWAY, "price": -105})],
                )],
            )],
        ),
        "home_team",
        "Gulls FC",
    );
    let changes = desk.look(60, &json!([renamed.clone()]));
    assert_eq!(reasons(&changes), [Reason::IdentityChanged]);
    assert_eq!(&*changes.events[0].row.home, "Gulls FC");
    assert!(changes.quotes.is_empty());
    assert_eq!(desk.quote("b1", "h2h", Side::Home).first_seen, at(0));
    let next = desk.look(90, &json!([renamed]));
    assert!(next.issues.is_empty(), "told once");
    assert_eq!(next.cleared.iter().map(|c| c.reason).collect::<Vec<_>>(), [Reason::IdentityChanged]);
}

#[test]
fn other_teams_under_a_known_id_are_put_aside() {
    let mut desk = Desk::new();
    desk.look(0, &one(vec![h2h(0, -110, -105)]));
    let other =
        with(with(event("e1", vec![book("b1", vec![h2h(60, 300, -400)])]), "home_team", "Owls"), "away_team", "Foxes");
    let changes = desk.look(60, &json!([other.clone()]));
    assert_eq!(reasons(&changes), [Reason::IdentityChanged]);
    assert!(changes.quotes.is_empty() && changes.events.is_empty());
    assert!(desk.look(120, &json!([other])).issues.is_empty(), "told once");
    assert_eq!(desk.quote("b1", "h2h", Side::Home).price.to_american(), -110);
    assert_eq!(desk.look(180, &one(vec![h2h(180, -110, -105)])).cleared.len(), 1);
}

#[test]
fn outcomes_go_by_name_not_by_place() {
    let mut desk = Desk::new();
    desk.look(0, &one(vec![spread(0, -3.5, -110, -105)]));
    let turned = market(
        "spreads",
        60,
        vec![json!({"name": AWAY, "price": -105, "point": 3.5}), json!({"name": HOME, "price": -110, "point": -3.5})],
    );
    assert_silent(&desk.look(60, &one(vec![turned])));
    assert_eq!(desk.quote("b1", "spreads", Side::Home).price.to_american(), -110);
}

#[test]
fn a_three_way_market_has_a_draw() {
    let mut desk = Desk::new();
    let three = market(
        "h2h",
        0,
        vec![
            json!({"name": HOME, "price": 120}),
            json!({"name": AWAY, "price": 210}),
            json!({"name": "Draw", "price": 240}),
        ],
    );
    let changes = desk.look(0, &one(vec![three]));
    assert!(changes.issues.is_empty(), "{:?}", changes.issues);
    assert_eq!(desk.status("b1", "h2h", Side::Draw), Status::Open);
}

#[test]
fn alternate_lines_are_selections_of_their_own() {
    let mut desk = Desk::new();
    let ladder = |t, price: i64| {
        let side = |name: &str, point: f64, price: i64| json!({"name": name, "price": price, "point": point});
        market(
            "alternate_spreads",
            t,
            vec![side(HOME, -3.5, price), side(AWAY, 3.5, -110), side(HOME, -4.5, 120), side(AWAY, 4.5, -140)],
        )
    };
    desk.look(0, &one(vec![ladder(0, -110)]));
    assert_eq!(desk.quotes("e1", "b1", "alternate_spreads").len(), 4);
    let moved = desk.look(60, &one(vec![ladder(60, -115)]));
    assert_eq!(moved.quotes.len(), 1, "one rung moved, the others did not");
    let rungs: Vec<_> = desk.quotes("e1", "b1", "alternate_spreads").iter().map(|q| q.selection.line).collect();
    assert_eq!(rungs[0], Line::from_points(-3.5));
    assert_eq!(rungs[2], Line::from_points(-4.5));
}

#[test]
fn propositions_are_told_apart_by_whom_and_line() {
    let mut desk = Desk::new();
    let over = |who: &str, point: f64| json!({"name": "Over", "description": who, "price": -110, "point": point});
    let under = |who: &str, point: f64| json!({"name": "Under", "description": who, "price": -120, "point": point});
    let props = |t| {
        let outcomes = vec![
            over("A. Guard", 20.5),
            under("A. Guard", 20.5),
            over("A. Guard", 24.5),
            over("B. Center", 20.5),
            under("B. Center", 20.5),
        ];
        market("player_points", t, outcomes)
    };
    let first = desk.look(0, &one(vec![props(0)]));
    assert!(first.issues.is_empty(), "{:?}", first.issues);
    let quotes = desk.quotes("e1", "b1", "player_points");
    assert_eq!(quotes.len(), 5);
    assert_eq!(quotes[0].selection.subject, quotes[2].selection.subject);
    assert_ne!(quotes[0].selection.subject, quotes[3].selection.subject);
    assert_silent(&desk.look(60, &one(vec![props(60)])));
}

#[test]
fn lay_prices_are_a_market_of_their_own() {
    let mut desk = Desk::new();
    let lay = market("h2h_lay", 0, vec![json!({"name": HOME, "price": 104}), json!({"name": AWAY, "price": 102})]);
    desk.look(0, &one(vec![h2h(0, -102, -102), lay]));
    assert_eq!(desk.quote("b1", "h2h", Side::Home).price.to_american(), -102);
    assert_eq!(desk.quote("b1", "h2h_lay", Side::Home).price.to_american(), 104);
}

#[test]
fn outrights_have_no_teams() {
    let mut desk = Desk::new();
    let winner = json!([{"id": "e1", "sport_key": SPORT, "commence_time": time(START), "home_team": null,
        "away_team": null, "bookmakers": [book("b1", vec![market("outrights", 0,
            vec![json!({"name": "Owls", "price": 400}), json!({"name": "Foxes", "price": 900})])])]}]);
    let changes = desk.look(0, &winner);
    assert!(changes.issues.is_empty(), "{:?}", changes.issues);
    let quotes = desk.quotes("e1", "b1", "outrights");
    assert_eq!(quotes.len(), 2);
    assert!(quotes.iter().all(|q| q.selection.side == Side::Named && q.value.status == Status::Open));
}

fn scores(completed: bool, points: Option<(i32, i32)>) -> Value {
    let list =
        points.map(|(h, a)| json!([{"name": HOME, "score": h.to_string()}, {"name": AWAY, "score": a.to_string()}]));
    json!([{"id": "e1", "sport_key": SPORT, "commence_time": time(START), "home_team": HOME, "away_team": AWAY,
            "completed": completed, "scores": list, "last_update": time(0)}])
}

#[test]
fn scores_and_status_never_go_backwards() {
    let mut desk = Desk::new();
    desk.endpoint = Endpoint::Scores;
    desk.look(0, &scores(false, None));
    let live = desk.look(START + 60, &scores(false, Some((10, 8))));
    assert_eq!((live.events[0].row.status, live.events[0].row.score), (EventStatus::Live, Some((10, 8))));
    assert!(live.events[0].score_changed && !live.events[0].start_changed);
    assert_silent(&desk.look(START + 120, &scores(false, None)));
    let over = desk.look(START + 9000, &scores(true, Some((101, 99))));
    assert_eq!((over.events[0].row.status, over.events[0].row.score), (EventStatus::Final, Some((101, 99))));
    assert_silent(&desk.look(START + 9060, &scores(true, None)));
    let corrected = desk.look(START + 9120, &scores(false, Some((101, 100))));
    assert_eq!((corrected.events[0].row.status, corrected.events[0].row.score), (EventStatus::Final, Some((101, 100))));
}

#[test]
fn forgotten_events_return_with_their_id_and_fresh_slots() {
    let mut desk = Desk::new();
    let first = desk.look(0, &one(vec![h2h(0, -110, -110)]));
    desk.look(START + 60, &json!([]));
    assert!(desk.look(START + 4 * DAY, &json!([])).forgotten.is_empty(), "not yet");
    let forgot = desk.look(START + 4 * DAY + 1, &json!([]));
    assert_eq!(forgot.forgotten, [(first.events[0].row.id, 2)]);
    assert_eq!(desk.engine.quotes_in_memory(), 0);

    let later = START + 5 * DAY;
    let back = desk.look(later, &one(vec![h2h(later, -110, -110)]));
    assert_eq!(back.events[0].row.id, first.events[0].row.id);
    assert_eq!(back.quotes.iter().map(|q| q.slot.0).collect::<Vec<_>>(), [2, 3]);
    assert!(back.quotes.iter().all(|q| q.new.is_some()));
    assert!(back.forgotten.is_empty(), "what is on show is remembered, however old its start");
}

#[test]
fn an_event_with_quotes_on_show_is_never_forgotten() {
    let mut desk = Desk::new();
    desk.look(0, &one(vec![h2h(0, -110, -110)]));
    desk.scope.events = only(&["another"]);
    assert!(desk.look(START + 100 * DAY, &json!([])).forgotten.is_empty());
}
