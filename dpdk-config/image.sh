#!/usr/bin/env bash
# Builds the container image with podman or docker.
set -euo pipefail

usage() {
    cat <<'USAGE'
usage: dpdk-config/image.sh [--dry-run] [TAG] [-- OPTION...]

Builds the image TAG (default: localhost/sluice:latest) from the Dockerfile.

  --dry-run    say what would be run, run nothing
  -- OPTION... for podman or docker build, such as --build-arg BUILD_IMAGE=localhost/rust
  --help       this

ENGINE names the program if not podman or docker should be looked for.
USAGE
}

main() {
    local dry_run='' tag=localhost/sluice:latest engine=${ENGINE:-} commit
    while [[ $# -gt 0 && $1 != -- ]]; do
        case $1 in
            --help) usage && return ;;
            --dry-run) dry_run="echo" ;;
            -*) usage >&2 && return 2 ;;
            *) tag=$1 ;;
        esac
        shift
    done
    shift $(($# > 0))
    cd "$(dirname "$0")/.."
    if [[ -z $engine ]]; then
        engine=$(command -v podman || command -v docker) || {
            echo "image.sh: neither podman nor docker is here" >&2
            return 1
        }
    fi
    commit=$(git describe --always --dirty --abbrev=12 --exclude='*' 2>/dev/null) || commit=unknown
    $dry_run "$engine" build --build-arg "SLUICE_COMMIT=$commit" --tag "$tag" "$@" .
}

main "$@"
