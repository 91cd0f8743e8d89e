//! Bindings over the installed DPDK headers, the shim compiled, and what to link.
//!
//! `pkg-config` is run by hand: the crate of that name drops `-include rte_config.h` and `-march`, without which the
//! headers do not compile, and names sixty libraries where ten are needed.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What Rust calls by its own symbol. Whatever has an inline or macro front in a header goes through the shim instead.
const FUNCTIONS: &[&str] = &[
    "rte_eal_init",
    "rte_version",
    "rte_get_tsc_hz",
    "rte_thread_(un)?register",
    "rte_timer_manage",
    "rte_dev_(probe|remove)",
    "rte_pktmbuf_(pool_create|free_bulk)",
    "rte_mempool_avail_count",
    "rte_eth_dev_(get_port_by_name|info_get|configure|start|stop|close|socket_id|get_mtu|set_mtu|callback_(un)?register)",
    "rte_eth_dev_adjust_nb_rx_tx_desc",
    "rte_eth_(rx|tx)_queue_setup",
    "rte_eth_macaddr_get",
    "rte_eth_stats_get",
    "rte_eth_xstats_get(_names)?",
    "shim_.*",
];

const TYPES: &[&str] =
    &["rte_eth_conf", "rte_eth_dev_info", "rte_eth_stats", "rte_eth_xstat(_name)?", "shim_mbuf"];

const CONSTANTS: &[&str] = &["RTE_ETH_MQ_RX_RSS", "RTE_ETH_EVENT_INTR_RESET"];

/// Linked in both ways: what the shim and the bindings name.
const LIBRARIES: &[&str] = &["rte_ethdev", "rte_mempool", "rte_mbuf", "rte_timer", "rte_eal"];

/// `static` only: what the shared libraries would have pulled in, and the drivers, which nothing names.
const ARCHIVES: &[&str] = &[
    "rte_net_ena",
    "rte_net_af_packet",
    "rte_net_af_xdp",
    "rte_net_tap",
    "rte_net_pcap",
    "rte_net_ring",
    "rte_net_null",
    "rte_mempool_ring",
    "rte_bus_pci",
    "rte_bus_vdev",
    "rte_pci",
    "rte_gso",
    "rte_hash",
    "rte_rcu",
    "rte_net",
    "rte_meter",
    "rte_ring",
    "rte_kvargs",
    "rte_telemetry",
];

/// `static` only: what was part of `rte_eal` before 23.11 and 24.03.
const LATER_ARCHIVES: &[&str] = &["rte_log", "rte_argparse"];

/// `static` only: what the archives need of the system.
const SYSTEM: &[&str] = &["pcap", "xdp", "bpf", "numa", "fdt", "bsd"];

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    println!("cargo:rerun-if-changed=shim.c");
    println!("cargo:rerun-if-changed=shim.h");
    println!("cargo:rerun-if-env-changed=PKG_CONFIG_PATH");
    let cflags = pkg_config(&["--cflags", "libdpdk"])?;
    shim(&cflags);
    bindings(&cflags)?;
    link()
}

fn shim(cflags: &[String]) {
    let mut build = cc::Build::new();
    build.file("shim.c").warnings(true).flag("-Wno-deprecated-declarations");
    for flag in cflags {
        build.flag(flag);
    }
    build.compile("shim");
}

fn bindings(cflags: &[String]) -> Result<()> {
    match_libclang();
    let mut builder = bindgen::Builder::default()
        .header("shim.h")
        .clang_args(cflags)
        .rust_edition(bindgen::RustEdition::Edition2024)
        .use_core()
        .layout_tests(true)
        .generate_comments(false)
        .prepend_enum_name(false)
        .derive_default(true)
        // The mbuf's layout is the shim's business, the pool's and the device's are DPDK's: pointers only.
        .opaque_type("rte_mbuf|rte_mempool|rte_device|rte_eth_dev")
        .blocklist_type("max_align_t");
    for function in FUNCTIONS {
        builder = builder.allowlist_function(function);
    }
    for kind in TYPES {
        builder = builder.allowlist_type(kind);
    }
    for constant in CONSTANTS {
        builder = builder.allowlist_var(constant);
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?).join("bindings.rs");
    Ok(builder.generate()?.write_to_file(out)?)
}

/// With two clangs installed, the newest libclang would be loaded and the headers of the `clang` in the path parsed,
/// which fails ("invalid conversion between vector type"). So take the library that belongs to that `clang`.
fn match_libclang() {
    println!("cargo:rerun-if-env-changed=LIBCLANG_PATH");
    if env::var_os("LIBCLANG_PATH").is_some() {
        return;
    }
    let Ok(found) = Command::new("clang").arg("-print-resource-dir").output() else { return };
    // …/lib/clang/14.0.6, beside …/lib/libclang.so.1
    let resources = PathBuf::from(String::from_utf8_lossy(&found.stdout).trim());
    if let Some(libraries) = resources.ancestors().nth(2).filter(|at| at.is_dir()) {
        // SAFETY: the build script has one thread, so nothing reads the environment meanwhile.
        unsafe { env::set_var("LIBCLANG_PATH", libraries) };
    }
}

fn link() -> Result<()> {
    let words = pkg_config(&["--libs-only-L", "--keep-system-libs", "libdpdk"])?;
    let directories: Vec<&str> = words.iter().filter_map(|word| word.strip_prefix("-L")).collect();
    directories.iter().for_each(|directory| println!("cargo:rustc-link-search=native={directory}"));
    if env::var_os("CARGO_FEATURE_STATIC").is_none() {
        // The drivers are not linked: EAL loads every file of the directory that DPDK was built with.
        LIBRARIES.iter().for_each(|library| println!("cargo:rustc-link-lib=dylib={library}"));
        return Ok(());
    }
    let there = |archive: &&&str| {
        directories.iter().any(|directory| Path::new(directory).join(format!("lib{archive}.a")).exists())
    };
    // Drivers register themselves in constructors that nobody calls by name: whole archives, or they are left out.
    for archive in ARCHIVES.iter().chain(LIBRARIES).chain(LATER_ARCHIVES.iter().filter(there)) {
        println!("cargo:rustc-link-lib=static:+whole-archive,-bundle={archive}");
    }
    SYSTEM.iter().for_each(|library| println!("cargo:rustc-link-lib=dylib={library}"));
    Ok(())
}

fn pkg_config(arguments: &[&str]) -> Result<Vec<String>> {
    let program = env::var("PKG_CONFIG").unwrap_or_else(|_| "pkg-config".into());
    let output =
        Command::new(&program).args(arguments).output().map_err(|error| format!("{program}: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(
            format!("no development files of DPDK (Debian: dpdk-config/packages.sh build): {said}").into()
        );
    }
    Ok(String::from_utf8(output.stdout)?.split_whitespace().map(str::to_owned).collect())
}
