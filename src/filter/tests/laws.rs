//! Laws that hold for every filter and every row.

use proptest::prelude::*;
use proptest::sample::select;

use super::super::{FIELDS, Facts, Filter, Flag, NumberField, TextField, fold, reference};
use super::Row;

/// Terms of all kinds, over few enough words that rows often fit.
fn term() -> impl Strategy<Value = String> {
    prop_oneof![
        select(FIELDS.iter().map(|f| f.example.to_owned()).collect::<Vec<_>>()),
        "[ab]{1,2}\\*?[ab]?",
        "\"[abé ()\\-|,]{0,3}a\"",
        "team[:=][ab*]{0,2}a(,[ab]{1,2})?",
        "(ev|strength|line|move)(>|>=|<|<=|=|!=)-?[0-3](\\.5)?",
        "(ev|line):-?[0-2](,3|\\.\\.3)?",
        "(age|lead)(<|>)-?[0-9]{1,3}(\\.[0-9]{1,4})?[smhd]",
        "lead:-[0-9]{1,4}s\\.\\.[0-9]h[0-9]{1,2}m",
        "price(<|>=)[+-][1-9][0-9]{2}",
        "price:[1-9]\\.[0-9]{1,9}",
        "is:(live|stale|best)(,final)?",
        "type:(steam|sync|s\\*|move,key)",
        "book:(dk|pin|a)",
        "sport[:=](nba|basketball|epl)",
    ]
}

/// Filters of all shapes.
fn filter() -> impl Strategy<Value = String> {
    term().prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            (inner.clone(), select(vec![" ", " and ", " or ", "|", "  "]), inner.clone())
                .prop_map(|(a, join, b)| format!("{a}{join}{b}")),
            (select(vec!["-", "not ", "--"]), inner.clone()).prop_map(|(not, a)| format!("{not}({a})")),
            inner.prop_map(|a| format!("({a})")),
        ]
    })
}

fn rows() -> impl Strategy<Value = Row> {
    let texts = proptest::collection::vec(
        (
            select(vec![TextField::Team, TextField::Book, TextField::Sport, TextField::Market, TextField::Type]),
            select(vec!["a", "b", "ab", "Bá a", "draftkings", "basketball_nba", "STEAM", "totals", "(a"]),
        ),
        0..6,
    );
    let numbers = proptest::collection::vec(
        (
            select(vec![
                NumberField::Ev,
                NumberField::Strength,
                NumberField::Line,
                NumberField::Age,
                NumberField::Price,
            ]),
            prop_oneof![-3.0..4.0_f64, select(vec![0.0, 1.0, 2.0, 2.5, f64::NAN, f64::INFINITY])],
        ),
        0..4,
    );
    let flags = proptest::collection::vec(select(Flag::ALL.to_vec()), 0..3);
    (texts, numbers, flags).prop_map(|(texts, numbers, flags)| {
        let mut row = Row::default();
        for (field, text) in texts {
            row = row.text(field, &[text]);
        }
        for (field, n) in numbers {
            row = row.number(field, n);
        }
        flags.into_iter().fold(row, Row::flag)
    })
}

fn of(text: &str) -> Filter {
    Filter::parse(text).unwrap_or_else(|e| panic!("{}\n{e}", e.caret()))
}

proptest! {
    #[test]
    fn the_text_of_a_filter_is_the_filter(text in filter()) {
        let filter = of(&text);
        let written = filter.to_string();
        prop_assert_eq!(&of(&written), &filter);
        prop_assert_eq!(of(&written).to_string(), written);
    }

    #[test]
    fn no_text_is_too_strange(text in any::<String>()) {
        if let Ok(filter) = Filter::parse(&text) {
            prop_assert_eq!(Filter::parse(&filter.to_string()), Ok(filter));
        }
    }

    #[test]
    fn no_text_of_signs_is_too_strange(text in "([-()|,:<>=!\"@*\\\\.% ]|or|and|not|ev|age|team|type|is|sport|price|steam|[0-9sé]){0,24}") {
        match Filter::parse(&text) {
            Ok(filter) => prop_assert_eq!(Filter::parse(&filter.to_string()), Ok(filter)),
            Err(error) => prop_assert!(!error.to_string().is_empty() && text.get(error.span).is_some()),
        }
    }

    #[test]
    fn twice_not_is_the_filter_itself(text in filter()) {
        let twice = format!("-(-({text}))");
        prop_assert_eq!(of(&twice), of(&text));
        let twice = format!("not not ({text})");
        prop_assert_eq!(of(&twice), of(&text));
    }

    #[test]
    fn not_and_or_obey_de_morgan(a in filter(), b in filter(), row in rows()) {
        let meant = |text: String| of(&text).matches(&row);
        prop_assert_eq!(meant(format!("-(({a}) ({b}))")), meant(format!("-({a}) or -({b})")));
        prop_assert_eq!(meant(format!("-(({a}) or ({b}))")), meant(format!("-({a}) -({b})")));
        prop_assert_eq!(meant(format!("-({a})")), !meant(a.clone()));
        prop_assert_eq!(of(&a).and(of(&b)).matches(&row), meant(a.clone()) && meant(b.clone()));
    }

    #[test]
    fn the_terms_together_are_the_filter(text in filter(), row in rows()) {
        let filter = of(&text);
        let terms = filter.terms();
        prop_assert_eq!(terms.iter().all(|t| t.matches(&row)), filter.matches(&row));
        let again = terms.iter().cloned().fold(Filter::default(), Filter::and);
        prop_assert_eq!(&again, &filter);
        for i in 0..terms.len() {
            prop_assert_eq!(filter.without(i).terms().len() + 1, terms.len());
        }
    }

    #[test]
    fn a_number_lies_on_one_side_or_the_other(n in -3.0..3.0_f64, bound in -3_i32..3) {
        let row = Row::default().number(NumberField::Line, n);
        let meant = |sign: &str| of(&format!("line{sign}{bound}")).matches(&row);
        prop_assert_eq!([meant("<"), meant("="), meant(">")].iter().filter(|m| **m).count(), 1);
        prop_assert_eq!((meant("<="), meant(">="), meant("!=")), (!meant(">"), !meant("<"), !meant("=")));
    }

    #[test]
    fn case_and_accents_tell_nothing_apart(text in "[a-zA-Zéü]{1,6}") {
        let row = Row::default().text(TextField::Team, &[&text]);
        let quoted = format!("\"{}\"", text.to_uppercase());
        let field = format!("team:{}", fold(&text));
        prop_assert!(of(&quoted).matches(&row) && of(&field).matches(&row));
    }
}

#[test]
fn a_row_may_be_asked_through_a_reference() {
    let row = super::row();
    let facts: &dyn Facts = &row;
    assert!(of("celtics").matches(facts));
    assert!(reference().contains("| `sport` | `league` |"));
}

/// Rows a second; run it with `--ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn how_long_a_board_takes() {
    let filter = of("sport:nba book:dk ev>2 age<30s type:steam strength>=70 team:celtics -market:totals");
    let row = super::row();
    let start = std::time::Instant::now();
    let found = (0..36_000).filter(|_| filter.matches(&row)).count();
    println!("{found} rows in {:?}", start.elapsed());
}
