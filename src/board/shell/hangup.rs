//! A terminal that has gone away, and one that has something to say.
//!
//! The reader of keys does not tell the first from the second: on a closed terminal it spins without end. So the
//! operating system is asked, before anything is read and now and then besides.

use std::io;

#[cfg(unix)]
#[allow(unsafe_code, reason = "poll(2) on a file descriptor of our own has no safe counterpart in std")]
fn poll(fd: i32, events: i16, timeout_ms: i32) -> io::Result<i16> {
    let mut poll = libc::pollfd { fd, events, revents: 0 };
    // SAFETY: one initialised pollfd and a count of one.
    match unsafe { libc::poll(&raw mut poll, 1, timeout_ms) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(poll.revents),
    }
}

#[cfg(unix)]
const GONE: i16 = libc::POLLHUP | libc::POLLERR | libc::POLLNVAL;

/// The terminal on the standard input or output has gone away.
pub fn terminal_is_gone() -> bool {
    #[cfg(unix)]
    return [libc::STDIN_FILENO, libc::STDOUT_FILENO]
        .into_iter()
        .any(|fd| poll(fd, 0, 0).is_ok_and(|told| told & GONE != 0));
    #[cfg(not(unix))]
    false
}

/// Waits until the standard input, which is a terminal, has something to be read. `false`: it has gone away.
///
/// # Errors
/// When the operating system cannot tell.
pub fn wait_for_input() -> io::Result<bool> {
    #[cfg(unix)]
    loop {
        match poll(libc::STDIN_FILENO, libc::POLLIN, -1) {
            Ok(told) => return Ok(told & GONE == 0),
            // A signal, or a pause of the whole program.
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    // Elsewhere the reader waits by itself.
    #[cfg(not(unix))]
    Ok(true)
}
