#!/usr/bin/env bash
# The main job on the embedded lab: AWS's tutorial builds the system, real traffic passes two Sluice appliances on DPDK
# ports, a rule drops a flow, one appliance dies and comes back. Everything is taken down at the end.
set -euo pipefail

usage="usage: tests/demo.sh [--keep] [--bin FOLDER]
  --keep         leave the lab running, to look around
  --bin FOLDER   where sluice and gwlb-lab are (default: target/release)"

cd "$(dirname "$0")/.."
keep=false
bin=target/release
while (($#)); do
    case $1 in
        --keep) keep=true ;;
        --bin) bin=${2:?$usage} && shift ;;
        --help) echo "$usage" && exit 0 ;;
        *) echo "$usage" >&2 && exit 2 ;;
    esac
    shift
done
if ((EUID)); then
    echo "demo: the lab makes network namespaces, which needs root: sudo make demo" >&2
    exit 1
fi

GWLB_LAB_DIR=${GWLB_LAB_DIR:-/run/gwlb-lab}
export GWLB_LAB_DIR
lab=$bin/gwlb-lab

say() { printf '\n== %s\n' "$*"; }
ok() { printf '   ok: %s\n' "$*"; }
fail() {
    printf '   FAILED: %s\n' "$*" >&2
    "$lab" status >&2 || true
    "$lab" logs appliance1 >&2 || true
    exit 1
}
# Until the command succeeds, looking twice a second for at most 60 s.
until_true() {
    for _ in {1..120}; do
        "$@" && return
        sleep 0.5
    done
    return 1
}
# Whether the load balancer sees the two appliances in these states.
targets() {
    local seen
    seen=$("$lab" status | sed -nE 's/^ *target +appliance[12] +([a-z]+).*/\1/p')
    [[ $seen == "$1"$'\n'"$2" ]]
}
finish() {
    $keep || "$lab" down >/dev/null 2>&1 || true
}

say "huge pages for DPDK"
dpdk-config/hugepages.sh 256 || echo "   none to be had: DPDK runs on ordinary pages"

say "the tutorial's prerequisites: VPCs, subnets, route tables, a client, an application, two appliances"
trap finish EXIT
"$lab" down >/dev/null 2>&1 || true
"$lab" up --appliances 2 --time-scale 10 --rules tests/demo.rules
"$lab" traffic >/dev/null && fail "traffic passed before there was any route"
ok "no route yet: nothing passes"

say "the tutorial, steps 1 to 3"
if [[ -x target/tools/bin/aws ]]; then
    PATH=$PWD/target/tools/bin:$PATH
    eval "$("$lab" env)"
    # The README's own block, each line shown before it runs.
    bash -euv <(awk '/^<!-- tutorial -->$/ { on = 1; next } on && /^```$/ { if (open) exit; open = 1; next } open' README.md)
else
    "$lab" tutorial
fi

say "health checks over the data port"
until_true targets healthy healthy || fail "the appliances did not become healthy"
ok "the load balancer calls both appliances healthy"

say "traffic both ways, IPv4 and IPv6"
"$lab" traffic || fail "not everything passed"

say "a flow that the policy drops"
eval "$("$lab" env)"
if "$lab" exec client -- curl -sS -m 2 "telnet://$APP_PUBLIC_IPV4:23" </dev/null 2>/dev/null; then
    fail "telnet passed"
fi
until_true grep -q '"signature":"no telnet"' "$GWLB_LAB_DIR"/appliance?.events || fail "no appliance told of the drop"
grep -h -m1 '"signature":"no telnet"' "$GWLB_LAB_DIR"/appliance?.events
ok "telnet is dropped, and the appliance says why"

say "one appliance dies"
"$lab" fault kill appliance1
until_true targets unhealthy healthy || fail "nobody noticed"
for host in "$APP_PUBLIC_IPV4" "[$APP_IPV6]"; do
    "$lab" exec client -- curl -sS -m 5 -o /dev/null "http://$host/" || fail "a new flow to $host did not pass"
done
ok "new flows go to the other appliance; old ones stay where they were, as with target_failover no_rebalance"

say "and comes back"
"$lab" fault restart appliance1
until_true targets healthy healthy || fail "it did not become healthy again"
ok "healthy again"

say "what there is, and what it did"
"$lab" status
for name in appliance1 appliance2; do
    printf '\n%s:\n' "$name"
    "$lab" exec "$name" -- curl -sS -m 2 http://127.0.0.1:9100/metrics |
        grep -E '^sluice_(core_(received|passed|flows|alerts)|dropped_packets)[a-z_]*' | grep -v ' 0$' || true
done

if $keep; then
    printf '\nThe lab is still up: %s status, %s exec client -- bash, %s down\n' "$lab" "$lab" "$lab"
else
    say "taken down"
    "$lab" down
    trap - EXIT
fi
printf '\nThe demo passed.\n'
