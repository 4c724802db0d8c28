//! Notices what concerns the program itself (key, polling, credits) in the status of the session, and says so to the alerts.
//!
//! Says what is, not whether it is news: that is decided with the rules.

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::pipeline::WayIn;
use super::status::{Following, KeyState, LiveStatus, StoreState};
use crate::alerts::notice::{Notice, Trouble, notice, recovered};

/// Watches until `stop`.
pub(super) async fn watch(
    mut status: watch::Receiver<LiveStatus>,
    way_in: WayIn,
    credits_below: u64,
    stop: CancellationToken,
) {
    let mut told: Vec<Notice> = Vec::new();
    loop {
        let now = notices(&status.borrow_and_update(), credits_below);
        for notice in now {
            // The same again is no change; what it says in detail may differ with every look.
            let same = |t: &Notice| (t.trouble, &t.of, t.over) == (notice.trouble, &notice.of, notice.over);
            if told.iter().any(same) {
                continue;
            }
            told.retain(|t| (t.trouble, &t.of) != (notice.trouble, &notice.of));
            told.push(notice.clone());
            if way_in.notice(notice).await.is_err() {
                return;
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            changed = status.changed() => if changed.is_err() { return },
        }
    }
}

/// What the status says of every trouble: that it is there, or that it is not. Nothing where it does not say.
fn notices(s: &LiveStatus, credits_below: u64) -> Vec<Notice> {
    let mut all = Vec::new();
    match &s.key {
        KeyState::Refused { message } => {
            all.push(notice(Trouble::KeyRefused, format!("{message}. Nothing is asked until there is another key.")));
        }
        KeyState::Accepted => all.push(recovered(Trouble::KeyRefused, "The key is accepted; polling goes on.")),
        KeyState::Missing | KeyState::Untried => {}
    }
    match &s.following {
        Following::Restarting { failures, .. } => {
            let times = if *failures == 1 { "once".to_owned() } else { format!("{failures} times in a row") };
            all.push(notice(Trouble::PollingRestarting, format!("It ended unexpectedly {times}; the log says why.")));
        }
        Following::Running => all.push(recovered(Trouble::PollingRestarting, "Polling runs again.")),
        Following::NoKey | Following::Checking | Following::Stopped => {}
    }
    if let Some(left) = s.credits.remaining {
        match left {
            0 => all.push(notice(Trouble::CreditsGone, "Nothing that costs is asked until the month begins anew.")),
            _ => all.push(recovered(Trouble::CreditsGone, format!("{left} credits are left."))),
        }
        match left <= credits_below {
            true => all.push(notice(
                Trouble::CreditsLow,
                format!("{left} credits are left; you asked to hear of {credits_below}."),
            )),
            false => all.push(recovered(Trouble::CreditsLow, format!("{left} credits are left."))),
        }
    }
    match &s.store {
        StoreState::Failing { message, .. } => all.push(notice(Trouble::StoreReadOnly, message.clone())),
        // It is so until the first word about it, too.
        StoreState::Writable => all.push(recovered(Trouble::StoreReadOnly, "The store is written again.")),
    }
    let failing: Vec<_> = s.questions.iter().filter(|q| q.is_failing()).collect();
    if !s.questions.is_empty() && failing.len() == s.questions.len() {
        let reason = failing.first().and_then(|q| q.failure.as_ref()).map(|f| format!("{}: {}", f.reason, f.message));
        all.push(notice(
            Trouble::SourceUnavailable,
            format!("No question is answered ({}).", reason.unwrap_or_default()),
        ));
    } else if s.questions.iter().any(|q| q.answer.is_some() && !q.is_failing()) {
        all.push(recovered(Trouble::SourceUnavailable, "Questions are answered again."));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(s: &LiveStatus) -> Vec<(Trouble, bool)> {
        notices(s, 200).into_iter().map(|n| (n.trouble, n.over)).collect()
    }

    #[test]
    fn a_status_says_what_is_wrong_and_what_is_right() {
        let mut s = LiveStatus::default();
        assert_eq!(says(&s), [(Trouble::StoreReadOnly, true)]);
        s.key = KeyState::Refused { message: "no".into() };
        s.following = Following::Restarting { at: crate::market::time::Timestamp::default(), failures: 2 };
        s.credits.remaining = Some(0);
        assert_eq!(
            says(&s),
            [
                (Trouble::KeyRefused, false),
                (Trouble::PollingRestarting, false),
                (Trouble::CreditsGone, false),
                (Trouble::CreditsLow, false),
                (Trouble::StoreReadOnly, true),
            ]
        );
        (s.key, s.following, s.credits.remaining) = (KeyState::Accepted, Following::Running, Some(201));
        assert!(says(&s).iter().all(|(_, over)| *over) && says(&s).len() == 5);
        let at = crate::market::time::Timestamp::default();
        s.store = StoreState::Failing {
            since: at,
            trouble: crate::store::Trouble::Full,
            message: "full".into(),
            tries: 1,
            next_try: at,
            waiting: 0,
        };
        assert!(says(&s).contains(&(Trouble::StoreReadOnly, false)));
    }
}
