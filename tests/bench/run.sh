#!/bin/bash
# run.sh OUT - the benchmarks behind docs/performance.md, one after the other; prints, asserts nothing.
set -eu
cd "$(dirname "$0")/../.."
out=$1
echo "== machine"
sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | sort | uniq -c
for bench in "$out"/tests/bench/bench_*; do
    case $bench in *.o | *.d) continue ;; esac
    echo "== $(basename "$bench")"
    "$bench"
done
vectors=${EVM_VECTORS:-../shared/evm}
if [ -x "$out/bin/evm-bench" ] && [ -d "$vectors/bench" ]; then
    echo "== evm-bench (name, status, gas, as expected, median us, minimum us, runs, Mgas/s)"
    "$out/bin/evm-bench" -t 0.3 "$vectors"/bench/*.txt
fi
if [ -d tests/e2e/node_modules ]; then
    echo "== job latency"
    node tests/bench/job_latency.mjs
fi
tests/bench/net.sh "$out"
