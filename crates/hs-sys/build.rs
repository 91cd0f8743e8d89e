//! Bindings over the installed headers of Hyperscan, or of Vectorscan, which has the same interface, and what to link.
//!
//! `pkg-config` is run by hand, as `dpdk-sys` does: two words of its answer are all that is needed.

use std::env;
use std::path::PathBuf;
use std::process::Command;

/// What the matcher calls: literal sets in block mode, nothing else of the library.
const FUNCTIONS: &[&str] = &[
    "hs_compile_lit_multi",
    "hs_free_compile_error",
    "hs_free_database",
    "hs_database_size",
    "hs_alloc_scratch",
    "hs_free_scratch",
    "hs_scratch_size",
    "hs_scan",
    "hs_valid_platform",
    "hs_version",
];

const CONSTANTS: &[&str] = &["HS_SUCCESS", "HS_NOMEM", "HS_FLAG_CASELESS", "HS_MODE_BLOCK"];

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    println!("cargo:rerun-if-env-changed=PKG_CONFIG_PATH");
    let cflags = pkg_config(&["--cflags", "libhs"])?;
    bindings(&cflags)?;
    for word in pkg_config(&["--libs-only-L", "libhs"])? {
        if let Some(directory) = word.strip_prefix("-L") {
            println!("cargo:rustc-link-search=native={directory}");
        }
    }
    println!("cargo:rustc-link-lib=dylib=hs");
    Ok(())
}

fn bindings(cflags: &[String]) -> Result<()> {
    match_libclang();
    let mut builder = bindgen::Builder::default()
        .header_contents("libhs.h", "#include <stddef.h>\n#include <hs.h>\n")
        .clang_args(cflags)
        .rust_edition(bindgen::RustEdition::Edition2024)
        .use_core()
        .generate_comments(false)
        .prepend_enum_name(false);
    for function in FUNCTIONS {
        builder = builder.allowlist_function(function);
    }
    for constant in CONSTANTS {
        builder = builder.allowlist_var(constant);
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?).join("bindings.rs");
    Ok(builder.generate()?.write_to_file(out)?)
}

/// With two clangs installed, the newest libclang would be loaded and the headers of the `clang` in the path parsed. So
/// take the library that belongs to that `clang`.
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

fn pkg_config(arguments: &[&str]) -> Result<Vec<String>> {
    let program = env::var("PKG_CONFIG").unwrap_or_else(|_| "pkg-config".into());
    let output =
        Command::new(&program).args(arguments).output().map_err(|error| format!("{program}: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!(
            "no development files of Hyperscan or Vectorscan (Debian: dpdk-config/packages.sh build): {said}"
        )
        .into());
    }
    Ok(String::from_utf8(output.stdout)?.split_whitespace().map(str::to_owned).collect())
}
