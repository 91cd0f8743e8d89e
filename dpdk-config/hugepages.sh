#!/usr/bin/env bash
# Reserves huge pages for Sluice, where it may. Never takes any away.
set -euo pipefail

usage() {
    cat <<'USAGE'
usage: dpdk-config/hugepages.sh [--dry-run] [--persist] MIB

Sees to it that MIB mebibytes of huge pages are free, in pages of the kernel's default size. No mount is needed: Sluice
takes them without files (EAL --in-memory), so that nothing is left when it is killed.

  --dry-run   say what would be done, do nothing
  --persist   also after the next boot, by /etc/sysctl.d/80-sluice.conf
  --help      this

Exit status: 0 they are there; 1 they are not, with the reason. Sluice then runs with ordinary pages
(eal.huge_pages = "auto"), 10 % to 25 % slower.
USAGE
}

meminfo() {
    sed -n "s/^$1: *\([0-9]*\).*/\1/p" /proc/meminfo
}

fail() {
    echo "hugepages.sh: $*" >&2
    exit 1
}

main() {
    local dry_run='' persist='' mib='' word
    for word; do
        case $word in
            --help) usage && return ;;
            --dry-run) dry_run=1 ;;
            --persist) persist=1 ;;
            *) mib=$word ;;
        esac
    done
    if [[ ! $mib =~ ^[1-9][0-9]{0,6}$ ]]; then
        usage >&2
        return 2
    fi
    local page_kib free total wanted
    page_kib=$(meminfo Hugepagesize)
    [[ -n $page_kib ]] || fail "this kernel has no huge pages"
    free=$(meminfo HugePages_Free)
    total=$(meminfo HugePages_Total)
    wanted=$(((mib * 1024 + page_kib - 1) / page_kib))
    if ((free >= wanted)) && [[ -z $persist ]]; then
        echo "$((free * page_kib / 1024)) MiB of huge pages are free"
        return
    fi
    local reserve=$((total + (wanted > free ? wanted - free : 0)))
    if [[ -n $dry_run ]]; then
        echo "would set vm.nr_hugepages to $reserve (pages of $page_kib KiB; now $total, $free free)"
        [[ -z $persist ]] || echo "would write vm.nr_hugepages = $reserve to /etc/sysctl.d/80-sluice.conf"
        return
    fi
    # A container has the host's setting read-only even for its root.
    { echo "$reserve" >/proc/sys/vm/nr_hugepages; } 2>/dev/null ||
        fail "vm.nr_hugepages cannot be set here (not root, or a container): on the host, sysctl -w vm.nr_hugepages=$reserve"
    if [[ -n $persist ]]; then
        echo "vm.nr_hugepages = $reserve" >/etc/sysctl.d/80-sluice.conf
    fi
    free=$(meminfo HugePages_Free)
    if ((free < wanted)); then
        fail "memory is too fragmented: $((free * page_kib / 1024)) of $mib MiB; reserve at boot with --persist"
    fi
    echo "$((free * page_kib / 1024)) MiB of huge pages are free"
}

main "$@"
