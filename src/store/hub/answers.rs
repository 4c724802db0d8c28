//! Answers as they came, of looks that the hub has from us: they follow the looks, and nothing waits for them.

use rusqlite::params;

use super::super::{Reader, StoreError};

/// Looks that are gone through at once.
const MOST_LOOKS: i64 = 500;
/// An answer is packed beside the writer's thread: of the newest looks it may be still to come.
const NEWEST: i64 = 16;

/// An answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answered {
    /// Our number of its look.
    pub look: i64,
    /// Size before it was packed.
    pub bytes: i64,
    /// zstd.
    pub packed: Vec<u8>,
}

/// Answers that are to be told, and how far that goes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Answers {
    /// In the order of the hub's looks; an answer that is kept no longer is left out.
    pub answers: Vec<Answered>,
    /// The hub's number of the last look that was gone through; `None`: there is nothing to tell.
    pub until: Option<i64>,
}

impl Reader {
    /// The next answers of looks that have been told, up to some bytes.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn hub_answers(&self, most_bytes: usize) -> Result<Answers, StoreError> {
        let c = &self.connection;
        let mut select = c.prepare_cached(
            "SELECT hub_look.hub, look.id, raw_answer.bytes, raw_answer.body, look.id > (SELECT max(id) FROM look) - ?1
             FROM hub_look JOIN look ON look.id = hub_look.look LEFT JOIN raw_answer ON raw_answer.hash = look.body_hash
             WHERE hub_look.hub > (SELECT answered FROM hub) ORDER BY hub_look.hub LIMIT ?2",
        )?;
        let mut rows = select.query(params![NEWEST, MOST_LOOKS])?;
        let (mut found, mut size) = (Answers::default(), 0);
        while size < most_bytes
            && let Some(r) = rows.next()?
        {
            let (hub, look, bytes, is_new): (i64, i64, Option<i64>, bool) =
                (r.get(0)?, r.get(1)?, r.get(2)?, r.get(4)?);
            match bytes {
                Some(bytes) => {
                    let packed: Vec<u8> = r.get(3)?;
                    size += packed.len();
                    found.answers.push(Answered { look, bytes, packed });
                }
                None if is_new => break,
                None => {}
            }
            found.until = Some(hub);
        }
        Ok(found)
    }
}
