//! Every team name in recorded answers must be known. The recordings are optional: without them these tests say so
//! and pass. They are looked for in `$STRATUM_TEST_DATA`, then in `../shared/data` beside the project.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};

use stratum::market::sports::Sports;
use stratum::market::teams::{Resolution, Teams};

fn data() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let folder = std::env::var_os("STRATUM_TEST_DATA").map_or(beside, PathBuf::from).join("odds_api");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: no recorded data (set STRATUM_TEST_DATA to its folder)");
    None
}

/// The distinct values of `home_team` and `away_team` in a packed recording; nothing if it is not there.
fn names(file: &Path) -> std::io::Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    let Ok(packed) = std::fs::File::open(file) else {
        eprintln!("skipped: no {}", file.display());
        return Ok(names);
    };
    let mut decoder = zstd::stream::Decoder::new(packed)?;
    decoder.window_log_max(27)?;
    let mut text = Vec::new();
    decoder.read_to_end(&mut text)?;
    for field in [&b"\"home_team\":\""[..], b"\"away_team\":\""] {
        for start in memchr::memmem::find_iter(&text, field) {
            let quoted = &text[start + field.len() - 1..];
            let mut values = serde_json::Deserializer::from_slice(quoted).into_iter::<String>();
            names.extend(values.next().and_then(Result::ok));
        }
    }
    Ok(names)
}

fn unknown(sport: &str, names: &BTreeSet<String>) -> Vec<(String, Resolution)> {
    let league = Sports::embedded().resolve(sport).teams;
    let resolve = |n: &String| (n.clone(), Teams::embedded().resolve(&league, n));
    names.iter().map(resolve).filter(|(_, r)| r.exact().is_none()).collect()
}

#[test]
fn every_recorded_name_is_exact() {
    let Some(folder) = data() else { return };
    for (sport, file) in [
        ("americanfootball_nfl", "timeseries/nfl_2025_week10.jsonl.zst"),
        ("americanfootball_nfl", "timeseries/nfl_2025_weeks6_9_long.jsonl.zst"),
        ("americanfootball_nfl", "historical_nfl/nfl_hist_2023_season.jsonl.zst"),
        ("americanfootball_ncaaf", "timeseries/ncaaf_2025_11_08.jsonl.zst"),
        ("baseball_mlb", "timeseries/mlb_2026_08_03_05.jsonl.zst"),
        ("basketball_wnba", "timeseries/wnba_2026_07_14_23.jsonl.zst"),
        ("basketball_wnba", "timeseries/wnba_2026_08_03_05.jsonl.zst"),
        ("basketball_wncaab", "timeseries/wncaab_2026_02_22_03_04.jsonl.zst"),
        ("basketball_nba", "historical_nba/nba_events_2021_2022.jsonl.zst"),
        ("basketball_nba", "historical_nba/nba_events_2023_2024.jsonl.zst"),
        ("basketball_nba", "historical_nba/nba_odds_2021_2022.jsonl.zst"),
        ("basketball_nba", "historical_nba/nba_odds_2023_2024.jsonl.zst"),
    ] {
        let names = names(&folder.join(file)).expect(file);
        assert_eq!(unknown(sport, &names), [], "{file}");
        println!("{file}: {} names", names.len());
    }
}
