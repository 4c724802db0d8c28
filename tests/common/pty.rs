//! The real program in a real pseudo-terminal: waits for text, never for time.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::io::{Read, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// Longest wait for anything: the machine may be busy.
pub const LONG: Duration = Duration::from_secs(60);

fn size(n: u16) -> std::num::NonZero<u16> {
    std::num::NonZero::new(n).expect("a size")
}

/// A program in a terminal.
pub struct Pty {
    master: Option<Box<dyn MasterPty + Send>>,
    writer: Option<Box<dyn Write + Send>>,
    pub child: Box<dyn Child + Send + Sync>,
    screen: Arc<Mutex<vt100::Parser>>,
    raw: Arc<Mutex<Vec<u8>>>,
    closing: Arc<AtomicBool>,
    reader: Option<std::thread::JoinHandle<()>>,
}

impl Pty {
    /// Starts `program` with everything of the user's below `home`.
    pub fn start(program: &str, args: &[&str], home: &Path, (columns, rows): (u16, u16)) -> Self {
        let pair = native_pty_system()
            .openpty(PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 })
            .expect("a pseudo-terminal");
        let mut command = CommandBuilder::new(program);
        command.args(args);
        command.env_clear();
        for name in ["PATH", "LD_LIBRARY_PATH", "LLVM_PROFILE_FILE"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command.env("HOME", home);
        command.env("XDG_RUNTIME_DIR", home);
        command.env("TERM", "xterm-256color");
        command.env("COLORTERM", "truecolor");
        command.env("LANG", "C.UTF-8");
        command.env("TZ", "America/New_York");
        let child = pair.slave.spawn_command(command).expect("the program starts");
        drop(pair.slave);
        let screen = Arc::new(Mutex::new(vt100::Parser::new(size(rows), size(columns), 0)));
        let raw = Arc::new(Mutex::new(Vec::new()));
        let mut reader = pair.master.try_clone_reader().expect("a reader");
        let (to_screen, to_raw) = (screen.clone(), raw.clone());
        let closing = Arc::new(AtomicBool::new(false));
        let closed = closing.clone();
        let reading = std::thread::spawn(move || {
            let mut bytes = [0_u8; 65_536];
            while let Ok(n) = reader.read(&mut bytes) {
                if n == 0 || closed.load(Ordering::SeqCst) {
                    return;
                }
                to_raw.lock().expect("raw").extend_from_slice(&bytes[..n]);
                to_screen.lock().expect("screen").process(&bytes[..n]);
            }
        });
        let writer = pair.master.take_writer().expect("a writer");
        let reader = Some(reading);
        Self { master: Some(pair.master), writer: Some(writer), child, screen, raw, closing, reader }
    }

    /// The screen as text.
    pub fn text(&self) -> String {
        self.screen.lock().expect("screen").screen().contents()
    }

    /// Everything that was written, escape sequences included.
    pub fn raw(&self) -> Vec<u8> {
        self.raw.lock().expect("raw").clone()
    }

    /// The program draws on the alternate screen.
    pub fn is_full_screen(&self) -> bool {
        self.screen.lock().expect("screen").screen().alternate_screen()
    }

    /// Waits until the screen holds what is wanted.
    pub fn until(&self, what: &str, found: impl Fn(&str) -> bool) -> String {
        let end = Instant::now() + LONG;
        loop {
            let text = self.text();
            if found(&text) {
                return text;
            }
            if Instant::now() >= end {
                let raw = self.raw();
                let tail = String::from_utf8_lossy(&raw[raw.len().saturating_sub(400)..]).into_owned();
                panic!("never seen: {what} (process {:?})\n{text}\nwritten last: {tail:?}", state_of(self.pid()));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until `text` is on the screen.
    pub fn sees(&self, text: &str) -> String {
        self.until(text, |screen| screen.contains(text))
    }

    /// Waits until `text` is no longer on the screen.
    pub fn loses(&self, text: &str) {
        self.until(&format!("no {text}"), |screen| !screen.contains(text));
    }

    /// Types.
    pub fn send(&mut self, keys: &str) {
        let writer = self.writer.as_mut().expect("open");
        writer.write_all(keys.as_bytes()).expect("typed");
        writer.flush().expect("typed");
    }

    /// Gives the terminal another size.
    pub fn resize(&mut self, columns: u16, rows: u16) {
        self.screen.lock().expect("screen").screen_mut().set_size(size(rows), size(columns));
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        self.master.as_ref().expect("open").resize(size).expect("resized");
    }

    /// Its process.
    pub fn pid(&self) -> i32 {
        i32::try_from(self.child.process_id().expect("a process")).expect("a number")
    }

    /// Sends a signal.
    pub fn signal(&self, name: &str) {
        signal(self.pid(), name);
    }

    /// Waits until the kernel describes the process by this letter.
    pub fn is_in_state(&self, wanted: char) {
        let end = Instant::now() + LONG;
        while state_of(self.pid()) != Some(wanted) {
            assert!(Instant::now() < end, "never in state {wanted}, but {:?}", state_of(self.pid()));
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits for the end and gives the exit code.
    pub fn exit(&mut self, within: Duration) -> u32 {
        let end = Instant::now() + within;
        loop {
            if let Some(status) = self.child.try_wait().expect("waited") {
                return status.exit_code();
            }
            assert!(Instant::now() < end, "it does not end\n{}", self.text());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The terminal is as a shell wants it: lines, echo, no mouse, a cursor, the ordinary screen.
    pub fn assert_sane(&self) {
        let flags = self.master.as_ref().expect("open").get_termios().expect("modes").local_flags;
        use nix_flags::{ECHO, ICANON};
        let bits = flags.bits();
        assert!(bits & ICANON != 0 && bits & ECHO != 0, "raw mode is left");
        let guard = self.screen.lock().expect("screen");
        let screen = guard.screen();
        assert!(!screen.alternate_screen(), "the ordinary screen");
        assert!(!screen.hide_cursor(), "a cursor");
        assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None);
        assert!(!screen.bracketed_paste());
    }

    /// Closes the terminal under the program. Comes back when it is closed: with the next thing that is written, as the
    /// reader holds it too.
    pub fn close(&mut self) {
        self.closing.store(true, Ordering::SeqCst);
        self.writer = None;
        self.master = None;
        if let Some(reader) = self.reader.take() {
            reader.join().expect("reader");
        }
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

mod nix_flags {
    pub const ECHO: u32 = libc::ECHO;
    pub const ICANON: u32 = libc::ICANON;
}

/// Sends a signal by its name.
pub fn signal(pid: i32, name: &str) {
    let sent = std::process::Command::new("kill").arg(format!("-{name}")).arg(pid.to_string()).status();
    assert!(sent.expect("kill").success());
}

/// How the kernel describes a process: `R`, `S`, `T`...; `None` when there is none.
pub fn state_of(pid: i32) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.trim().chars().next()
}
