//! Which texts the desk keeps, and when two names are one.

use unicode_width::UnicodeWidthStr;

use super::DeskError;

/// Characters (scalar values) of a name at the most.
pub const LONGEST_NAME: usize = 64;
/// Characters of a team's name, a key or a label at the most.
pub(super) const LONGEST_WORD: usize = 200;
/// Characters of a filter at the most: room is left in the 1024 of the filter language for what a rule puts round it.
pub const LONGEST_FILTER: usize = 1000;
/// Bytes of a view at the most.
pub const LARGEST_VIEW: usize = 64 * 1024;

/// Would move the cursor, or turn the text around it.
fn unfit(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A name without the blanks around it.
///
/// # Errors
/// [`DeskError::Unfit`] when nothing would be seen of it, it is longer than [`LONGEST_NAME`], or it has control
/// characters.
pub fn name(text: &str) -> Result<&str, DeskError> {
    bounded("the name", text, LONGEST_NAME)
}

/// A key, a team's name: as [`name`], but longer.
pub(super) fn word<'t>(what: &'static str, text: &'t str) -> Result<&'t str, DeskError> {
    bounded(what, text, LONGEST_WORD)
}

fn bounded<'t>(what: &'static str, text: &'t str, longest: usize) -> Result<&'t str, DeskError> {
    let text = text.trim();
    if text.width() == 0 && !text.contains(unfit) {
        return Err(DeskError::unfit(what, "is empty; give it something to see"));
    }
    if text.contains(unfit) {
        return Err(DeskError::unfit(what, "has control characters; leave them out"));
    }
    let length = text.chars().count();
    if length > longest {
        return Err(DeskError::unfit(what, format!("has {length} characters; {longest} are the most")));
    }
    Ok(text)
}

/// An expression of the filter language, without the blanks around it. What it says is not looked at here.
pub(super) fn filter(text: &str) -> Result<&str, DeskError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(DeskError::unfit("the filter", "is empty; write what it lets through"));
    }
    if text.contains(unfit) {
        return Err(DeskError::unfit("the filter", "has control characters or line breaks; write it in one line"));
    }
    let length = text.chars().count();
    if length > LONGEST_FILTER {
        let problem = format!("has {length} characters; {LONGEST_FILTER} are the most");
        return Err(DeskError::unfit("the filter", problem));
    }
    Ok(text)
}

/// A label for people. Team names come from outside and are not worth an error: unfit characters become blanks, what
/// is too long is cut.
pub(super) fn label(text: &str) -> String {
    let clean: String = text.chars().map(|c| if unfit(c) { ' ' } else { c }).collect();
    clean.trim().chars().take(LONGEST_WORD).collect::<String>().trim_end().to_owned()
}

/// The form in which names are compared: without regard to case, in any script that has one.
///
/// Up and down again, so that "ß" and "SS" meet.
pub(super) fn folded(text: &str) -> String {
    text.to_uppercase().to_lowercase()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_trimmed_and_bounded() {
        for (text, kept) in [
            ("  Tonight ", "Tonight"),
            ("🏀 steam", "🏀 steam"),
            ("東京の試合", "東京の試合"),
            ("O'Neil \"big\" -- ; DROP", "O'Neil \"big\" -- ; DROP"),
            ("👨‍👩‍👧", "👨‍👩‍👧"),
            ("\u{a0}x\u{3000}", "x"),
        ] {
            assert_eq!(name(text).expect("fits"), kept);
        }
        assert!(name(&"é".repeat(64)).is_ok() && name(&format!(" {} ", "🏀".repeat(64))).is_ok());
        for bad in ["", "   ", "\u{200b}", "a\nb", "a\u{1b}[2Jb", "a\u{202e}b", "\u{0}", &"x".repeat(65)] {
            assert!(matches!(name(bad), Err(DeskError::Unfit { .. })), "{bad:?}");
        }
    }

    #[test]
    fn case_does_not_tell_names_apart() {
        for (a, b) in [("Tonight", "tONIGHT"), ("ΟΔΟΣ", "οδος"), ("Straße", "STRASSE"), ("Žalgiris", "žALGIRIS")]
        {
            assert_eq!(folded(a), folded(b));
        }
        assert_ne!(folded("Tonight"), folded("Tonight 2"));
    }

    proptest! {
        #[test]
        fn a_kept_name_is_kept_again_and_a_label_is_always_fit(text in any::<String>()) {
            if let Ok(kept) = name(&text) {
                prop_assert_eq!(name(kept).expect("still fits"), kept);
                prop_assert!(kept.chars().count() <= LONGEST_NAME && kept.trim() == kept);
            }
            let label = label(&text);
            prop_assert!(!label.contains(unfit) && label.chars().count() <= LONGEST_WORD && label.trim() == label);
            prop_assert_eq!(folded(&folded(&text)), folded(&text));
        }
    }
}
