//! The node's state in the Prometheus text format.
//!
//! Rendered from one status when asked; nothing is counted twice or kept for it.

use std::fmt::Write;

use crate::daemon::status::Status;

/// The exposition of `status`.
pub(super) fn render(status: &Status) -> String {
    let mut text = String::new();
    let values = [
        ("uptime_seconds", "How long the node has been running.", status.uptime_seconds),
        ("peers", "Linked nodes.", status.peers as f64),
        ("store_cache_blocks", "Blocks in the region cache.", status.store.cache_blocks as f64),
        ("store_kept_blocks", "Blocks in the region kept.", status.store.kept_blocks as f64),
        ("store_bytes", "Bytes in the store.", status.store.bytes as f64),
        ("store_limit_bytes", "Bytes the store may hold.", status.store.limit_bytes as f64),
        ("jobs", "Jobs of local clients at work.", status.requests.jobs as f64),
        ("commands", "Blocks being fetched or inserted for local clients.", status.requests.commands as f64),
    ];
    for (name, help, value) in values {
        let _ = write!(text, "# HELP bolthole_{name} {help}\n# TYPE bolthole_{name} gauge\nbolthole_{name} {value}\n");
    }
    text.push_str("# HELP bolthole_packets_total UDP packets by kind and payload length.\n");
    text.push_str("# TYPE bolthole_packets_total counter\n");
    for (length, count) in &status.cell_packets {
        let _ = writeln!(text, "bolthole_packets_total{{kind=\"cells\",bytes=\"{length}\"}} {count}");
    }
    for (kind, lengths) in &status.other_packets {
        for (length, count) in lengths {
            let _ = writeln!(text, "bolthole_packets_total{{kind=\"{kind}\",bytes=\"{length}\"}} {count}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_line_is_a_name_and_a_number() {
        let mut status = Status { uptime_seconds: 1.5, ..Status::default() };
        status.cell_packets.insert(1202, 7);
        status.other_packets.entry("ack".into()).or_default().insert(40, 2);
        let text = render(&status);
        assert!(text.contains("bolthole_packets_total{kind=\"cells\",bytes=\"1202\"} 7\n"));
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (name, value) = line.rsplit_once(' ').unwrap();
            assert!(name.starts_with("bolthole_") && value.parse::<f64>().is_ok(), "{line}");
        }
    }
}
