//! What is offered at the cursor, and that accepting it leads on.

use proptest::prelude::*;
use proptest::sample::select;

use super::super::{Completion, Entry, FIELDS, Filter, Vocabulary, complete};

fn vocabulary() -> Vocabulary {
    let mut vocabulary = Vocabulary::embedded();
    vocabulary.lists = vec![Entry::new("Steam watch", "4 games"), Entry::new("tonight", "")];
    vocabulary.labels = vec![Entry::new("sharp", "")];
    vocabulary.saved = vec![Entry::new("good", "ev>2"), Entry::new("my picks", "team:celtics")];
    vocabulary
}

/// What is offered where `^` stands.
fn offered(marked: &str) -> (String, Vec<Completion>) {
    let cursor = marked.find('^').expect("a cursor");
    let input = marked.replace('^', "");
    let found = complete(&input, cursor, &vocabulary());
    (input, found)
}

fn apply(input: &str, completion: &Completion) -> String {
    let mut text = input.to_owned();
    text.replace_range(completion.replace.clone(), &completion.text);
    text
}

#[test]
fn the_likeliest_comes_first() {
    for (marked, first) in [
        ("^", "sport:"),
        ("spo^", "sport:"),
        ("leag^", "sport:"),
        ("streng^", "strength>="),
        ("ev^", "ev>"),
        ("age^", "age<"),
        ("a -tie^", "a -tier:"),
        ("(sp^", "(sport:"),
        ("a or boo^", "a or book:"),
        ("spo^rt:nba", "sport:nba"),
        ("st^ ev>2", "status: ev>2"),
        ("type:ste^", "type:steam"),
        ("type:^", "type:move"),
        ("type:steam,sy^", "type:steam,multibook_sync"),
        ("type:st^eam", "type:steam"),
        ("is:w^", "is:watched"),
        ("tier:h^ x", "tier:high x"),
        ("team:celt^", "team:\"boston celtics\""),
        ("team:\"los ang^", "team:\"los angeles angels\""),
        ("team:\"bos^\"", "team:\"boston bruins\""),
        ("book:draftk^", "book:dk"),
        ("book:f^", "book:fan"),
        ("sport:epl^", "sport:epl"),
        ("market:mon^", "market:moneyline"),
        ("list:st^", "list:\"Steam watch\""),
        ("list=st^", "list=\"Steam watch\""),
        ("label:sh^", "label:sharp"),
        ("@g^", "@good"),
        ("x @^", "x @good"),
        ("@my^", "@\"my picks\""),
        ("@\"my^", "@\"my picks\""),
        ("age<30^", "age<30s"),
        ("age < ^", "age < 30s"),
        ("lead:-1h..2^", "lead:-1h..2s"),
        ("price>^", "price>-110"),
        ("steam^", "type:steam"),
        ("not fina^", "not is:final"),
    ] {
        let (input, found) = offered(marked);
        let got = found.first().map(|c| apply(&input, c));
        // Among teams of several leagues the table decides which comes first.
        if marked.starts_with("team:\"") {
            let got = got.expect(marked);
            assert!(got.starts_with(&first[..10]) && got.ends_with('"') && !got.ends_with("\"\""), "{marked}: {got}");
        } else {
            assert_eq!(got.as_deref(), Some(first), "{marked}: {found:?}");
        }
    }
}

#[test]
fn nothing_is_offered_where_nothing_is_known() {
    for marked in [
        "\"los ang^",
        "\"los\"^",
        "team:\"los\"^",
        "@\"my picks\"^",
        "nofield:x^",
        "strength>7^",
        "team:zzzzzz^",
        "game:^",
    ] {
        assert_eq!(offered(marked).1, [], "{marked}");
    }
    assert_eq!(complete(&"a ".repeat(2_000), 4_000, &vocabulary()), []);
}

#[test]
fn a_number_is_offered_its_signs_and_every_offer_is_explained() {
    let (_, found) = offered("ev^");
    let texts: Vec<&str> = found.iter().map(|c| c.text.as_str()).collect();
    assert_eq!(texts[..7], ["ev>", "ev>=", "ev<", "ev<=", "ev=", "ev!=", "ev:"]);
    for marked in ["^", "ev^", "type:^", "is:^", "a^", "age<1^"] {
        assert!(offered(marked).1.iter().all(|c| !c.note.is_empty()), "{marked}");
    }
}

#[test]
fn a_saved_filter_may_be_offered_in_quotes_that_are_open() {
    let (input, found) = offered("@\"my^\" x");
    assert_eq!(apply(&input, &found[0]), "@\"my picks\" x");
}

proptest! {
    #[test]
    fn any_cursor_in_any_text_is_answered(text in any::<String>(), cursor in 0_usize..200) {
        let found = complete(&text, cursor, &vocabulary());
        prop_assert!(found.len() <= 12);
        for completion in found {
            prop_assert!(text.get(completion.replace.clone()).is_some());
        }
    }

    #[test]
    fn any_cursor_in_signs_is_answered(
        text in "([-()|,:<>=!\"@*\\\\. ]|or|not|ev|age|team|type|is|[0-9sé]){0,16}",
        cursor in 0_usize..40,
    ) {
        for completion in complete(&text, cursor, &vocabulary()) {
            prop_assert!(text.get(completion.replace).is_some());
        }
    }

    /// Whatever is typed of a filter: each offer makes a filter, or the beginning of one.
    #[test]
    fn accepting_leads_on(
        terms in proptest::collection::vec(select(FIELDS.iter().map(|f| f.example).collect::<Vec<_>>()), 1..4),
        join in select(vec![" ", " or ", " -", " ("]),
        cut in 0_usize..60,
    ) {
        let whole = terms.join(join);
        let typed = &whole[..cut.min(whole.len())];
        for completion in complete(typed, typed.len(), &vocabulary()) {
            let text = apply(typed, &completion);
            if let Err(error) = Filter::parse_with(&text, &|_| Some("a".into())) {
                prop_assert!(error.incomplete, "{typed} -> {text}: {error}");
            }
        }
    }
}
