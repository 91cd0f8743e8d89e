#!/usr/bin/env bash
# Installs the Debian packages that building, running, testing or benchmarking Sluice needs; nothing where they are there.
set -euo pipefail

usage() {
    cat <<'USAGE'
usage: dpdk-config/packages.sh [--dry-run|--list] ROLE...

Roles:
  build   compilers, headers and libraries of DPDK and Hyperscan (the Rust toolchain: dpdk-config/rust.sh)
  run     the shared libraries that the binary loads: Hyperscan, and DPDK's core, ENA and software drivers
  host    tools of the scripts in dpdk-config: kmod, pciutils, ethtool, iproute2
  test    what the whole-system tests and the lab call
  bench   dpdk-testpmd, the bound that the benches measure beside

  --dry-run   say what would be installed, install nothing
  --list      print the packages of the roles, one a line
  --help      this

Needs apt (Debian 12 or later, Ubuntu 24.04 or later), and root or sudo where something is missing.
USAGE
}

# DPDK's shared libraries carry the number of their binary interface in their package's name: 23 for DPDK 22.11.
dpdk_abi() {
    local abi
    abi=$(apt-cache depends libdpdk-dev 2>/dev/null | sed -n 's/.*Depends: librte-eal\([0-9]*\)$/\1/p' | head -n 1)
    if [[ -z $abi ]]; then
        echo "packages.sh: apt knows no libdpdk-dev: run 'apt-get update' first, or this is not Debian or Ubuntu" >&2
        return 1
    fi
    echo "$abi"
}

# The matching library: Hyperscan runs on x86 alone; Vectorscan, its port with the same interface, on Arm too.
matching_library() {
    if [[ $(dpkg --print-architecture) == amd64 ]]; then
        echo libhyperscan
    else
        echo libvectorscan
    fi
}

packages_of() {
    local abi library
    case $1 in
        build)
            printf '%s\n' ca-certificates clang curl gcc git libc6-dev libclang-dev libdpdk-dev \
                "$(matching_library)-dev" make pkg-config
            ;;
        run)
            abi=$(dpdk_abi)
            echo "$(matching_library)5"
            # The mempool driver and the buses are loaded by name at start: no binary names them, so no tool finds them.
            for library in eal ethdev mbuf mempool timer mempool-ring bus-pci bus-vdev \
                net-ena net-af-packet net-af-xdp net-tap net-pcap net-ring net-null; do
                echo "librte-$library$abi"
            done
            ;;
        host)
            printf '%s\n' ethtool iproute2 kmod pciutils
            ;;
        test)
            printf '%s\n' bind9-dnsutils chromium chromium-driver curl dnsmasq-base ethtool iproute2 iputils-ping nftables openssl procps \
                python3-venv tcpdump util-linux
            ;;
        bench)
            printf '%s\n' dpdk iproute2 python3-venv
            ;;
        *)
            echo "packages.sh: no role '$1' (--help lists them)" >&2
            return 2
            ;;
    esac
}

is_installed() {
    [[ $(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

as_root() {
    if [[ $EUID -eq 0 ]]; then
        "$@"
    else
        sudo "$@"
    fi
}

main() {
    local mode=install roles=() word packages=() missing=() package
    for word; do
        case $word in
            --help) usage && return ;;
            --dry-run) mode=dry-run ;;
            --list) mode=list ;;
            *) roles+=("$word") ;;
        esac
    done
    if [[ ${#roles[@]} -eq 0 ]]; then
        usage >&2
        return 2
    fi
    if ! command -v apt-get >/dev/null; then
        echo "packages.sh: no apt-get here; on other systems install the counterparts of --list by hand" >&2
        return 1
    fi
    # A fresh container has no package lists, and without them no DPDK.
    if [[ $mode == install ]] && ! apt-cache show libdpdk-dev >/dev/null 2>&1; then
        as_root apt-get update -qq
    fi
    local names
    for word in "${roles[@]}"; do
        names=$(packages_of "$word")
        mapfile -t -O "${#packages[@]}" packages <<<"$names"
    done
    mapfile -t packages < <(printf '%s\n' "${packages[@]}" | sort -u)
    if [[ $mode == list ]]; then
        printf '%s\n' "${packages[@]}"
        return
    fi
    for package in "${packages[@]}"; do
        is_installed "$package" || missing+=("$package")
    done
    if [[ ${#missing[@]} -eq 0 ]]; then
        return
    fi
    if [[ $mode == dry-run ]]; then
        echo "would install: ${missing[*]}"
        return
    fi
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet --no-install-recommends "${missing[@]}"
}

main "$@"
