#!/bin/bash
# fuzz.sh OUT SECONDS - runs each fuzzer for SECONDS, two side by side; a crash names the input that did it.
set -u
out=$1 seconds=$2
crashes=$out/crashes/
mkdir -p "$crashes"

fuzz_one() {
    local name=$1 corpus=$out/corpus/$1 log=$out/$1.log runs
    mkdir -p "$corpus"
    if "$out/tests/fuzz/$name" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="$crashes$name-" "$corpus" >"$log" 2>&1; then
        runs=$(sed -n 's/stat::number_of_executed_units: *//p' "$log")
        echo "ok - $name: $runs inputs in $seconds s"
    else
        echo "not ok - $name: see $log and $crashes"
    fi
}

results=$(mktemp)
for fuzzer in "$out"/tests/fuzz/fuzz_*; do
    case $fuzzer in *.o | *.d) continue ;; esac
    [ -x "$fuzzer" ] || continue
    fuzz_one "$(basename "$fuzzer")" | tee -a "$results" &
    while [ "$(jobs -rp | wc -l)" -ge 2 ]; do wait -n; done
done
wait
failed=$(grep -c '^not ok' "$results")
echo "$(grep -c '^ok' "$results") passed, $failed failed"
rm -f "$results"
[ "$failed" = 0 ]
