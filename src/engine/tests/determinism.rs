//! The same batches give the same changes, whatever they hold.

use proptest::prelude::*;

use super::*;

/// A slate that changes in every way the rules know, driven by a list of small numbers.
fn answer(t: i64, dice: &[u8]) -> Value {
    let mut next = dice.iter().copied().cycle();
    let mut roll = move |sides: u8| next.next().unwrap_or(0) % sides;
    let mut events = Vec::new();
    for e in 0..4 {
        if roll(7) == 0 {
            continue;
        }
        let mut books = Vec::new();
        for b in 0..4 {
            if roll(6) == 0 {
                continue;
            }
            let update = t - 30 - 100 * i64::from(roll(5));
            let price = -110 - i64::from(roll(4));
            let mut markets = vec![h2h(update, price, price)];
            match roll(9) {
                0 => markets.push(spread(update, -3.5, price, price)),
                1 => markets.push(total(update, 200.5 + f64::from(roll(3)), price, price)),
                2 => markets.push(market(
                    "player_points",
                    update,
                    vec![
                        json!({"name": "Over", "description": format!("P{}", roll(3)), "price": price, "point": 20.5}),
                    ],
                )),
                3 => markets.push(json!({"key": "h2h", "outcomes": []})),
                4 => markets.push(json!({"outcomes": 5})),
                5 => markets.push(market("spreads", update, vec![json!({"name": HOME, "price": 1, "point": 0})])),
                6 => markets.clear(),
                7 => markets.push(market("brand_new", update, vec![json!({"name": "Yes", "price": price})])),
                _ => {}
            }
            books.push(book(&format!("b{b}"), markets));
        }
        events.push(event(&format!("e{e}"), books));
    }
    Value::Array(events)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn twice_the_same(looks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 8..40), 1..25)) {
        let run = || {
            let mut desk = Desk::new();
            looks.iter().enumerate().map(|(i, dice)| {
                let t = i as i64 * 120;
                desk.look(t, &answer(t, dice))
            }).collect::<Vec<_>>()
        };
        prop_assert_eq!(run(), run());
    }

    /// What was applied does not change by being applied again at the same instant, but for the clocks of seeing.
    #[test]
    fn the_same_answer_again_changes_no_value(dice in proptest::collection::vec(any::<u8>(), 8..40)) {
        let mut desk = Desk::new();
        desk.look(0, &answer(0, &dice));
        let again = desk.look(1, &answer(0, &dice));
        prop_assert!(again.quotes.is_empty(), "{:?}", again.quotes);
        prop_assert!(again.issues.iter().all(|i| i.event.is_none()), "{:?}", again.issues);
        prop_assert!(again.cleared.is_empty(), "{:?}", again.cleared);
    }
}
