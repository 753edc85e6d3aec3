#!/bin/bash
# layers.sh - a folder includes only itself and the floors below it; prints each include that does not.
cd "$(dirname "$0")/.." || exit 1

declare -A may=(
    [base]="base"
    [vm]="vm base"
    [chain]="chain base vm"
    [net]="net base chain"
    [node]="node base vm chain net"
    [client]="client base"
    [compute]="compute base client"
    [wallet]="wallet base client compute/bundle.h compute/job.h compute/run.h compute/png.h compute/reason.h"
)
bad=0
for floor in "${!may[@]}"; do
    while IFS=: read -r file line include; do
        path=$(sed -E 's/.*"([^"]+)".*/\1/' <<<"$include")
        allowed=no
        for place in ${may[$floor]}; do
            [[ $path == "$place" || $path == "$place"/* ]] && allowed=yes
        done
        # compute's headers of the bundle format are the only ones that the wallet may see.
        if [ $allowed = no ]; then
            echo "layers: $file:$line: $floor may not include \"$path\"" >&2
            bad=1
        fi
    done < <(grep -rnE '^[[:space:]]*#[[:space:]]*include[[:space:]]+"' --include='*.[ch]' "$floor" | grep -v '^compute/runner/prelude')
done

# The deterministic machines: no clock, no randomness, no files, no threads.
deterministic=$(find vm chain -name '*.[ch]' ! -path 'chain/store/*')
if grep -nE '\b(time|clock_gettime|gettimeofday|rand|random|random_bytes|getrandom|fopen|open|pthread_create|printf|log_(debug|info|warn|error|limited))\(' $deterministic; then
    echo "layers: vm and chain are deterministic: no clock, randomness, files, threads, logs" >&2
    bad=1
fi
exit $bad
