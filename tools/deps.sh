#!/bin/sh
# deps.sh GROUP... - installs the Debian packages of the named groups that are missing, and says which.
# Groups: build (compile and run), test (make check; skopeo and umoci make container images), lint
# (make lint). Needs root or sudo only when
# something is missing.
set -eu

build="gcc g++ clang make pkg-config libc6-dev libsecp256k1-dev libleveldb-dev libssl-dev libevent-dev
libjansson-dev libgmp-dev libcurl4-openssl-dev libarchive-dev libzstd-dev libseccomp-dev
libpng-dev libwebp-dev uthash-dev bubblewrap ca-certificates procps"
test="libcmocka-dev nettle-dev nodejs npm zstd skopeo umoci"
lint="clang-format clang-tidy cppcheck"
fuzz="libclang-rt-14-dev"
ulp="libmpfr-dev"

if ! command -v dpkg-query >/dev/null; then
    echo "deps: this is not a Debian system; install the equivalents of:" >&2
    for group in "$@"; do eval "echo \$$group" >&2; done
    exit 1
fi

# A program that is there by other means (node from elsewhere) counts as its package.
is_there() {
    case $1 in
    nodejs) command -v node >/dev/null && return 0 ;;
    npm) command -v npm >/dev/null && return 0 ;;
    esac
    [ "$(dpkg-query -W -f '${Status}' "$1" 2>/dev/null)" = "install ok installed" ]
}

missing=
for group in "$@"; do
    eval "packages=\$$group"
    for package in $packages; do
        is_there "$package" || missing="$missing $package"
    done
done
[ -n "$missing" ] || exit 0

echo "Installing missing packages:$missing"
as_root=
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || { echo "deps: run as root, or install:$missing" >&2; exit 1; }
    as_root=sudo
fi
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
if ! { $as_root apt-get update -qq && $as_root apt-get install -y -qq --no-install-recommends $missing; } >"$log" 2>&1; then
    tail -20 "$log" >&2
    echo "deps: apt-get failed; the whole output is in $log" >&2
    exit 1
fi
rm -f "$log"
