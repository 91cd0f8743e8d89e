#!/usr/bin/env bash
# `make bench`: everything that DESIGN.md and SPECIFICATION.md promise in numbers, beside dpdk-testpmd in the same run.
# Results go to benches/results/<date>-<commit>/. Arguments are passed on: `benches/run.sh --samples 3 pcap latency` runs
# parts; see benches/README.md. Needs root (namespaces, huge pages) and two CPUs with nothing else to do.
set -euo pipefail
cd "$(dirname "$0")/.."

if ((EUID)); then
    echo "bench: huge pages and network namespaces need root: sudo make bench" >&2
    exit 1
fi
dpdk-config/hugepages.sh 512
cargo build --release --locked -p benches -p appliance
exec target/release/bench --out benches/results "$@"
