#!/bin/sh
# make_image.sh [FOLDER] - makes FOLDER/rootfs.tar (this folder's): one static program, and nothing else.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir "$root/bin"
${CC:-cc} -O2 -static -o "$root/bin/words" "$here/words.c"
tar -C "$root" --sort=name --owner=0 --group=0 --mtime=@0 -cf "${1:-$here}/rootfs.tar" .
