//! Joining a hub: who we are there, and whether its history and ours go together.

use tokio_postgres::types::Type;
use uuid::Uuid;

use super::connect::{Connection, Tier, tier_of};
use super::error::HubError;
use crate::market::time::Timestamp;
use crate::store::hub::Link;

/// What a hub answered to a device that joins.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Joined {
    /// The id that the hub gave itself.
    pub hub: String,
    /// Our number there.
    pub number: i32,
    /// Its newest look.
    pub newest_look: i64,
    /// What this login may do.
    pub tier: Tier,
    /// Sport keys of which it has looks.
    pub sports: Vec<String>,
}

impl Joined {
    /// The link of a store whose newest look is `newest`.
    pub fn link(&self, device: Uuid, newest: i64, at: Timestamp) -> Link {
        Link {
            hub: self.hub.clone(),
            device: device.to_string(),
            number: self.number,
            tier: self.tier.name().to_owned(),
            pulled: 0,
            gap: None,
            base: newest,
            head: self.newest_look,
            linked_at: at,
            history: 0,
            whole: 0,
        }
    }
}

/// Joins as the device with this id.
///
/// # Errors
/// [`HubError::NotAHub`] where there is none, [`HubError::Withheld`] for a login that is nobody there, and any other.
pub async fn join(hub: &mut Connection, device: Uuid, name: &str, collects: bool) -> Result<Joined, HubError> {
    let tier = tier_of(hub).await?;
    if tier == Tier::Free {
        return look_on(hub).await;
    }
    let program = env!("CARGO_PKG_VERSION");
    let rows = hub
        .client()
        .query_typed(
            "SELECT device, hub, newest_look FROM hub.join_device($1, $2, $3, $4)",
            &[
                (&device, Type::UUID),
                (&name, Type::TEXT),
                (&program, Type::TEXT),
                (&(collects && matches!(tier, Tier::Collector | Tier::Owner)), Type::BOOL),
            ],
        )
        .await?;
    let row = rows.first().ok_or(HubError::NotAHub)?;
    let sports = hub
        .client()
        .query_typed(
            "SELECT n.name FROM hub.summary AS s JOIN hub.name AS n ON n.kind = 1 AND n.number = s.sport
             GROUP BY n.name HAVING sum(s.looks) > 0 ORDER BY 1",
            &[],
        )
        .await?;
    Ok(Joined {
        hub: row.try_get(1)?,
        number: row.try_get(0)?,
        newest_look: row.try_get(2)?,
        tier,
        sports: sports.iter().map(|r| r.try_get(0)).collect::<Result<_, _>>()?,
    })
}

/// A free login is no device of the hub's: it looks on.
async fn look_on(hub: &mut Connection) -> Result<Joined, HubError> {
    let rows = hub
        .client()
        .query_typed(
            "SELECT m.value, (SELECT look FROM hub_free.head),
             (SELECT coalesce(array_agg(DISTINCT n.name), '{}') FROM hub_free.entry AS e
              JOIN hub_free.name AS n ON n.kind = 1 AND n.number = e.sport WHERE e.kind = 1)
             FROM hub_free.meta AS m WHERE m.key = 'id'",
            &[],
        )
        .await?;
    let row = rows.first().ok_or(HubError::NotAHub)?;
    let (hub, newest_look, sports) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    Ok(Joined { hub, number: 0, newest_look, tier: Tier::Free, sports })
}
