//! Which Sluice this is.

use std::sync::LazyLock;

/// Version, commit and DPDK's version, for `--version`.
pub(crate) static LONG: LazyLock<String> = LazyLock::new(|| {
    format!("{} (commit {}, {})", env!("CARGO_PKG_VERSION"), env!("SLUICE_COMMIT"), dpdk::version())
});
