#!/usr/bin/env bash
# Hands ENA devices to DPDK and back, and tells what on this machine stands in DPDK's way.
set -euo pipefail

usage() {
    cat <<'USAGE'
usage: dpdk-config/bind-ena.sh [--dry-run] check | bind PCI | unbind PCI

  check       list the ENA devices and what DPDK needs of the machine; one line each: ok, note or BAD
  bind PCI    give the device at this address (0000:00:06.0) to vfio-pci; its kernel interface goes away
  unbind PCI  give it back to the kernel's driver

  --dry-run   say what would be done, do nothing
  --help      this

A device whose interface carries a default route is not bound: attach a second network interface for the data path.
Exit status: 0 ready or done; 1 something is BAD; 2 wrong usage.
USAGE
}

# Tests put a tree of their own in front of /sys and /proc.
sys=${SLUICE_SYSROOT:-}/sys
proc=${SLUICE_SYSROOT:-}/proc
devices=$sys/bus/pci/devices
no_iommu_switch=$sys/module/vfio/parameters/enable_unsafe_noiommu_mode
dry_run=
bad=

say() { printf '%-5s%s\n' "$1" "$2"; }

trouble() {
    say BAD "$1"
    bad=1
}

fail() {
    echo "bind-ena.sh: $*" >&2
    exit 1
}

# Writes a word into a file of /sys.
put() {
    if [[ -n $dry_run ]]; then
        echo "would write '$1' to $2"
    else
        echo "$1" >"$2" || fail "cannot write '$1' to $2"
    fi
}

run() {
    if [[ -n $dry_run ]]; then
        echo "would run: $*"
    else
        "$@" || fail "failed: $*"
    fi
}

# Amazon's vendor id, and the device ids of net_ena.
is_ena() {
    [[ $(<"$devices/$1/vendor") == 0x1d0f ]] && [[ $(<"$devices/$1/device") =~ ^0x(0ec2|1ec2|ec20|ec21)$ ]]
}

driver_of() {
    [[ -e $devices/$1/driver ]] && basename "$(readlink "$devices/$1/driver")"
}

interfaces_of() {
    local at
    for at in "$devices/$1"/net/*; do
        [[ -e $at ]] && basename "$at"
    done
    return 0
}

# The kernel's table has one line a route; destination 00000000 is the default.
carries_default_route() {
    awk -v name="$1" '$1 == name && $2 == "00000000" { found = 1 } END { exit !found }' "$proc/net/route"
}

has_iommu() {
    compgen -G "$sys/kernel/iommu_groups/*" >/dev/null
}

check_devices() {
    local at device driver interface found=''
    for at in "$devices"/*; do
        device=$(basename "$at")
        if [[ ! -e $at/vendor ]] || ! is_ena "$device"; then
            continue
        fi
        found=1
        driver=$(driver_of "$device") || driver=none
        case $driver in
            vfio-pci | igb_uio) say ok "$device is DPDK's ($driver)" && check_write_combining "$device" ;;
            *)
                say note "$device has driver $driver"
                for interface in $(interfaces_of "$device"); do
                    if carries_default_route "$interface"; then
                        say note "$device is $interface and carries the default route: leave it to the kernel"
                    else
                        say note "$device is $interface: free for 'bind-ena.sh bind $device'"
                    fi
                done
                ;;
        esac
    done
    [[ -n $found ]] || trouble "no ENA device (Amazon 1d0f, ec20/ec21): not an EC2 instance of the Nitro kind?"
}

# ENA's low latency queues are written through the device's memory (BAR 2). Mapped uncached, every descriptor costs a
# microsecond; the kernel's list tells how a mapping is cached while it exists.
check_write_combining() {
    local list=$sys/kernel/debug/x86/pat_memtype_list start rest digits mapping
    { read -r && read -r && read -r start rest; } <"$devices/$1/resource" || return 0
    printf -v digits '%x' "$start"
    if [[ $digits == 0 ]]; then
        say note "$1 has no memory for low latency queues (BAR 2)"
        return
    fi
    if [[ ! -r $list ]]; then
        say note "$1: $list cannot be read (root, debugfs, x86): write combining not checked"
        return
    fi
    mapping=$(grep -i "0x0*$digits-" "$list") || mapping=
    case $mapping in
        *write-combining*) say ok "$1 is mapped write-combining" ;;
        *uncached*) trouble "$1 is mapped uncached: use a vfio-pci with write combining (Amazon's amzn-drivers, userspace/dpdk)" ;;
        *) say note "$1: BAR 2 ($start, ${rest%% *}) is in no mapping now: check again while sluice runs" ;;
    esac
}

check_vfio() {
    if [[ -d $sys/bus/pci/drivers/vfio-pci ]]; then
        say ok "vfio-pci is loaded"
    elif modinfo vfio-pci >/dev/null 2>&1; then
        say note "vfio-pci is not loaded: bind does that"
    else
        trouble "this kernel has no vfio-pci module"
    fi
    if has_iommu; then
        say ok "an IOMMU is there: vfio-pci works as it is"
    elif [[ ! -e $no_iommu_switch ]]; then
        say note "no IOMMU (all but metal instances): vfio's no-IOMMU mode is needed, bind switches it on"
    elif [[ $(<"$no_iommu_switch") == [Y1] ]]; then
        say ok "no IOMMU, and vfio's no-IOMMU mode is on"
    else
        say note "no IOMMU, and vfio's no-IOMMU mode is off: bind switches it on"
    fi
}

check_memory() {
    local free size
    free=$(sed -n 's/^HugePages_Free: *\([0-9]*\).*/\1/p' "$proc/meminfo")
    size=$(sed -n 's/^Hugepagesize: *\([0-9]*\).*/\1/p' "$proc/meminfo")
    if [[ ${free:-0} -eq 0 ]]; then
        trouble "no free huge pages, which a PCI device needs: dpdk-config/hugepages.sh --persist MIB"
    else
        say ok "$((free * size / 1024)) MiB of huge pages are free ('sluice check' says how many it takes)"
    fi
}

bind() {
    local device=$1 interface
    [[ -e $devices/$device/vendor ]] || fail "no PCI device $device"
    is_ena "$device" || fail "$device is not an ENA device"
    if [[ $(driver_of "$device") == vfio-pci ]]; then
        echo "$device is bound to vfio-pci already"
        return
    fi
    for interface in $(interfaces_of "$device"); do
        ! carries_default_route "$interface" || fail "$device is $interface and carries the default route"
        run ip link set "$interface" down
    done
    run modprobe vfio-pci
    if ! has_iommu; then
        put 1 "$no_iommu_switch"
    fi
    give "$device" vfio-pci
}

# The next driver that is asked is the one named in driver_override; an empty line means whichever fits.
give() {
    put "$2" "$devices/$1/driver_override"
    if [[ -e $devices/$1/driver ]]; then
        put "$1" "$devices/$1/driver/unbind"
    fi
    put "$1" "$sys/bus/pci/drivers_probe"
    [[ -z $dry_run ]] || return 0
    [[ -n $(driver_of "$1") ]] || fail "no driver took $1: see dmesg"
    echo "$1 now has driver $(driver_of "$1")"
}

main() {
    local words=() word
    for word; do
        case $word in
            --help) usage && return ;;
            --dry-run) dry_run=1 ;;
            *) words+=("$word") ;;
        esac
    done
    case ${#words[@]}:${words[0]:-} in
        1:check)
            check_devices
            check_vfio
            check_memory
            [[ -z $bad ]]
            ;;
        2:bind) bind "${words[1]}" ;;
        2:unbind)
            [[ -e $devices/${words[1]}/vendor ]] || fail "no PCI device ${words[1]}"
            give "${words[1]}" ''
            ;;
        *)
            usage >&2
            return 2
            ;;
    esac
}

main "$@"
