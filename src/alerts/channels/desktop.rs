//! The channel to the desktop's notification service.
//!
//! A machine without one is nothing unusual: that is asked first, told once, and looked at again now and then. All of it
//! happens on a thread of its own with a limit of two seconds, so neither a service that hangs nor a bus that never
//! answers holds anybody up.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use notify_rust::Notification;
#[cfg(all(unix, not(target_os = "macos")))]
use notify_rust::Urgency;
use tokio::sync::{mpsc, oneshot};

use super::text::{cut, line, lines};
use crate::alerts::channel::{Attempt, Channel, Sending, one_by_one};
use crate::alerts::message::Message;
#[cfg(all(unix, not(target_os = "macos")))]
use crate::alerts::message::Severity;

/// The name in rules, tables and settings.
pub const NAME: &str = "desktop";
/// Longest duration of one attempt.
const LIMIT: Duration = Duration::from_secs(2);
/// The thread's own limit ends first, where it can.
const SLACK: Duration = Duration::from_millis(250);
/// Wait before a service that was absent is looked for again.
const ABSENT: Duration = Duration::from_secs(15 * 60);
/// Wait after a service that did not answer.
const SILENT: Duration = Duration::from_secs(30);
/// Longest title and body; services cut far earlier. Characters.
const TITLE: usize = 120;
const BODY: usize = 1_000;

/// What is shown.
#[derive(Debug)]
struct Shown {
    title: String,
    body: String,
    #[cfg(all(unix, not(target_os = "macos")))]
    urgency: Urgency,
}

impl Shown {
    fn of(message: &Message) -> Self {
        let mut body = lines(&message.text);
        for fact in &message.facts {
            if !body.is_empty() {
                body.push('\n');
            }
            body.push_str(&format!("{}: {}", line(&fact.label), line(&fact.value)));
        }
        Self {
            title: cut(&line(&message.headline()), TITLE),
            body: marked_up(&cut(&body, BODY)),
            #[cfg(all(unix, not(target_os = "macos")))]
            urgency: match message.severity {
                Severity::Info | Severity::Notice => Urgency::Normal,
                Severity::Warning | Severity::Critical => Urgency::Critical,
            },
        }
    }
}

/// Services read a little HTML in a body; nothing of ours is any.
fn marked_up(text: &str) -> String {
    if cfg!(all(unix, not(target_os = "macos"))) {
        text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
    } else {
        text.to_owned()
    }
}

/// How one notification went.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Went {
    Well,
    /// There is nobody to show it.
    Absent(String),
    Badly(String),
}

type Job = (Shown, oneshot::Sender<Went>);

/// The channel.
#[derive(Debug, Default)]
pub struct Desktop {
    /// Where the thread takes its work; started with the first.
    jobs: Mutex<Option<mpsc::Sender<Job>>>,
    /// It was told that there is no service.
    told: AtomicBool,
}

impl Desktop {
    /// The channel. Asks nobody yet.
    pub fn new() -> Self {
        Self::default()
    }

    fn jobs(&self) -> std::io::Result<mpsc::Sender<Job>> {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        // A thread that has gone down with a library's panic is replaced.
        if let Some(jobs) = jobs.as_ref().filter(|j| !j.is_closed()) {
            return Ok(jobs.clone());
        }
        let (sender, receiver) = mpsc::channel(1);
        std::thread::Builder::new().name("notify".into()).spawn(move || work(receiver))?;
        *jobs = Some(sender.clone());
        Ok(sender)
    }

    async fn show(&self, shown: Shown) -> Went {
        let jobs = match self.jobs() {
            Ok(jobs) => jobs,
            Err(e) => return Went::Badly(format!("no thread could be started: {e}")),
        };
        let (tell, told) = oneshot::channel();
        if jobs.try_send((shown, tell)).is_err() {
            return Went::Badly("the notification service still has not answered".into());
        }
        match tokio::time::timeout(LIMIT + SLACK, told).await {
            Ok(Ok(went)) => went,
            Ok(Err(_)) => Went::Badly("the thread for notifications ended; it is started again".into()),
            Err(_) => Went::Badly("the notification service does not answer".into()),
        }
    }

    async fn attempt(&self, message: &Message) -> Attempt {
        match self.show(Shown::of(message)).await {
            Went::Well => {
                if self.told.swap(false, Ordering::Relaxed) {
                    tracing::info!("there is a notification service again");
                }
                Attempt::Delivered
            }
            Went::Absent(why) => {
                if !self.told.swap(true, Ordering::Relaxed) {
                    tracing::info!(%why, "no notifications on this desktop; they are tried again now and then");
                }
                Attempt::Later { after: Some(ABSENT), why }
            }
            Went::Badly(why) => Attempt::Later { after: Some(SILENT), why },
        }
    }
}

impl Channel for Desktop {
    fn name(&self) -> &str {
        NAME
    }

    fn send<'a>(&'a self, messages: &'a [Message]) -> Sending<'a> {
        Box::pin(one_by_one(messages, |message| self.attempt(message)))
    }
}

/// The thread: one notification after the other, until nobody gives any more.
fn work(mut jobs: mpsc::Receiver<Job>) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(e) => {
            tracing::warn!(error = %e, "no notifications: there is no runtime for them");
            return;
        }
    };
    runtime.block_on(async {
        while let Some((shown, tell)) = jobs.recv().await {
            let went = tokio::time::timeout(LIMIT, deliver(shown)).await;
            // Whoever gave it may have stopped waiting.
            drop(tell.send(went.unwrap_or_else(|_| Went::Badly("the notification service does not answer".into()))));
        }
    });
    runtime.shutdown_background();
}

#[cfg(all(unix, not(target_os = "macos")))]
async fn deliver(shown: Shown) -> Went {
    if let Err(why) = service().await {
        return Went::Absent(why);
    }
    let mut notification = Notification::new();
    notification.appname("Stratum").summary(&shown.title).body(&shown.body).urgency(shown.urgency);
    match notification.show_async().await {
        Ok(_) => Went::Well,
        Err(e) => Went::Badly(format!("the notification service refuses: {}", line(&e.to_string()))),
    }
}

#[cfg(not(all(unix, not(target_os = "macos"))))]
async fn deliver(shown: Shown) -> Went {
    match Notification::new().appname("Stratum").summary(&shown.title).body(&shown.body).show() {
        Ok(_) => Went::Well,
        Err(e) => Went::Badly(format!("the desktop refuses: {}", line(&e.to_string()))),
    }
}

/// Does anybody take notifications, or could the bus start somebody who does? Says why not.
#[cfg(all(unix, not(target_os = "macos")))]
async fn service() -> Result<(), String> {
    const SERVICE: &str = "org.freedesktop.Notifications";
    let no_bus = |e: &dyn std::fmt::Display| format!("there is no session bus here ({})", line(&e.to_string()));
    let connection = zbus::Connection::session().await.map_err(|e| no_bus(&e))?;
    let bus = zbus::fdo::DBusProxy::new(&connection).await.map_err(|e| no_bus(&e))?;
    let name = zbus::names::BusName::try_from(SERVICE).map_err(|e| no_bus(&e))?;
    if bus.name_has_owner(name).await.map_err(|e| no_bus(&e))? {
        return Ok(());
    }
    let startable = bus.list_activatable_names().await.map_err(|e| no_bus(&e))?;
    if startable.iter().any(|n| n.as_str() == SERVICE) {
        return Ok(());
    }
    Err("no notification service runs on this desktop".into())
}

#[cfg(test)]
mod tests {
    use super::super::testing::message;
    use super::*;
    use crate::alerts::message::Fact;

    #[test]
    fn what_is_shown_holds_the_facts_and_no_markup() {
        let mut m = message("k");
        m.origin = Some("DEMO".into());
        m.text = "a < b & \u{1b}[31mc".into();
        m.facts = vec![Fact { label: "entry".into(), value: "DK -3.5\n-105".into() }];
        let shown = Shown::of(&m);
        assert!(shown.title.starts_with("[DEMO] STEAM"));
        assert!(shown.body.ends_with("entry: DK -3.5 -105"));
        if cfg!(target_os = "linux") {
            assert!(shown.body.starts_with("a &lt; b &amp; [31mc\n"), "{}", shown.body);
        }
    }
}
