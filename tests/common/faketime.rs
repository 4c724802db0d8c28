//! Clocks of a process's own: the library libfaketime, loaded before all others, tells the process another time.
#![allow(dead_code, reason = "shared by tests that each need a part")]

use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the library may lie, by distribution and machine.
const FOLDERS: [&str; 5] = [
    "/usr/lib/x86_64-linux-gnu/faketime",
    "/usr/lib/aarch64-linux-gnu/faketime",
    "/usr/lib64/faketime",
    "/usr/lib/faketime",
    "/usr/local/lib/faketime",
];

/// The library; `None` where it is not installed, which is an error where everything has been installed for the tests.
pub fn library() -> Option<PathBuf> {
    let found = FOLDERS.iter().map(|f| Path::new(f).join("libfaketimeMT.so.1")).find(|p| p.exists());
    if found.is_none() {
        let text = "libfaketime is not installed (Debian: apt-get install faketime)";
        assert!(std::env::var("CI").as_deref() != Ok("true"), "{text}");
        eprintln!("skipped: {text}");
    }
    found
}

/// Has all clocks of a process run so many times faster, those too that only go forward. Variables of its environment.
pub fn faster(library: &Path, times: u32) -> [(&'static str, String); 2] {
    [("LD_PRELOAD", library.display().to_string()), ("FAKETIME", format!("+0 x{times}"))]
}

/// A clock that can be set while the processes that look at it are running. Clocks that only go forward are left alone, as
/// they are when somebody sets the clock of a machine.
pub struct WallClock {
    library: PathBuf,
    file: PathBuf,
}

impl WallClock {
    /// A clock that is right so far, kept in `folder`. `None`: see [`library`].
    pub fn new(folder: &Path) -> Option<Self> {
        let clock = Self { library: library()?, file: folder.join("wall-clock") };
        clock.set(0);
        Some(clock)
    }

    /// Sets it to so many seconds ahead of the right time; negative: behind it.
    pub fn set(&self, seconds: i64) {
        // Whoever looks sees the old time or the new one, never half a file.
        let new = self.file.with_extension("new");
        std::fs::write(&new, format!("{seconds:+}\n")).expect("written");
        std::fs::rename(&new, &self.file).expect("renamed");
    }

    /// What has a process live by this clock. Variables of its environment.
    pub fn variables(&self) -> [(&'static str, String); 4] {
        [
            ("LD_PRELOAD", self.library.display().to_string()),
            ("FAKETIME_TIMESTAMP_FILE", self.file.display().to_string()),
            ("FAKETIME_NO_CACHE", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ]
    }

    /// Has a process that is about to be started live by this clock.
    pub fn surround(&self, command: &mut Command) {
        command.envs(self.variables());
    }
}
