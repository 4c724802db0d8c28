//! Frames as they came, written to a recording for whoever wants them. A recording that cannot be written is told once and
//! left; it never holds the listening up.

use std::path::Path;

use tokio::sync::mpsc;

use crate::feeds::polymarket::SOURCE;
use crate::feeds::polymarket::socket::RawFrame;
use crate::feeds::recording::{Entry, RecordingError, RecordingWriter};
use crate::runtime::keeper::Keeper;
use crate::runtime::status::Part;

/// Frames that may wait to be written; more are dropped and counted.
pub(super) const ROOM: usize = 4096;

/// Writes frames until there are no more. Blocks: call it on a thread of its own.
pub(super) fn write(path: &Path, mut frames: mpsc::Receiver<RawFrame>, origin: Option<&str>, keeper: &Keeper) {
    if let Err(e) = write_all(path, &mut frames, origin) {
        let message = format!("polymarket.record: frames are not recorded any more: {e}");
        tracing::error!("{message}");
        keeper.complain(Part::Recording, &message);
    }
}

fn write_all(path: &Path, frames: &mut mpsc::Receiver<RawFrame>, origin: Option<&str>) -> Result<(), RecordingError> {
    let mut writer = RecordingWriter::append(path)?;
    while let Some(frame) = frames.blocking_recv() {
        let entry = Entry::new(frame.received_at, frame.text.as_bytes());
        writer.write(&Entry { source: Some(SOURCE), origin, ..entry })?;
    }
    writer.finish()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feeds::recording::RecordingReader;
    use crate::market::time::Timestamp;

    #[test]
    fn frames_are_written_as_they_came() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("frames.jsonl.zst");
        let (sender, frames) = mpsc::channel(8);
        for (n, text) in [r#"[{"event_type":"book","asset_id":"1"}]"#, "PONG"].into_iter().enumerate() {
            let received_at = Timestamp::from_secs(1_800_000_000 + n as i64);
            sender.try_send(RawFrame { shard: 0, received_at, text: text.to_owned() }).expect("room");
        }
        drop(sender);
        write(&path, frames, Some("DEMO"), &Keeper::new(None));
        let bodies: Vec<_> = RecordingReader::open(&path)
            .expect("recording")
            .map(|line| line.map(|l| String::from_utf8_lossy(&l.body).into_owned()).expect("line"))
            .collect();
        assert_eq!(bodies, [r#"[{"event_type":"book","asset_id":"1"}]"#, r#""PONG""#]);
    }
}
