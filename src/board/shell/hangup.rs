//! A terminal that has gone away.
//!
//! The reader of keys does not tell: on a closed terminal it spins without end. So the board asks the terminal itself
//! now and then, which costs nothing, and leaves at once when nobody is there any more.

#[cfg(unix)]
#[allow(unsafe_code, reason = "poll(2) on a file descriptor of our own has no safe counterpart in std")]
fn is_gone(fd: i32) -> bool {
    let mut poll = libc::pollfd { fd, events: 0, revents: 0 };
    // SAFETY: one initialised pollfd, a count of one, and no waiting.
    let told = unsafe { libc::poll(&raw mut poll, 1, 0) };
    told > 0 && poll.revents & (libc::POLLHUP | libc::POLLERR | libc::POLLNVAL) != 0
}

/// The terminal on the standard input or output has gone away.
pub fn terminal_is_gone() -> bool {
    #[cfg(unix)]
    return is_gone(libc::STDIN_FILENO) || is_gone(libc::STDOUT_FILENO);
    #[cfg(not(unix))]
    false
}
