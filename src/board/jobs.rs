//! The threads that do what the board has asked for: one reads the store, one writes the user's own things. The answer
//! comes back as a change to the state. Of jobs of one kind that wait, only the newest is done.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use tokio::sync::mpsc::UnboundedSender;

use super::app::{Apply, Job, JobRoom, Lane, Surroundings};

#[derive(Default)]
struct Queue {
    waiting: Mutex<(VecDeque<Job>, bool)>,
    more: Condvar,
}

impl Queue {
    fn push(&self, job: Job) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        // Reading is a question that is asked anew; what is to be written is never dropped.
        if job.lane == Lane::Store {
            waiting.0.retain(|j| j.kind != job.kind);
        }
        waiting.0.push_back(job);
        drop(waiting);
        self.more.notify_one();
    }

    fn next(&self) -> Option<Job> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(job) = waiting.0.pop_front() {
                return Some(job);
            }
            if waiting.1 {
                return None;
            }
            waiting = self.more.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn close(&self) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).1 = true;
        self.more.notify_one();
    }
}

/// The threads, as seen from the board. Dropping it waits until what is to be written is written.
pub struct Jobs {
    store: Arc<Queue>,
    desk: Arc<Queue>,
    writer: Option<std::thread::JoinHandle<()>>,
}

impl std::fmt::Debug for Jobs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Jobs")
    }
}

impl Jobs {
    /// Starts both threads. Answers go to `done`.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start(at: &Surroundings, done: &UnboundedSender<Apply>) -> std::io::Result<Self> {
        let (store, desk) = (Arc::new(Queue::default()), Arc::new(Queue::default()));
        let run = |name: &str, queue: Arc<Queue>| {
            let (at, done) = (at.clone(), done.clone());
            std::thread::Builder::new().name(name.into()).spawn(move || {
                let mut room = JobRoom::new(at);
                while let Some(job) = queue.next() {
                    let kind = job.kind;
                    let work = std::panic::AssertUnwindSafe(|| (job.work)(&mut room));
                    let apply = std::panic::catch_unwind(work).unwrap_or_else(|_| {
                        Box::new(move |app: &mut super::app::App| {
                            app.complain(format!(
                                "{kind}: this should not have happened; see the report in the log folder"
                            ));
                        })
                    });
                    if done.send(apply).is_err() {
                        return;
                    }
                }
            })
        };
        run("questions", store.clone())?;
        let writer = Some(run("desk", desk.clone())?);
        Ok(Self { store, desk, writer })
    }

    /// Hands a job over.
    pub fn give(&self, job: Job) {
        match job.lane {
            Lane::Store => self.store.push(job),
            Lane::Desk => self.desk.push(job),
        }
    }
}

impl Drop for Jobs {
    fn drop(&mut self) {
        self.store.close();
        self.desk.close();
        if let Some(writer) = self.writer.take() {
            // A thread that has panicked has said so already.
            let _ = writer.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::testing;

    #[test]
    fn what_waits_is_asked_once_and_what_is_written_is_never_dropped() {
        let (send, mut receive) = tokio::sync::mpsc::unbounded_channel();
        let jobs = Jobs::start(&testing::surroundings(std::env::temp_dir()), &send).expect("threads");
        let (hold, held) = std::sync::mpsc::channel::<()>();
        let job = |lane, kind, work: Box<dyn FnOnce(&mut JobRoom) -> Apply + Send>| Job { kind, lane, work };
        let noop = || -> Apply { Box::new(|_: &mut crate::board::app::App| {}) };
        jobs.give(job(
            Lane::Store,
            "first",
            Box::new(move |_| {
                let _ = held.recv();
                Box::new(|_: &mut crate::board::app::App| {})
            }),
        ));
        for _ in 0..5 {
            jobs.give(job(Lane::Store, "same", Box::new(move |_| noop())));
            jobs.give(job(Lane::Desk, "write", Box::new(move |_| noop())));
        }
        drop(hold);
        drop(jobs);
        drop(send);
        let mut count = 0;
        while receive.blocking_recv().is_some() {
            count += 1;
        }
        assert_eq!(count, 1 + 1 + 5);
    }
}
