//! The form in which team names are compared.

/// A name without what sources disagree about: case, accents, punctuation, a leading "The", "and" or "&", and the
/// readings of "St" (Saint at the beginning or after Mount, else State).
///
/// Longer names than any team has are cut, so that hostile input costs no more than a name.
///
/// ```
/// use stratum::market::teams::name::comparable;
/// assert_eq!(comparable("Kansas St. Wildcats"), "kansas state wildcats");
/// assert_eq!(comparable("St. John's Red Storm"), "saint johns red storm");
/// assert_eq!(comparable("Montréal Canadiens"), comparable("Montreal Canadiens"));
/// ```
pub fn comparable(name: &str) -> String {
    let plain = plain(name);
    let words = plain.split(' ').filter(|w| !w.is_empty() && *w != "and");
    let words: Vec<&str> = words.skip_while(|w| *w == "the").collect();
    let mut out = String::with_capacity(plain.len() + 8);
    for (i, &word) in words.iter().enumerate() {
        let before = i.checked_sub(1).and_then(|b| words.get(b));
        let word = match word {
            "st" if matches!(before, None | Some(&("mt" | "mount"))) => "saint",
            "st" => "state",
            "mt" => "mount",
            "ft" => "fort",
            "univ" => "university",
            other => other,
        };
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

const LONGEST: usize = 80;

/// Small letters and digits, everything else a blank; "A&M" and "L.A." become one word, "John's" loses its mark.
fn plain(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    // Letters since the last mark: a dot after a single letter belongs to an initial.
    let mut run = 0;
    for c in name.chars().take(LONGEST) {
        match c {
            '\'' | '’' | '‘' | '`' | 'ʻ' | 'ʼ' | '&' => {}
            '.' if run == 1 => run = 0,
            '\u{300}'..='\u{36f}' => {}
            c if c.is_alphanumeric() => {
                run += 1;
                c.to_lowercase().for_each(|l| fold(l, &mut out));
            }
            _ => {
                run = 0;
                out.push(' ');
            }
        }
    }
    out
}

/// A small letter without its accent; letters of other scripts stay.
fn fold(c: char, out: &mut String) {
    let base = match c {
        'à'..='å' | 'ā' | 'ă' | 'ą' | 'ǎ' => "a",
        'æ' => "ae",
        'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' => "c",
        'ð' | 'ď' | 'đ' => "d",
        'è'..='ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => "e",
        'ĝ' | 'ğ' | 'ġ' | 'ģ' => "g",
        'ĥ' | 'ħ' => "h",
        'ì'..='ï' | 'ĩ' | 'ī' | 'ĭ' | 'į' | 'ı' => "i",
        'ĵ' => "j",
        'ķ' => "k",
        'ĺ' | 'ļ' | 'ľ' | 'ŀ' | 'ł' => "l",
        'ñ' | 'ń' | 'ņ' | 'ň' => "n",
        'ò'..='ö' | 'ø' | 'ō' | 'ŏ' | 'ő' => "o",
        'œ' => "oe",
        'ŕ' | 'ŗ' | 'ř' => "r",
        'ß' => "ss",
        'ś' | 'ŝ' | 'ş' | 'š' | 'ș' => "s",
        'ţ' | 'ť' | 'ŧ' | 'ț' => "t",
        'þ' => "th",
        'ù'..='ü' | 'ũ' | 'ū' | 'ŭ' | 'ů' | 'ű' | 'ų' => "u",
        'ŵ' => "w",
        'ý' | 'ÿ' | 'ŷ' => "y",
        'ź' | 'ż' | 'ž' => "z",
        other => {
            // The dot that a Turkish capital I leaves behind when it is made small.
            if !('\u{300}'..='\u{36f}').contains(&other) {
                out.push(other);
            }
            return;
        }
    };
    out.push_str(base);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_sources_disagree_about_is_gone() {
        for (name, wanted) in [
            ("  KANSAS   st.  ", "kansas state"),
            ("St. Louis Cardinals", "saint louis cardinals"),
            ("St.Louis", "saint louis"),
            ("Saint Louis Blues", "saint louis blues"),
            ("Mt. St. Mary's", "mount saint marys"),
            ("Mount Saint Mary’s", "mount saint marys"),
            ("Miami (OH) RedHawks", "miami oh redhawks"),
            ("Texas A&M-CC", "texas am cc"),
            ("William and Mary", "william mary"),
            ("William & Mary", "william mary"),
            ("L.A. Clippers", "la clippers"),
            ("N.C. State", "nc state"),
            ("The Citadel", "citadel"),
            ("Hawai‘i", "hawaii"),
            ("San José St", "san jose state"),
            ("San Jose\u{301} St", "san jose state"),
            ("Boston Univ. Terriers", "boston university terriers"),
            ("İstanbul Başakşehir", "istanbul basaksehir"),
            ("1. FC Köln", "1 fc koln"),
            ("ПАОК", "паок"),
            ("...", ""),
            ("", ""),
        ] {
            assert_eq!(comparable(name), wanted, "{name}");
        }
    }

    proptest! {
        #[test]
        fn comparing_twice_changes_nothing(name in "(St|The|Mt|and|[A-Z][a-zéü.'&]{0,6})( (St|Mt|and|the|[A-Za-z.'&-]{1,6})){0,4}") {
            let once = comparable(&name);
            prop_assert_eq!(comparable(&once), once);
        }

        #[test]
        fn any_text_has_a_bounded_form(name in any::<String>()) {
            let form = comparable(&name);
            prop_assert!(form.chars().count() <= LONGEST * 10);
            prop_assert!(!form.starts_with(' ') && !form.ends_with(' ') && !form.contains("  "));
        }
    }
}
