//! A panic: the terminal comes back first, then a report goes into a file, then a sentence says where it is.

use std::fs::OpenOptions;
use std::io::Write;
use std::panic::PanicHookInfo;
use std::path::{Path, PathBuf};

use super::terminal;

/// Reports go into `folder`, named by the instant and the process.
pub fn install(folder: &Path) {
    let folder = folder.to_owned();
    std::panic::set_hook(Box::new(move |info| {
        let screen = std::thread::current().name().is_none_or(|name| name == "main");
        // Another thread's panic is shown on the board and leaves the screen alone.
        if screen {
            terminal::restore();
        }
        let text = report(info);
        tracing::error!("{}", text.lines().next().unwrap_or_default());
        let path = write(&folder, &text);
        if screen {
            let _ = match path {
                Some(path) => writeln!(
                    std::io::stderr(),
                    "stratum: this should not have happened. Everything that was committed is safe.\n\
                     A report is in {}",
                    path.display()
                ),
                None => writeln!(std::io::stderr(), "stratum: this should not have happened.\n{text}"),
            };
        }
    }));
}

fn report(info: &PanicHookInfo<'_>) -> String {
    let what = info
        .payload()
        .downcast_ref::<&str>()
        .map(|s| (*s).to_owned())
        .or_else(|| info.payload().downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".into());
    let at = info.location().map_or_else(|| "unknown place".into(), ToString::to_string);
    let thread = std::thread::current().name().unwrap_or("unnamed").to_owned();
    format!(
        "panic at {at}: {what}\nversion {}\nthread {thread}\nsystem {} {}\n\n{}\n",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS,
        std::env::consts::ARCH,
        std::backtrace::Backtrace::force_capture()
    )
}

fn write(folder: &Path, text: &str) -> Option<PathBuf> {
    std::fs::create_dir_all(folder).ok()?;
    let stamp = chrono::Utc::now().format("%Y%m%dT%H%M%SZ");
    let path = folder.join(format!("panic-{stamp}-{}.txt", std::process::id()));
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&path).ok()?;
    file.write_all(text.as_bytes()).ok()?;
    Some(path)
}
