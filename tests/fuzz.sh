#!/bin/bash
# fuzz.sh OUT SECONDS - runs each fuzzer for SECONDS; a crash stops and names the input that did it.
set -u
out=$1 seconds=$2
crashes=$out/crashes/
mkdir -p "$crashes"
passed=0 failed=0
for fuzzer in "$out"/tests/fuzz/fuzz_*; do
    [ -x "$fuzzer" ] && [ -f "$fuzzer" ] || continue
    case $fuzzer in *.o | *.d) continue ;; esac
    name=$(basename "$fuzzer")
    corpus=$out/corpus/$name
    mkdir -p "$corpus"
    if "$fuzzer" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="$crashes$name-" "$corpus" >"$out/$name.log" 2>&1; then
        runs=$(sed -n 's/stat::number_of_executed_units: *//p' "$out/$name.log")
        echo "ok - $name: $runs inputs in $seconds s"
        passed=$((passed + 1))
    else
        echo "not ok - $name: see $out/$name.log and $crashes"
        failed=$((failed + 1))
    fi
done
echo "$passed passed, $failed failed"
[ $failed = 0 ]
