//! How much memory there is and has been used, where the system tells.

/// Memory that can be had, in bytes; all there is where the system does not tell.
pub(crate) fn free() -> u64 {
    kibibytes("/proc/meminfo", "MemAvailable:").map_or(u64::MAX, |kib| kib << 10)
}

/// The most this process has used, in bytes.
pub(crate) fn peak() -> Option<u64> {
    kibibytes("/proc/self/status", "VmHWM:").map(|kib| kib << 10)
}

fn kibibytes(file: &str, name: &str) -> Option<u64> {
    let text = std::fs::read_to_string(file).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}
