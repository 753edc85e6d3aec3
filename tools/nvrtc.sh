#!/bin/bash
# nvrtc.sh - fetches NVIDIA's run-time compiler for tests on machines without CUDA.
#
# NVRTC is NVIDIA's proprietary code, under NVIDIA's End User License Agreement for CUDA, which comes
# along (usr/share/doc). Nothing of Leasehold needs it: without it jobs run on the cpu executor and
# the tests that compile for cards say that they are left out. It comes from Debian's non-free
# archive, version and checksum pinned, and is unpacked and not installed: build/nvrtc holds it, and
# `make clean` takes it away.
set -euo pipefail

VERSION=11.8.89~11.8.0-5~deb12u1
POOL=pool/non-free/n/nvidia-cuda-toolkit
SUMS="
051b70a3d8737eae470b4158e234cf112c803f631b2c77ae60a24a1146309c22 libnvrtc11.2_${VERSION}_amd64.deb
e446e112c304b86a35925bea6a3991a866a29736fac261adb218ec29efb49bb8 libnvrtc-builtins11.8_${VERSION}_amd64.deb
"
TARGET=${1:-build/nvrtc}
MIRROR=${LEASEHOLD_DEBIAN_MIRROR:-http://deb.debian.org/debian}

if [ -e "$TARGET/libnvrtc.so.11.2" ]; then
    echo "NVRTC is there: $TARGET/libnvrtc.so.11.2"
    exit 0
fi
if [ "$(uname -m)" != x86_64 ]; then
    echo "nvrtc.sh: Debian has this NVRTC for x86-64 only" >&2
    exit 1
fi

echo "NVRTC is NVIDIA's proprietary code; by using it you accept NVIDIA's CUDA EULA."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
while read -r sum file; do
    [ -n "$file" ] || continue
    curl -fsSL --retry 3 -o "$work/$file" "$MIRROR/$POOL/${file//\~/%7E}"
    echo "$sum  $work/$file" | sha256sum -c --quiet
    dpkg-deb -x "$work/$file" "$work/root"
done <<<"$SUMS"

mkdir -p "$TARGET"
cp -a "$work"/root/usr/lib/x86_64-linux-gnu/. "$TARGET/"
cp -a "$work"/root/usr/share/doc/libnvrtc11.2/copyright "$TARGET/EULA" 2>/dev/null || true
echo "NVRTC 11.8 is in $TARGET: export LEASEHOLD_NVRTC=$PWD/$TARGET/libnvrtc.so.11.2"
