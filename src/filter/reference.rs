//! The table of fields as a page: `docs/filters.md` holds exactly this.

use std::fmt::Write;

use super::fields::{FIELDS, FieldKind, Unit};

/// The table of fields in Markdown, followed by the closed lists of words.
pub fn reference() -> String {
    let mut out = String::from("| field | also | takes | meaning | example |\n|---|---|---|---|---|\n");
    for info in FIELDS {
        let also: Vec<String> = info.aliases.iter().map(|a| format!("`{a}`")).collect();
        let takes = match info.kind {
            FieldKind::Text(_) => "text",
            FieldKind::Choice(..) | FieldKind::Flag(_) => "one of its words",
            FieldKind::Number(_, Unit::Plain) => "number",
            FieldKind::Number(_, Unit::Percent) => "number, `%` or none",
            FieldKind::Number(_, Unit::Time) => "time: `s` `m` `h` `d`",
            FieldKind::Number(_, Unit::Price) => "odds",
        };
        // Writing to a string cannot fail.
        let _ = writeln!(
            out,
            "| `{}` | {} | {takes} | {} | `{}` |",
            info.name,
            also.join(" "),
            info.description,
            info.example
        );
    }
    for info in FIELDS {
        let Some(list) = info.kind.choices() else { continue };
        let _ = write!(out, "\n### `{}:`\n\n| word | also | meaning |\n|---|---|---|\n", info.name);
        for choice in list {
            let also: Vec<String> = choice.aliases.iter().map(|a| format!("`{a}`")).collect();
            let _ = writeln!(out, "| `{}` | {} | {} |", choice.name, also.join(" "), choice.note);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = include_str!("../../docs/filters.md");

    #[test]
    fn the_page_holds_this_table() {
        let held = PAGE.split_once("<!-- fields -->\n").and_then(|(_, t)| t.split_once("<!-- end of fields -->"));
        let held = held.expect("docs/filters.md has the two marks").0;
        assert_eq!(held, reference(), "put what reference() gives between the marks of docs/filters.md");
    }

    #[test]
    fn the_page_holds_the_grammar_of_the_code() {
        let code = include_str!("mod.rs");
        let lines = code.lines().map(|l| l.trim_start_matches("//!").strip_prefix(' ').unwrap_or_default());
        let grammar: Vec<&str> = lines.skip_while(|l| *l != "```ebnf").take_while(|l| *l != "```").collect();
        assert!(
            grammar.len() > 10 && PAGE.contains(&grammar.join("\n")),
            "the grammar of mod.rs is not in docs/filters.md"
        );
    }

    #[test]
    #[ignore = "prints the table for docs/filters.md"]
    fn print() {
        println!("{}", reference());
    }
}
