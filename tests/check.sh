#!/bin/bash
# check.sh OUT - every test of the project, in order of cost; closes with "N passed, N failed".
set -u
cd "$(dirname "$0")/.." || exit 1
out=$1
export PATH="$PWD/$out/bin:$PATH"
export TEST_TALLY
TEST_TALLY=$(mktemp)
trap 'rm -f "$TEST_TALLY"' EXIT
status=0

echo "== C tests"
mapfile -t units < <(find "$out/tests" -name 'test_*' -type f -executable | sort)
tests/run.sh -j 2 "${units[@]}" || status=1

echo "== networks that lose, lie and crash"
tests/run.sh "$out/bin/leasehold-sim --seeds 300" \
    "$out/bin/leasehold-sim --seeds 6 --views 100 --real-signatures" || status=1

echo "== the EVM, by tests that others publish"
tests/evm.sh "$out" || status=1

echo "== contracts"
tests/run.sh "node contracts/scripts/build.js --check --tap" "node contracts/scripts/test.js" || status=1

echo "== another EVM over 2,000 generated programs"
TEST_TIMEOUT=600 tests/run.sh -j 2 "node tests/evm-referee/referee.test.mjs --seed 0 --count 1000" \
    "node tests/evm-referee/referee.test.mjs --seed 1000 --count 1000" || status=1

echo "== end to end"
mapfile -t scripts < <(ls tests/e2e/*.test.mjs tests/e2e/*.test.sh 2>/dev/null | sort)
commands=()
for script in "${scripts[@]}"; do
    case $script in
    *.mjs) commands+=("node $script") ;;
    *.sh) commands+=("bash $script") ;;
    esac
done
TEST_TIMEOUT=600 tests/run.sh "${commands[@]}" || status=1

awk '{p += $1; f += $2; s += $3} END {
    if (s) printf "%d passed, %d failed, %d skipped\n", p, f, s; else printf "%d passed, %d failed\n", p, f
}' "$TEST_TALLY"
exit $status
