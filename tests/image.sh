#!/usr/bin/env bash
# Builds the container image, looks into it, and lets containers of it be the appliances of a lab.
set -euo pipefail

usage="usage: tests/image.sh [--keep] [--bin FOLDER]
  --keep         leave the images for the next run
  --bin FOLDER   where gwlb-lab is (default: target/release)

Needs root and podman. The bases are BUILD_IMAGE and RUNTIME_IMAGE if set, else the Dockerfile's; where no registry
answers they are made from this machine's apt and Rust, with debootstrap."

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
if ((EUID)) || ! command -v podman >/dev/null; then
    echo "image: needs root and podman" >&2
    exit 1
fi
lab=$bin/gwlb-lab
# A lab of its own, beside any other.
export GWLB_LAB_DIR=/run/sluice-test-image
image=localhost/sluice:test
own_build=localhost/sluice-build-base
own_runtime=localhost/sluice-runtime-base
scratch=$(mktemp -d)

say() { printf '\n== %s\n' "$*"; }
ok() { printf '   ok: %s\n' "$*"; }
fail() {
    printf '   FAILED: %s\n' "$*" >&2
    cat "$scratch"/*.log >&2 2>/dev/null || true
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
finish() {
    "$lab" down >/dev/null 2>&1 || true
    podman rm --force --ignore sluice-appliance1 sluice-appliance2 >/dev/null 2>&1 || true
    $keep || podman rmi --force "$image" "$own_build" "$own_runtime" >/dev/null 2>&1 || true
    rm -rf "$scratch"
}
trap finish EXIT

# crun does not run where both versions of cgroups are mounted, so it is shown the first only; and where root may not
# raise limits (some CI machines), podman must not try.
engine=(podman)
options=()
$keep || options+=(--layers=false)
if mountpoint -q /sys/fs/cgroup/unified; then
    # shellcheck disable=SC2016 # the words are the inner shell's
    engine=(unshare -m --propagation private sh -c 'umount /sys/fs/cgroup/unified; exec podman "$@"' podman)
    options+=(--isolation chroot)
fi
run=("${engine[@]}" run --rm --ulimit nofile=4096:4096 --ulimit nproc=4096:4096 --cap-drop ALL --read-only)

# Bases without a registry: what debootstrap makes from this machine's apt, and with this machine's Rust.
make_bases() {
    local mirror
    command -v debootstrap >/dev/null || fail "no registry answers, and there is no debootstrap to make bases with"
    # shellcheck disable=SC2016 # apt's own variable
    mirror=$(apt-get indextargets --format '$(SITE)' 'Label: Debian' | head -n 1)
    debootstrap --variant=minbase --include=ca-certificates bookworm "$scratch/root" "$mirror" >"$scratch/bases.log"
    tar -C "$scratch/root" -c . | podman import --quiet - "$own_runtime" >/dev/null
    mkdir "$scratch/rust"
    cp -a "$(rustc --print sysroot)"/{bin,lib} "$scratch/rust"
    printf 'FROM %s\nENV CARGO_HOME=/usr/local/cargo\nCOPY rust /usr/local/\n' "$own_runtime" >"$scratch/Containerfile"
    podman build --quiet --isolation chroot --tag "$own_build" --file "$scratch/Containerfile" "$scratch" >/dev/null
    rm -rf "$scratch/root" "$scratch/rust"
}

say "the bases"
bases=()
[[ -z ${BUILD_IMAGE:-} ]] || bases+=(--build-arg "BUILD_IMAGE=$BUILD_IMAGE")
[[ -z ${RUNTIME_IMAGE:-} ]] || bases+=(--build-arg "RUNTIME_IMAGE=$RUNTIME_IMAGE")
if ((${#bases[@]} < 4)) && ! timeout 60 podman pull --quiet docker.io/library/debian:bookworm-slim >/dev/null 2>&1; then
    echo "   no registry answers: made from this machine's apt and Rust"
    podman image exists "$own_build" || make_bases
    bases=(--build-arg "BUILD_IMAGE=$own_build" --build-arg "RUNTIME_IMAGE=$own_runtime")
fi
ok "${bases[*]:-as the Dockerfile says}"

say "the image"
# Crates that were fetched for this machine's build are not fetched again.
dpdk-config/image.sh "$image" -- "${options[@]}" --network host "${bases[@]}" \
    --volume "${CARGO_HOME:-$HOME/.cargo}/registry:/usr/local/cargo/registry" >"$scratch/build.log" 2>&1 ||
    fail "the build"
ok "built"

say "what is in it"
inside=("${run[@]}" --network none)
[[ $("${inside[@]}" --entrypoint id "$image" -u) == 65532 ]] || fail "it runs as root"
ok "the user is not root"
"${inside[@]}" --entrypoint sh "$image" -c '! command -v cc gcc clang cargo rustc make' || fail "a compiler is in it"
ok "no compiler"
"${inside[@]}" "$image" --version || fail "it does not run without privileges"
ok "it runs without privileges, without a network, on a read-only file system"

say "two containers as the appliances of a lab"
# `ip netns exec` hides the cgroups from what it starts: podman goes back to where this script is.
cat >"$scratch/appliance.sh" <<SH
#!/usr/bin/env bash
set -euo pipefail
namespace=\$(ip netns identify \$\$)
cat >"$scratch/\$LAB_NAME.toml" <<TOML
[port]
profile = "af_packet"
device = "\$LAB_INTERFACE"
address = "\$LAB_ADDRESS"
gateway = "\$LAB_GATEWAY"

[cores]
mode = "run-to-completion"
worker = [0]
control = 0

[flow]
capacity = 65536

[drain]
delay = 1
TOML
exec nsenter --mount=/proc/$$/ns/mnt --net=/proc/$$/ns/net ${run[*]@Q} --cap-add NET_RAW --cap-add NET_ADMIN --cap-add IPC_LOCK \\
    --name "sluice-\$LAB_NAME" --network "ns:/run/netns/\$namespace" \\
    --volume "$scratch/\$LAB_NAME.toml:/etc/sluice/sluice.toml:ro" "$image"
SH
chmod 755 "$scratch" "$scratch/appliance.sh"
targets_are_healthy() {
    [[ $("$lab" status | sed -nE 's/^ *target +appliance[12] +([a-z]+).*/\1/p') == $'healthy\nhealthy' ]]
}
"$lab" down >/dev/null 2>&1 || true
"$lab" up --prefix image --port 4599 --appliances 2 --time-scale 10 --appliance "$scratch/appliance.sh"
"$lab" tutorial >/dev/null
until_true targets_are_healthy || {
    "$lab" status >&2
    cat "$GWLB_LAB_DIR"/appliance?.log >&2
    fail "the containers did not become healthy"
}
ok "the load balancer calls both containers healthy"
"$lab" traffic || fail "not everything passed"
ok "they forward the lab's traffic"

say "SIGTERM"
began=$SECONDS
"${engine[@]}" stop --time 30 sluice-appliance1 >/dev/null
((SECONDS - began < 20)) || fail "it had to be killed"
ok "a container drains and ends in time"
printf '\nThe image works.\n'
