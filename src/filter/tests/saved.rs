//! Saved filters by their names.

use super::super::{Filter, FilterError};
use super::row;

fn read(text: &str) -> Result<Filter, FilterError> {
    Filter::parse_with(text, &|name| {
        let found = match name {
            "nba" => "sport:nba",
            "good" => "@nba (ev>2 or strength>90)",
            "my picks" => "team:celtics,heat",
            "empty" => " ",
            "broken" => "tier:hihg",
            "outer" => "a @broken",
            "self" => "x @self",
            "a" => "@b",
            "b" => "-(y @a)",
            "many" => "@wide @wide @wide @wide @wide @wide @wide @wide @wide",
            "wide" => "@nba @nba @nba @nba @nba @nba @nba @nba @nba",
            deep => {
                let n: u32 = deep.strip_prefix("deep")?.parse().ok()?;
                return Some(format!("@deep{}", n + 1));
            }
        };
        Some(found.to_owned())
    })
}

#[test]
fn names_stand_for_their_text_and_are_kept() {
    for (input, text, meant) in [
        ("@nba", "@nba", true),
        ("-@nba", "-@nba", false),
        ("@good is:live", "@good is:live", true),
        ("@\"my picks\" @nba", "@\"my picks\" @nba", true),
        ("heat or @good", "heat or @good", true),
        ("@empty", "@empty", true),
        ("-@empty", "-@empty", false),
        ("(@nba)(@good)", "@nba @good", true),
    ] {
        let filter = read(input).expect(input);
        assert_eq!(filter.to_string(), text);
        assert_eq!(read(text).as_ref(), Ok(&filter));
        assert_eq!(filter.matches(&row()), meant, "{input}");
    }
    assert!(Filter::parse_with("@t", &|_| Some("age<5s".into())).expect("saved").depends_on_time());
}

#[test]
fn what_is_wrong_in_a_saved_filter_is_told_at_its_name() {
    for (input, marked, message) in [
        (
            "x @nothing y",
            "@nothing",
            "there is no saved filter `@nothing`; to search for the text write `\"@nothing\"`",
        ),
        ("x @broken y", "@broken", "in `@broken`: `hihg` is not a tier; did you mean `high`?"),
        ("@outer", "@outer", "in `@outer`: in `@broken`: `hihg` is not a tier; did you mean `high`?"),
        ("@self", "@self", "in `@self`: `@self` refers to itself (@self → @self); change one of them"),
        ("@a", "@a", "in `@a`: in `@b`: `@a` refers to itself (@a → @b → @a); change one of them"),
        ("@many", "@many", "in `@many`: in `@wide`: more than 64 saved filters in one; write some of them out"),
    ] {
        let error = read(input).expect_err(input);
        assert_eq!((&input[error.span.clone()], error.to_string().as_str()), (marked, message));
        assert!(!error.incomplete || input.ends_with(marked));
    }
    let error = read("@deep0").expect_err("deep").to_string();
    assert!(error.ends_with("saved filters refer to each other at most 8 deep; write one of them out"), "{error}");
}
