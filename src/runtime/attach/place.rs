//! Where the socket of a store lies. One function decides for both sides.
//!
//! Beside the store, unless that path is too long for a socket's address; then in a folder that belongs to the user
//! alone, under a name made from the store's path.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::AttachError;

/// Longest path of a socket. Bytes; the address of a socket holds 104 to 108, and ours is made under a name that is one
/// longer.
pub const MAX_PATH: usize = 100;

/// What the process is surrounded by, as far as sockets go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Surroundings {
    /// `XDG_RUNTIME_DIR`.
    pub runtime: Option<PathBuf>,
    /// The folder for temporary files.
    pub temp: PathBuf,
    /// The user.
    pub uid: u32,
}

impl Surroundings {
    /// Of this process.
    pub fn here() -> Self {
        let uid = uid();
        let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|p| p.is_absolute());
        // A service may have been started without the variable that a terminal has, or the other way round.
        let runtime = runtime.or_else(|| Some(PathBuf::from(format!("/run/user/{uid}"))).filter(|p| p.is_dir()));
        Self { runtime, temp: std::env::temp_dir(), uid }
    }
}

/// One place for a socket.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// The socket.
    pub socket: PathBuf,
    /// Folder of its own that must belong to the user alone; `None` beside the store.
    pub folder: Option<PathBuf>,
}

/// Where the socket of `store` may lie, best first: it is made at the first of these and looked for at all of them.
///
/// # Errors
/// [`AttachError::TooLong`] when none has a short enough path, [`AttachError::Io`] when the store's folder is not there.
pub fn places(store: &Path, around: &Surroundings) -> Result<Vec<Place>, AttachError> {
    let store = canonical(store)?;
    let mut beside = store.clone().into_os_string();
    beside.push(".sock");
    if beside.len() <= MAX_PATH {
        return Ok(vec![Place { socket: beside.into(), folder: None }]);
    }
    let name = blake3::hash(store.as_os_str().as_encoded_bytes()).to_hex();
    let name = format!("{}.sock", name.get(..32).unwrap_or(&name));
    let own = around.runtime.iter().map(|r| r.join("stratum"));
    let folders = own.chain([around.temp.join(format!("stratum-{}", around.uid))]);
    let places: Vec<Place> = folders
        .map(|folder| Place { socket: folder.join(&name), folder: Some(folder) })
        .filter(|place| place.socket.as_os_str().len() <= MAX_PATH)
        .collect();
    if places.is_empty() { Err(AttachError::TooLong(around.temp.clone())) } else { Ok(places) }
}

/// The same text for every way of naming a store, whether it is there yet or not.
fn canonical(store: &Path) -> Result<PathBuf, AttachError> {
    if let Ok(path) = store.canonicalize() {
        return Ok(path);
    }
    let store = std::path::absolute(store).map_err(|e| AttachError::io(store, e))?;
    let (Some(folder), Some(name)) = (store.parent(), store.file_name()) else {
        return Err(AttachError::io(&store, std::io::ErrorKind::InvalidInput.into()));
    };
    Ok(folder.canonicalize().map_err(|e| AttachError::io(folder, e))?.join(name))
}

/// Makes sure that the folder of a place belongs to the user alone; makes it if `make` says so.
///
/// # Errors
/// [`AttachError::Folder`] when it is somebody else's or open to others.
pub fn check_folder(place: &Place, uid: u32, make: bool) -> Result<(), AttachError> {
    let Some(folder) = &place.folder else { return Ok(()) };
    if make {
        match fs::DirBuilder::new().mode(0o700).create(folder) {
            Err(e) if e.kind() != std::io::ErrorKind::AlreadyExists => return Err(AttachError::io(folder, e)),
            _ => {}
        }
    }
    // A link is refused too: where it leads may change behind our back.
    let meta = fs::symlink_metadata(folder).map_err(|e| AttachError::io(folder, e))?;
    let private = meta.is_dir() && meta.uid() == uid && meta.mode() & 0o077 == 0;
    if private { Ok(()) } else { Err(AttachError::Folder(folder.clone())) }
}

#[allow(unsafe_code, reason = "the one way to ask who we are")]
fn uid() -> u32 {
    // SAFETY: geteuid takes nothing, touches nothing of ours and cannot fail.
    unsafe { libc::geteuid() }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn around(temp: &Path) -> Surroundings {
        Surroundings { runtime: None, temp: temp.to_owned(), uid: uid() }
    }

    #[test]
    fn beside_the_store_however_it_is_named() {
        let home = tempfile::tempdir().expect("folder");
        let base = home.path().canonicalize().expect("path");
        let expected = vec![Place { socket: base.join("stratum.db.sock"), folder: None }];
        let around = around(home.path());
        assert_eq!(places(&base.join("stratum.db"), &around).expect("places"), expected);
        fs::create_dir(base.join("sub")).expect("folder");
        std::os::unix::fs::symlink(&base, base.join("link")).expect("link");
        fs::write(base.join("stratum.db"), b"").expect("file");
        for other in ["sub/../stratum.db", "link/stratum.db", "./stratum.db"] {
            assert_eq!(places(&base.join(other), &around).expect("places"), expected, "{other}");
        }
        assert!(places(&base.join("nowhere/stratum.db"), &around).is_err());
    }

    #[test]
    fn a_long_path_goes_to_a_folder_of_the_users_own() {
        let home = tempfile::tempdir().expect("folder");
        let deep = home.path().join("d".repeat(100));
        fs::create_dir(&deep).expect("folder");
        let mut around = around(Path::new("/tmp"));
        let one = places(&deep.join("a.db"), &around).expect("places");
        let other = places(&deep.join("b.db"), &around).expect("places");
        assert_eq!(one.len(), 1);
        assert!(one[0].socket.starts_with(format!("/tmp/stratum-{}", uid())) && one != other);
        assert!(one[0].socket.as_os_str().len() <= MAX_PATH);
        around.runtime = Some("/run/user/7".into());
        let both = places(&deep.join("a.db"), &around).expect("places");
        assert!(both[0].socket.starts_with("/run/user/7/stratum"));
        assert_eq!(both[1], one[0]);
        around = Surroundings { runtime: None, temp: deep.clone(), uid: 1 };
        assert!(matches!(places(&deep.join("a.db"), &around), Err(AttachError::TooLong(_))));
    }

    #[test]
    fn a_folder_of_others_is_refused() {
        let home = tempfile::tempdir().expect("folder");
        let folder = home.path().join("own");
        let place = Place { socket: folder.join("x.sock"), folder: Some(folder.clone()) };
        assert!(check_folder(&place, uid(), false).is_err(), "it is not there");
        check_folder(&place, uid(), true).expect("made");
        check_folder(&place, uid(), true).expect("found");
        assert!(matches!(check_folder(&place, uid() + 1, false), Err(AttachError::Folder(_))));
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).expect("mode");
        assert!(matches!(check_folder(&place, uid(), true), Err(AttachError::Folder(_))));
        let link = home.path().join("link");
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).expect("mode");
        std::os::unix::fs::symlink(&folder, &link).expect("link");
        let place = Place { socket: link.join("x.sock"), folder: Some(link) };
        assert!(matches!(check_folder(&place, uid(), false), Err(AttachError::Folder(_))));
    }
}
