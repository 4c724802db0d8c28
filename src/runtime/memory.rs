//! How the allocator treats a program that runs all season.

/// Gives large buffers back to the system as soon as they are done with, and keeps one heap for all threads.
///
/// A look is some seven megabytes of text and as much again of records, all of it gone a moment later; left to itself
/// the allocator keeps such peaks, once for every thread that passed a buffer on. Call it before threads are started.
pub fn be_frugal() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    tune();
}

/// Gives freed memory back to the system now. For after work that needed much of it once.
pub fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    trim();
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
