//! What is refused: where the mistake is marked, what is said, and whether more typing may mend it.

use super::super::{Filter, MAX_CHARS};

/// Input, the text that is marked, the message, whether it may only be incomplete.
const BAD: &[(&str, &str, &str, bool)] = &[
    ("streng>70", "streng", "`streng` is not a field; did you mean `strength`?", false),
    ("sprot:nba", "sprot", "`sprot` is not a field; did you mean `sport`?", false),
    ("leauge:nba", "leauge", "`leauge` is not a field; did you mean `sport`?", false),
    ("xyzzy:1", "xyzzy", "`xyzzy` is not a field; to search for the text put it in quotes", false),
    ("12:30", "12", "`12` is not a field; to search for the text put it in quotes", false),
    ("not:x", "not", "`not` is not a field; to search for the text put it in quotes", false),
    ("type:steem", "steem", "`steem` is not a type; did you mean `steam`?", false),
    ("type:ste", "ste", "`ste` is not a type; did you mean `steam`?", true),
    ("type:ste ev>2", "ste", "`ste` is not a type; did you mean `steam`?", false),
    (
        "type:multi_sync",
        "multi_sync",
        "`multi_sync` is not a type; there are move, key_cross, multibook_sync, dislocation, steam, live_shock, exchange_divergence",
        false,
    ),
    ("tier:hihg", "hihg", "`hihg` is not a tier; did you mean `high`?", false),
    ("tier:urgent", "urgent", "`urgent` is not a tier; there are high, medium, low", false),
    ("is:lvie", "lvie", "`lvie` is not a flag; did you mean `live`?", false),
    ("is:live,staale", "staale", "`staale` is not a flag; did you mean `stale`?", false),
    ("side:left", "left", "`left` is not a side; there are home, away, draw, over, under, yes, no, named", false),
    ("grade:e", "e", "`e` is not a grade; there are a, b, c, d, f", false),
    ("bucket:soon", "soon", "`soon` is not a bucket; there are open, mid, late, pretip, inplay, unknown", false),
    (
        "type:x*",
        "x*",
        "`x*` is not a type; there are move, key_cross, multibook_sync, dislocation, steam, live_shock, exchange_divergence",
        false,
    ),
    ("sport:", "", "`sport` needs a value here, as in `sport:nba`", true),
    ("sport: nba", "", "`sport` needs a value here, as in `sport:nba`", false),
    ("team:a,", "", "`team` needs a value here, as in `team:celtics`", true),
    ("team:,a", "", "`team` needs a value here, as in `team:celtics`", false),
    ("tier:", "", "`tier` needs a value here, as in `tier:high`", true),
    ("ev>", "", "`ev` needs a value here, as in `ev>2`", true),
    ("ev > )", "", "`ev` needs a value here, as in `ev>2`", false),
    ("team:\"\"", "\"\"", "there is nothing here to look for; write letters or digits, or remove it", true),
    ("team:...", "...", "there is nothing here to look for; write letters or digits, or remove it", true),
    ("\"'\"", "\"'\"", "there is nothing here to look for; write letters or digits, or remove it", true),
    ("ev>x", "x", "`x` is not a number of percent, such as `2` or `2.5%`", true),
    ("ev>-", "-", "`-` is not a number of percent, such as `2` or `2.5%`", true),
    ("strength>70%", "70%", "`70%` is not a number without a unit, such as `70` or `2.5`", true),
    ("age<30", "30", "a time needs a unit: write `30s`, `30m`, `30h` or `30d`", true),
    ("age<30 nba", "30", "a time needs a unit: write `30s`, `30m`, `30h` or `30d`", false),
    ("age<30x", "30x", "`30x` is not a time such as `30s`, `5m`, `2h` or `1d`", true),
    ("price>0.5", "0.5", "`0.5` is no price; write American odds such as `-110` or decimal ones such as `1.95`", true),
    ("price>-110.5", "-110.5", "`-110.5` is no price; American odds are whole numbers, as in `-110` or `+150`", true),
    ("line=1e3", "1e3", "`1e3` is not a number without a unit, such as `70` or `2.5`", true),
    ("books>99999999999", "99999999999", "`99999999999` is too large", true),
    ("books:dk", "dk", "`books` counts books; for one of them write `book:dk`", true),
    ("ev:>2", ">2", "leave out the colon: write `ev>2`", true),
    ("ev>2,3", ",3", "a comparison takes one number; for several write `ev:1,2`", false),
    ("ev>2..5", "2..5", "a range follows a colon: write `ev:2..5`", false),
    ("ev:5..2", "5..2", "nothing lies in this range; write `2..5`", true),
    ("ev:..", "..", "a range needs a number, as in `2..5`, `2..` or `..5`", true),
    ("ev:1,*", "*", "`*` is not a number of percent, such as `2` or `2.5%`", true),
    ("team>3", ">", "`team` is not a number; write `team:celtics`", false),
    ("tier>=high", ">=", "`tier` is not a number; write `tier:high`", false),
    ("team!=x", "!=", "`team` takes no `!=`; write `-team:celtics`", false),
    (">2", ">", "a field belongs before this, as in `ev>2` or `sport:nba`", false),
    (":nba", ":", "a field belongs before this, as in `ev>2` or `sport:nba`", false),
    ("a,b", ",", "a comma lists the values of a field, as in `team:celtics,heat`; between terms write `or`", false),
    (", a", ",", "a comma lists the values of a field, as in `team:celtics,heat`; between terms write `or`", false),
    ("(a", "(", "this parenthesis is not closed; add `)`", true),
    ("a (", "(", "this parenthesis is not closed; add `)`", true),
    ("a)", ")", "no parenthesis is open here; remove `)`", false),
    (")", ")", "no parenthesis is open here; remove `)`", false),
    ("()", "()", "these parentheses are empty; put terms in them or remove them", false),
    ("a or", "or", "`or` needs a term on both sides; to search for the word write `\"or\"`", true),
    ("a | | b", "|", "`or` needs a term on both sides; to search for the word write `\"or\"`", false),
    ("or a", "or", "`or` needs a term on both sides; to search for the word write `\"or\"`", false),
    ("(| a)", "|", "`or` needs a term on both sides; to search for the word write `\"or\"`", false),
    ("a and", "and", "`and` needs a term on both sides; to search for the word write `\"and\"`", true),
    ("and a", "and", "`and` needs a term on both sides; to search for the word write `\"and\"`", false),
    ("a and or b", "and", "`and` needs a term on both sides; to search for the word write `\"and\"`", false),
    ("not", "not", "`not` needs a term after it; to search for the word write `\"not\"`", true),
    ("not or a", "not", "`not` needs a term after it; to search for the word write `\"not\"`", false),
    ("a -", "-", "`-` needs a term directly after it, as in `-is:live`", true),
    ("- a", "-", "`-` needs a term directly after it, as in `-is:live`", false),
    ("\"los", "\"los", "this quote is not closed; add `\"` at its end", true),
    ("team:\"los angeles", "\"los angeles", "this quote is not closed; add `\"` at its end", true),
    ("\"a\"b", "b", "put a blank between the quote and what follows", false),
    ("a\"b\"", "\"", "put a blank before the quote, or the quote round the whole text", false),
    ("team:a\"b\"", "\"", "put a comma or a blank before the quote", false),
    ("@", "@", "the name of a saved filter belongs after `@`", true),
    ("@mine", "@mine", "there is no saved filter `@mine`; to search for the text write `\"@mine\"`", true),
    ("@mine:x", ":", "put a blank after the name of a saved filter", false),
];

#[test]
fn what_is_refused_is_told_where_and_why() {
    assert!(BAD.len() >= 40);
    for (input, marked, message, incomplete) in BAD {
        let error = Filter::parse(input).expect_err(input);
        assert_eq!(error.to_string(), *message, "{input}");
        assert_eq!(&input[error.span.clone()], *marked, "{input}");
        assert_eq!(error.incomplete, *incomplete, "{input}");
    }
}

#[test]
fn what_could_stand_there_is_listed() {
    let expected = |input: &str| Filter::parse(input).expect_err(input).expected;
    assert_eq!(expected("tier:lo"), ["low", "high", "medium"]);
    assert_eq!(expected("tier:"), ["high", "medium", "low"]);
    assert_eq!(expected("streng>70").first().map(String::as_str), Some("strength"));
    assert!(expected("(").is_empty());
}

#[test]
fn what_is_too_long_or_too_deep_is_refused() {
    let long = "é".repeat(MAX_CHARS + 3);
    let error = Filter::parse(&long).expect_err("long");
    assert_eq!(error.to_string(), "a filter has at most 1024 characters; remove what is marked");
    assert_eq!(error.span, 2 * MAX_CHARS..long.len());
    let deep = format!("{}a{}", "(".repeat(33), ")".repeat(33));
    let error = Filter::parse(&deep).expect_err("deep");
    assert!(error.to_string().contains("at most 32 deep"), "{error}");
    assert_eq!(error.span, 32..33);
    let error = Filter::parse(&["a"; 400].join("|")).expect_err("written out");
    assert!(error.to_string().contains("when written out"), "{error}");
}
