#!/bin/bash
# evm.sh [-l] OUT [DIR] - the EVM against tests that others publish; closes with "N passed, N failed".
#
# With DIR: the state tests below it, a clone of ethereum/tests or fixtures of execution-spec-tests.
# Without: all of EVM_VECTORS (../shared/evm), which may be absent: its state tests, and each benchmark
# program once. (Its format and precompile vectors are read by the C tests.) Its archive is unpacked into
# build/evm-vectors, again when it is newer. With -l only the state tests' folder is printed.
set -u
cd "$(dirname "$0")/.." || exit 1
list_only=
if [ "${1:-}" = -l ]; then list_only=1; shift; fi
out=$1 dir=${2:-}
vectors=${EVM_VECTORS:-../shared/evm}
passed=0 failed=0 skipped=0

# Unpacks $1.tar.zst into build/evm-vectors/$1 unless that is newer; prints the folder.
unpack() {
    local archive=$vectors/$1.tar.zst folder=build/evm-vectors/$1
    if [ ! -e "$folder/.unpacked" ] || [ "$archive" -nt "$folder/.unpacked" ]; then
        rm -rf "$folder"
        mkdir -p "$folder"
        tar --zstd -xf "$archive" -C "$folder" >&2 || return 1
        touch "$folder/.unpacked"
    fi
    echo "$folder"
}

skip() {
    echo "skipped: $1"
    skipped=$((skipped + 1))
}

# Shows what the runner says, and adds its last line to the sums.
state_tests() {
    local log last
    log=$(mktemp)
    if "$out/bin/evm-statetest" "$@" >"$log"; then :; fi
    last=$(tail -n 1 "$log")
    head -n -1 "$log" | head -n 200
    if [[ $last =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
        echo "state tests: $last"
        passed=$((passed + BASH_REMATCH[1])) failed=$((failed + BASH_REMATCH[2]))
    else
        echo "state tests: the runner did not come to its end"
        failed=$((failed + 1))
    fi
    rm -f "$log"
}

bench_programs() {
    local count=0 good=0 program
    for program in "$vectors"/bench/*.txt; do
        count=$((count + 1))
        if "$out/bin/evm-bench" -t 0 "$program" >/dev/null; then
            good=$((good + 1))
        else
            echo "not as expected: $program"
        fi
    done
    echo "benchmark programs: $good passed, $((count - good)) failed"
    passed=$((passed + good)) failed=$((failed + count - good))
}

if [ -n "$list_only" ]; then
    [ -r "$vectors/state-tests.tar.zst" ] && unpack state-tests
    exit
fi
started=$SECONDS
if [ -n "$dir" ]; then
    state_tests "$dir"
else
    if [ -r "$vectors/state-tests.tar.zst" ]; then
        if folder=$(unpack state-tests); then state_tests "$folder"; else failed=1; fi
    else
        skip "the official state tests ($vectors/state-tests.tar.zst) are not on this machine"
    fi
    if [ -d "$vectors/bench" ]; then
        bench_programs
    else
        skip "the benchmark programs ($vectors/bench) are not on this machine"
    fi
fi
echo "in $((SECONDS - started)) s"
if [ -n "${TEST_TALLY:-}" ]; then
    echo "$passed $failed $skipped" >>"$TEST_TALLY"
elif [ "$skipped" -gt 0 ]; then
    echo "$passed passed, $failed failed, $skipped skipped"
else
    echo "$passed passed, $failed failed"
fi
[ "$failed" -eq 0 ]
