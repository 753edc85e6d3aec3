#!/bin/bash
# net.sh OUT - the benchmarks of the network: real processes on loopback; takes about ten minutes. At real-time
# priority where that is allowed, so that other work on the machine hardly shows.
set -eu
cd "$(dirname "$0")/../.."
out=$1
export PATH="$PWD/$out/bin:$PATH"
if [ ! -d tests/e2e/node_modules ]; then
    echo "skipped: the network's benchmarks need tests/e2e's npm packages (make npm)"
    exit 0
fi
urgent=()
if chrt -f 10 true 2>/dev/null; then urgent=(chrt -f 10); fi
for bench in latency empty_blocks transfers overload catch_up; do
    echo "== network: $bench"
    "${urgent[@]}" node "tests/bench/net/$bench.mjs"
done
if [ -x "$out/bin/leasehold-sim" ]; then
    echo "== bytes of a view (simulator)"
    "$out/bin/leasehold-sim" --bytes
fi
