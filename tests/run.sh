#!/bin/bash
# run.sh [-j N] COMMAND... - runs each test program, reads its TAP, closes with "N passed, N failed".
#
# A program passes when it prints at least one "ok" line, no "not ok" line and exits 0; a crash, a
# time-out (TEST_TIMEOUT seconds, default 300) or silence counts as one failure. A command is a
# path with arguments in one word list, for example "node tests/e2e/rpc.mjs". N run side by side.
set -u
jobs=1
if [ "${1:-}" = -j ]; then jobs=$2; shift 2; fi
limit=${TEST_TIMEOUT:-300}
export TSAN_OPTIONS="suppressions=$(dirname "$0")/tsan.supp ${TSAN_OPTIONS:-}"
export UBSAN_OPTIONS="print_stacktrace=1 ${UBSAN_OPTIONS:-}"
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

run_one() {
    local index=$1 command=$2 started=$SECONDS
    timeout --kill-after=10 "$limit" $command >"$logs/$index.out" 2>"$logs/$index.err" </dev/null
    echo "$?" >"$logs/$index.rc"
    printf '%4ds  %s\n' $((SECONDS - started)) "$command"
}

index=0
for command in "$@"; do
    run_one "$index" "$command" &
    index=$((index + 1))
    while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do wait -n; done
done
wait

passed=0 failed=0 skipped=0
index=0
for command in "$@"; do
    out=$logs/$index.out
    name=$(grep -oE '[^ ]*/[^ ]*' <<<"$command" | head -n 1)
    # cmocka writes a skipped test as "not ok N # SKIP name", others as "ok N - name # SKIP".
    skips=$(grep -c -E '^(not )?ok .*# SKIP' "$out")
    good=$(grep -E '^ok\b' "$out" | grep -c -v '# SKIP')
    bad=$(grep -E '^not ok\b' "$out" | grep -c -v '# SKIP')
    code=$(cat "$logs/$index.rc")
    if [ "$bad" -eq 0 ] && { [ "$code" -ne 0 ] || [ $((good + skips)) -eq 0 ]; }; then
        bad=1
        echo "not ok - $command exited with $code$([ "$code" = 124 ] && echo " (over $limit s)") and told no failed test"
    fi
    if [ "$bad" -gt 0 ]; then
        echo "--- $command"
        grep -E -A12 '^not ok' "$out" | grep -v '# SKIP' | head -60
        tail -n 30 "$logs/$index.err"
    fi
    grep -h -E '^(not )?ok .*# SKIP' "$out" | sed -E "s|^(not )?ok *|skipped, $name: |"
    passed=$((passed + good)) failed=$((failed + bad)) skipped=$((skipped + skips))
    index=$((index + 1))
done
if [ -n "${TEST_TALLY:-}" ]; then echo "$passed $failed $skipped" >>"$TEST_TALLY"; else echo "$passed passed, $failed failed"; fi
[ "$failed" -eq 0 ]
