#!/usr/bin/env bash
# The Rust toolchain that rust-toolchain.toml names, by rustup; nothing to do where it is there already.
set -euo pipefail

if [[ ${1:-} == --help ]]; then
    echo "usage: dpdk-config/rust.sh [--dry-run]   install rustup and the toolchain of rust-toolchain.toml where missing"
    exit 0
fi
cd "$(dirname "$0")/.."
export PATH="$HOME/.cargo/bin:$PATH"
if cargo --version >/dev/null 2>&1; then
    exit 0
fi
if [[ ${1:-} == --dry-run ]]; then
    echo "would install rustup and the toolchain of rust-toolchain.toml"
    exit 0
fi
command -v rustup >/dev/null || curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --default-toolchain none --profile minimal
cargo --version >/dev/null 2>&1 || rustup toolchain install
