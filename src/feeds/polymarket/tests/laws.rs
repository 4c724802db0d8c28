//! What must hold for any bytes: the readers end, and never with a panic.

use proptest::prelude::*;

use crate::feeds::polymarket::wire::channel::{self, TextFrame};
use crate::feeds::polymarket::wire::{clob, gamma};

const FRAMES: [&str; 9] = [
    r#"{"event_type":"book","asset_id":"1111","market":"0xabc","bids":[{"price":"0.42","size":"350.5"}],"asks":[{"price":"0.43","size":"120"}],"timestamp":"1795200000123","hash":"9f"}"#,
    r#"[{"event_type":"price_change","market":"0xabc","timestamp":"1795200000456","price_changes":[{"asset_id":"1111","price":"0.42","size":"0","side":"BUY","hash":"aa","best_bid":"0.41","best_ask":"0.43"},{"asset_id":"2222","price":"0.58","size":"0","side":"SELL","hash":"bb","best_bid":"0","best_ask":"1"}]}]"#,
    r#"{"event_type":"price_change","asset_id":"1111","hash":"aa","timestamp":"1795200000456","changes":[{"price":".42","size":"10","side":"BUY"}]}"#,
    r#"{"event_type":"price_change","asset_id":"1111","hash":"aa","timestamp":"1795200000456","price":"0.42","size":"10","side":"SELL"}"#,
    r#"{"event_type":"last_trade_price","asset_id":"1111","price":"0.43","size":"25","side":"BUY","fee_rate_bps":"0","timestamp":"1795200000789"}"#,
    r#"{"event_type":"tick_size_change","asset_id":"1111","old_tick_size":"0.01","new_tick_size":"0.001","timestamp":"1795200000789"}"#,
    r#"{"event_type":"best_bid_ask","asset_id":"1111","best_bid":"0.73","best_ask":"0.77","spread":"0.04","timestamp":"1795200000789"}"#,
    r#"{"event_type":"market_resolved","id":"5","market":"0xabc","assets_ids":["1111","2222"],"winning_asset_id":"1111","winning_outcome":"Yes","timestamp":"1795200000789"}"#,
    r#"{"event_type":"book","asset_id":"1111","buys":[{"price":"0.42","size":"350.5"}],"sells":[],"timestamp":1795200000123}"#,
];

#[test]
fn all_shapes_are_known() {
    for text in FRAMES {
        let frame = channel::read(text.as_bytes());
        assert_eq!((frame.messages.len(), frame.defects.len()), (1, 0), "{text}");
    }
}

#[test]
fn frames_that_are_no_json_have_names() {
    for (text, expected) in [
        ("PONG", TextFrame::Pong),
        ("NO NEW ASSETS", TextFrame::NoNewAssets),
        ("INVALID OPERATION", TextFrame::InvalidOperation),
        ("", TextFrame::Empty),
        ("  \n", TextFrame::Empty),
        ("ping", TextFrame::Ping),
        ("hello", TextFrame::Junk),
        ("{\"event_type\":", TextFrame::Junk),
        ("[{]", TextFrame::Junk),
    ] {
        let frame = channel::read(text.as_bytes());
        assert_eq!((frame.text, frame.messages.len()), (Some(expected), 0), "{text}");
    }
    assert!(channel::read(b"[]").text.is_none());
    assert!(!channel::read(&[0xff, 0xfe, b'{']).is_data());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = channel::read(&bytes);
        let _ = (gamma::events(&bytes), gamma::markets(&bytes), gamma::sports(&bytes), clob::book(&bytes));
        let _ = (clob::books(&bytes), clob::history(&bytes), clob::trades(&bytes), clob::definition(&bytes));
    }

    #[test]
    fn no_mutation_of_a_frame_makes_it_panic(
        which in 0..FRAMES.len(),
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0u8..3), 1..8),
        array in any::<bool>(),
    ) {
        let text = if array { format!("[{},{}]", FRAMES[0], FRAMES[which]) } else { FRAMES[which].to_owned() };
        let mut bytes = text.into_bytes();
        for (at, byte, how) in edits {
            if bytes.is_empty() { break; }
            let at = at.index(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 => { bytes.remove(at); }
                _ => bytes.insert(at, byte),
            }
        }
        let frame = channel::read(&bytes);
        prop_assert!(frame.messages.len() <= 64);
        let _ = clob::book(&bytes);
    }

    #[test]
    fn json_of_any_shape_is_survived(text in r#"(\[|\{|"[a-z_]{0,12}"|:|,|\}|\]|null|true|-?[0-9]{1,20}|1e999|"event_type":"book"|"timestamp":"1795200000123"| ){0,40}"#) {
        let _ = channel::read(text.as_bytes());
        let _ = (gamma::events(text.as_bytes()), clob::definition(text.as_bytes()));
    }
}
