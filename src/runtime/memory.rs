//! How the allocator treats a program that runs all season.
//!
//! Records of our own live in jemalloc, in one arena for all threads: a slate is read in by one thread and kept by another,
//! and the C library's allocator is left with holes as large as what it holds. SQLite and zstd stay with the C library.

#[cfg(not(target_env = "msvc"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// One arena; what is freed goes back to the system within a second of further work, and at once in [`give_back`].
#[cfg(not(target_env = "msvc"))]
#[allow(unsafe_code, reason = "jemalloc reads its settings from a symbol of this name before anything else runs")]
#[unsafe(export_name = "_rjem_malloc_conf")]
#[used]
static CONF: Option<&'static std::ffi::c_char> =
    Some(unsafe { &*c"narenas:1,dirty_decay_ms:1000,muzzy_decay_ms:0".as_ptr() });

/// Gives large buffers of C libraries back to the system as soon as they are done with, and keeps one heap for all
/// threads. Call it before threads are started.
pub fn be_frugal() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    tune();
}

/// Gives freed memory back to the system now. For after work that needed much of it once.
pub fn give_back() {
    #[cfg(not(target_env = "msvc"))]
    purge();
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    trim();
    #[cfg(target_os = "linux")]
    let_go_of_code();
}

/// Most of a program's code runs once, when it starts: pages of it that are needed again come back from the file, which the
/// system keeps in its cache.
#[cfg(target_os = "linux")]
#[allow(unsafe_code, reason = "the one way to tell the system")]
fn let_go_of_code() {
    let (Ok(maps), Ok(program)) = (std::fs::read_to_string("/proc/self/maps"), std::fs::read_link("/proc/self/exe"))
    else {
        return;
    };
    for line in maps.lines().filter(|l| l.ends_with(&*program.to_string_lossy())) {
        let mut parts = line.split_whitespace();
        let (Some(range), Some("r-xp")) = (parts.next(), parts.next()) else { continue };
        let Some((from, to)) = range.split_once('-') else { continue };
        let (Ok(from), Ok(to)) = (usize::from_str_radix(from, 16), usize::from_str_radix(to, 16)) else { continue };
        // SAFETY: a mapping of our own that can be read and executed and never written, so that what is dropped is what
        // the file holds.
        unsafe {
            libc::madvise(from as *mut libc::c_void, to.saturating_sub(from), libc::MADV_DONTNEED);
        }
    }
}

#[cfg(not(target_env = "msvc"))]
#[allow(unsafe_code, reason = "jemalloc is asked by name")]
fn purge() {
    // SAFETY: a name that ends with a zero and no buffers; 4096 stands for all arenas.
    unsafe {
        tikv_jemalloc_sys::mallctl(
            c"arena.4096.purge".as_ptr(),
            std::ptr::null_mut(),
            std::ptr::null_mut(),
            std::ptr::null_mut(),
            0,
        );
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code, reason = "the one way to tell the allocator of the C library")]
fn trim() {
    // SAFETY: malloc_trim takes a number and releases only what is free.
    unsafe {
        libc::malloc_trim(0);
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code, reason = "the one way to tell the allocator of the C library")]
fn tune() {
    /// Buffers from this size on are mapped on their own. Bytes.
    const OWN_MAPPING: libc::c_int = 1 << 20;
    // SAFETY: mallopt takes two numbers and touches nothing of ours; a value it does not like is ignored.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 1);
        libc::mallopt(libc::M_MMAP_THRESHOLD, OWN_MAPPING);
    }
}

/// Memory that the process takes up now, where the system tells it cheaply. Bytes.
pub fn resident() -> Option<u64> {
    if !cfg!(target_os = "linux") {
        return None;
    }
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}
