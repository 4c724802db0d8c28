//! What is read, what it is written back as, and whether the row of these tests is meant.

use super::super::{Filter, NumberField};
use super::{Row, row};

/// Input, canonical text, whether the row is meant.
const GOOD: &[(&str, &str, bool)] = &[
    ("", "", true),
    ("  \t\n ", "", true),
    ("celtics", "celtics", true),
    ("CELTICS", "celtics", true),
    ("celtics heat", "celtics heat", false),
    ("celtics and boston", "celtics boston", true),
    ("heat or celtics", "heat or celtics", true),
    ("heat|celtics", "heat or celtics", true),
    ("heat | bulls OR lakers", "heat or bulls or lakers", false),
    ("atletico", "atletico", true),
    ("Atlético", "atlético", true),
    ("\"los angeles\"", "\"los angeles\"", true),
    ("\"or\"", "\"or\"", false),
    ("\"-x\"", "\"-x\"", false),
    ("oston", "oston", true),
    ("bos*tics", "bos*tics", true),
    ("spreads", "spreads", true),
    ("draftk", "draftk", true),
    ("-heat", "-heat", true),
    ("not heat", "-heat", true),
    ("NOT NOT celtics", "celtics", true),
    ("--celtics", "celtics", true),
    ("-not heat", "heat", false),
    ("-(celtics heat)", "-(celtics heat)", true),
    ("-(heat)", "-heat", true),
    ("not(heat or celtics)", "-(heat or celtics)", false),
    ("((celtics))", "celtics", true),
    ("(celtics (boston (la)))", "celtics boston la", true),
    ("celtics (heat or la)", "celtics (heat or la)", true),
    ("a b or celtics la", "a b or celtics la", true),
    ("(a b) or (celtics la)", "a b or celtics la", true),
    ("a (q or celtics) la", "a (q or celtics) la", true),
    ("celtics(la)boston", "celtics la boston", true),
    ("sport:nba", "sport:nba", true),
    ("league:NBA", "sport:nba", true),
    ("sport:wnba", "sport:wnba", false),
    ("sport:nfl,basketball", "sport:nfl,basketball", true),
    ("sport=nba", "sport=nba", true),
    ("sport=basketball", "sport=basketball", false),
    ("sport:\"Premier League\"", "sport:\"premier league\"", false),
    ("team:celtics", "team:celtics", true),
    ("team:ton", "team:ton", false),
    ("team:*ton*", "team:*ton*", true),
    ("team=celtics", "team=celtics", false),
    ("team=\"Boston  Celtics\"", "team=\"boston celtics\"", true),
    ("team:\"los angeles\"", "team:\"los angeles\"", true),
    ("team:heat, celtics", "team:heat,celtics", true),
    ("team:celtics,celtics", "team:celtics", true),
    ("team:not", "team:not", false),
    ("game:1042", "game:1042", true),
    ("event:104", "game:104", false),
    ("id:e5*", "game:e5*", true),
    ("market:spread", "market:spread", true),
    ("market=spread", "market=spread", false),
    ("market:alternate_spreads", "market:alternate_spreads", true),
    ("-market:totals", "-market:totals", true),
    ("market:ml,total,props", "market:ml,total,props", false),
    ("book:dk", "book:dk", true),
    ("book:fd,mgm", "book:fd,mgm", false),
    ("book=pin", "book:pin", true),
    ("book:\"draft*\"", "book:draft*", true),
    ("type:steam", "type:steam", true),
    ("type:STEAM,sync", "type:steam,multibook_sync", true),
    ("type:key-cross", "type:key_cross", false),
    ("type:*shock", "type:*shock", false),
    ("type=move", "type:move", false),
    ("tier:high", "tier:high", true),
    ("tier:med", "tier:medium", false),
    ("side:home", "side:home", true),
    ("direction:up", "direction:up", false),
    ("dir:down", "direction:down", true),
    ("grade:A,b", "grade:a,b", false),
    ("-grade:*", "-grade:*", true),
    ("bucket:pretip", "bucket:pretip", true),
    ("label:move", "label:move", true),
    ("label:v1.2", "label:v1.2", true),
    ("list:\"steam watch\"", "list:\"steam watch\"", true),
    ("list:steam", "list:steam", false),
    ("preset:steam_only", "preset:steam_only", true),
    ("status:open,gone", "status:open,gone", true),
    ("is:live", "is:live", true),
    ("is:final,started", "is:final,started", true),
    ("-is:pre", "-is:pregame", true),
    ("is:actionable", "is:actionable", false),
    ("ev>2", "ev>2", true),
    ("EV > 2%", "ev>2", true),
    ("ev >= 2.5", "ev>=2.5", true),
    ("ev>2.5", "ev>2.5", false),
    ("ev<+3", "ev<3", true),
    ("ev=2.50", "ev=2.5", true),
    ("ev:2.5", "ev=2.5", true),
    ("ev!=2.5", "ev!=2.5", false),
    ("ev:2..5", "ev:2..5", true),
    ("ev:..2", "ev:..2", false),
    ("ev:2..", "ev:2..", true),
    ("ev:2.5..2.5", "ev=2.5", true),
    ("ev:1,2..3,9..", "ev:1,2..3,9..", true),
    ("ev:*", "ev:*", true),
    ("-clv:*", "-clv:*", true),
    ("clv>0", "clv>0", false),
    ("clv!=0", "clv!=0", false),
    ("-clv>0", "-clv>0", true),
    ("hold<4.5", "hold<4.5", false),
    ("strength>=70", "strength>=70", true),
    ("score:55..74", "composite:55..74", true),
    ("books>5", "books>5", true),
    ("age<30s", "age<30s", true),
    ("age<0.2m", "age<12s", false),
    ("age<=12S", "age<=12s", true),
    ("age<120s", "age<2m", true),
    ("lead:-2m..1h30m", "lead:-2m..90m", true),
    ("lead<0", "lead<0", true),
    ("lead>-1d", "lead>-1d", true),
    ("price>-110", "price>-110", true),
    ("price>=1.95", "price>=1.95", true),
    ("price>150", "price>+150", false),
    ("price:-110..+120", "price:-110..+120", true),
    ("price:-100..100", "price=-100", false),
    ("price=-105", "price=-105", true),
    ("line:-5..-4", "line:-5..-4", true),
    ("line=−4.5", "line=-4.5", true),
    ("move>=1", "move>=1", true),
    ("dispersion<=0.7", "dispersion<=0.7", true),
    (
        "sport:nba book:dk ev>2 age<30s type:steam strength>=70 team:celtics -market:totals",
        "sport:nba book:dk ev>2 age<30s type:steam strength>=70 team:celtics -market:totals",
        true,
    ),
];

#[test]
fn what_is_read_has_one_text_and_one_meaning() {
    assert!(GOOD.len() >= 60);
    for (input, text, meant) in GOOD {
        let filter = Filter::parse(input).unwrap_or_else(|e| panic!("{}\n{e}", e.caret()));
        assert_eq!(filter.to_string(), *text, "{input}");
        assert_eq!(Filter::parse(text).as_ref(), Ok(&filter), "{input}");
        assert_eq!(filter.matches(&row()), *meant, "{input}");
        assert_eq!(filter.is_empty(), text.is_empty(), "{input}");
    }
}

#[test]
fn an_empty_row_passes_only_what_asks_for_nothing() {
    for (input, ..) in GOOD {
        let filter = Filter::parse(input).expect(input);
        let asks = filter.terms().iter().any(|t| !t.to_string().starts_with('-'));
        assert!(filter.matches(&Row::default()) != asks, "{input}");
    }
}

#[test]
fn terms_can_be_shown_and_taken_away() {
    let filter = Filter::parse("sport:nba (a or b) -is:live").expect("valid");
    let texts: Vec<String> = filter.terms().iter().map(ToString::to_string).collect();
    assert_eq!(texts, ["sport:nba", "a or b", "-is:live"]);
    assert_eq!(filter.without(1).to_string(), "sport:nba -is:live");
    assert_eq!(filter.without(9), filter);
    assert_eq!(filter.without(2).without(0).to_string(), "a or b");
    assert!(filter.without(0).without(0).without(0).is_empty());
    assert!(Filter::default().terms().is_empty());
}

#[test]
fn filters_can_be_joined() {
    let of = |text: &str| Filter::parse(text).expect(text);
    assert_eq!(of("a b").and(of("c or d")).to_string(), "a b (c or d)");
    assert_eq!(of("a").and(Filter::default()), of("a"));
    assert_eq!(Filter::default().and(of("a or b")), of("a or b"));
}

#[test]
fn what_time_changes_is_known() {
    for (text, timed) in [
        ("age<30s", true),
        ("-(a or lead>1h)", true),
        ("is:stale", true),
        ("bucket:late", true),
        ("ev>2 is:live", false),
    ] {
        assert_eq!(Filter::parse(text).expect(text).depends_on_time(), timed, "{text}");
    }
}

#[test]
fn the_longest_and_deepest_filters_are_read() {
    let long = "a".repeat(super::super::MAX_CHARS);
    assert_eq!(Filter::parse(&long).expect("long").to_string(), long);
    let deep = format!("{}a{}", "-(".repeat(32), ")".repeat(32));
    assert_eq!(Filter::parse(&deep).expect("deep").to_string(), "a");
    assert!(Filter::parse(&format!("{}a", "-".repeat(1_001))).is_ok_and(|f| f.to_string() == "-a"));
}

#[test]
fn numbers_that_are_not_there_pass_nothing() {
    let nan = Row::default().number(NumberField::Ev, f64::NAN);
    for text in ["ev>2", "ev<=2", "ev=2", "ev!=2", "ev:..", "ev:0..9", "ev:*"] {
        if let Ok(filter) = Filter::parse(text) {
            assert!(!filter.matches(&nan) && !filter.matches(&Row::default()), "{text}");
        }
    }
}
