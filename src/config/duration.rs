//! Durations as people write them: `60s`, `15m`, `12h`, `7d`, `500ms`.

use std::time::Duration;

const UNITS: [(&str, u64); 5] = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// Reads a duration: whole numbers with a unit, several of them one after another (`1h30m`). A number without a unit
/// is refused: nobody agrees on what it means.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut total: u64 = 0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, tail) = rest.split_at(digits);
        let letters = tail.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, tail) = tail.split_at(letters);
        let (_, ms) = UNITS.iter().find(|(name, _)| *name == unit)?;
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(*ms)?)?;
        rest = tail;
    }
    Some(Duration::from_millis(total))
}

/// The shortest whole form, such as `90s`, `15m` or `7d`.
pub fn format_duration(duration: Duration) -> String {
    let ms = duration.as_millis();
    let (name, size) =
        UNITS.iter().rev().find(|(_, size)| ms != 0 && ms.is_multiple_of(u128::from(*size))).unwrap_or(&UNITS[1]);
    format!("{}{name}", ms / u128::from(*size))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_are_read_as_written() {
        for (text, ms) in [("60s", 60_000), ("15m", 900_000), ("7d", 604_800_000), ("500ms", 500), ("1h30m", 5_400_000)]
        {
            assert_eq!(parse_duration(text), Some(Duration::from_millis(ms)), "{text}");
        }
        for text in
            ["", " ", "60", "s", "-5s", "5 s", "1.5h", "5w", "99999999999999999999d", "9999999999999999d", "5s,"]
        {
            assert_eq!(parse_duration(text), None, "{text}");
        }
        assert_eq!(format_duration(Duration::from_secs(90)), "90s");
        assert_eq!(format_duration(Duration::ZERO), "0s");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(ms in 0u64..10_000_000_000) {
            let duration = Duration::from_millis(ms);
            prop_assert_eq!(parse_duration(&format_duration(duration)), Some(duration));
        }
    }
}
