#!/bin/bash
# evm_bench.test.sh - evm-bench's format and judgement: a program as expected, and ones that are not.
set -u
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
count=0

is() {
    count=$((count + 1))
    if [ "$2" = "$3" ]; then
        echo "ok $count - $1"
    else
        printf 'not ok %s - %s\n# want: %s\n# got:  %s\n' "$count" "$1" "$2" "$3"
    fi
}

# bench GAS OUTPUT ARGUMENTS... - the line's first four columns and the exit code, for a program that
# returns the sum of slot 1 and the calldata's first word.
bench() {
    cat >"$dir/sum.txt" <<END
# a comment
name sum
gas 100000
to 0xaa00000000000000000000000000000000000002
from 0xaa00000000000000000000000000000000000001
value 0
number 1
timestamp 1
input 0x$(printf %064x 40)
acct 0xaa00000000000000000000000000000000000002 0 1 0x6001545f35015f5260205ff3
slot 0xaa00000000000000000000000000000000000002 1 0x2
gas_used $1
output $2
END
    shift 2
    evm-bench -t 0 "$@" "$dir/sum.txt" | cut -f 1-4
    echo "exit ${PIPESTATUS[0]}"
}

sum=0x$(printf %064x 42)
is "gas and output as expected are a 1" $'sum\t0\t2124\t1\nexit 0' "$(bench 2124 "$sum")"
is "another gas is a 0 and exit code 1" $'sum\t0\t2124\t0\nexit 1' "$(bench 2123 "$sum")"
is "another output is a 0 and exit code 1" $'sum\t0\t2124\t0\nexit 1' "$(bench 2124 0x2a)"
for tier in plain fast; do
    is "--tier $tier gives the same" $'sum\t0\t2124\t1\nexit 0' "$(bench 2124 "$sum" --tier $tier)"
done
is "a line that says nothing known is named" "evm-bench: $dir/bad.txt:1: cannot be read" \
    "$(echo 'colour red' >"$dir/bad.txt" && evm-bench -t 0 "$dir/bad.txt" 2>&1)"
is "a time that is none is refused" $'evm-bench: t: want seconds from 0 to 3600, got "soon"\n64' \
    "$(evm-bench -t soon "$dir/sum.txt" 2>&1; echo $?)"
echo "1..$count"
