//! The local socket: how a board of one process follows the session of another on the same machine.
//!
//! [`place`] decides where the socket lies, [`wire`] what is said on it, [`server`] speaks for the session that owns the
//! store and [`client`] for the board. Only words go over it, never rows: whoever hears of a look reads the store. It
//! belongs to one user; nothing that comes in on it can reach the pipeline.

pub mod client;
pub mod place;
pub mod server;
pub mod wire;

use std::path::PathBuf;

/// Number of the language spoken on the socket. Rises when an older side could misunderstand a newer one.
pub const PROTOCOL: u32 = 1;

/// Why there is no socket.
#[derive(Debug, thiserror::Error)]
pub enum AttachError {
    /// Another process listens there.
    #[error("{0}: another process listens on this socket; stop it, or choose another --data-dir")]
    Taken(PathBuf),
    /// Something that is no socket lies where ours belongs.
    #[error("{0} is in the way of the socket for boards; move it away")]
    InTheWay(PathBuf),
    /// The folder for sockets belongs to somebody else or is open to others.
    #[error("{0} must be a folder of yours that nobody else can use; remove it, or set XDG_RUNTIME_DIR to one that is")]
    Folder(PathBuf),
    /// No place for sockets has a short enough path.
    #[error("no path for a socket is shorter than 100 bytes; set XDG_RUNTIME_DIR to a shorter one than {0}")]
    TooLong(PathBuf),
    /// The operating system refused.
    #[error("{path}: {source}")]
    Io {
        /// The socket or its folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl AttachError {
    fn io(path: &std::path::Path, source: std::io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }
}
