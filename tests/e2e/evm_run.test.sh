#!/bin/bash
# evm_run.test.sh - evm-run as people and scripts use it: results, exit codes, traces, and bad input.
set -u
export LC_ALL=C
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
count=0

# is NAME WANT GOT - one TAP line; on failure both texts.
is() {
    count=$((count + 1))
    if [ "$2" = "$3" ]; then
        echo "ok $count - $1"
    else
        echo "not ok $count - $1"
        printf '%s\n' "$2" | sed 's/^/# want: /'
        printf '%s\n' "$3" | sed 's/^/# got:  /'
    fi
}

# run ARGUMENTS... - what it prints and the exit code, columns squeezed to one space.
run() {
    evm-run "$@" 2>"$dir/err" </dev/null | sed -E 's/ +/ /g'
    echo "exit ${PIPESTATUS[0]}"
}

# shellcheck disable=SC2015
# refused PATTERN ARGUMENTS... - one line on stderr that matches, nothing on stdout, exit code 64.
refused() {
    local pattern=$1 out code
    shift
    out=$(evm-run "$@" 2>"$dir/err" </dev/null)
    code=$?
    is "refused: $(printf '%.40s' "$*")" "64  1 yes" \
        "$code $out $(wc -l <"$dir/err") $(grep -qE -e "$pattern" "$dir/err" && echo yes || cat "$dir/err")"
}

RETURN_TOP=5f5260205ff3

is "code from the command line runs" \
    $'result success\ngas used 9\ngas refund 0\noutput 0x\nexit 0' "$(run 6001600201)"
is "a revert is shown with its reason and exits 1" \
    $'result execution reverted\ngas used 16\ngas refund 0\noutput 0x2a\nexit 1' "$(run 602a5f5360015ffd)"
is "a failure takes all gas and exits 1" \
    $'result stack underflow\ngas used 500\ngas refund 0\noutput 0x\nexit 1' "$(run --gas 500 01)"
is "gas that does not suffice is all used" \
    $'result out of gas\ngas used 2\ngas refund 0\noutput 0x\nexit 1' "$(run --gas=2 6000)"
is "calldata is what --input says" \
    "output 0x2a00000000000000000000000000000000000000000000000000000000000000" \
    "$(run --input 0x2a 5f35$RETURN_TOP | grep output)"
is "sender, address and value are what the flags say" \
    "output 0x$(printf %040x 187)$(printf %040x 204)$(printf %064x 7)" \
    "$(run --sender "0x$(printf %040x 187)" --to "0x$(printf %040x 204)" --value 7 \
        3360601b5f523060601b6014523460285260485ff3 | grep output)"
is "block facts are what the flags say" "output 0x000000000000000000000000000000000000000000000000000000000000002a" \
    "$(run --block-number 10 --timestamp 12 --chain-id 20 43420146015f5260205ff3 | grep output)"
is "a log shows address, topics and data" \
    "log address=0xAa00000000000000000000000000000000000002 topics=0x$(printf %064x 6),0x$(printf %064x 7) data=0xab" \
    "$(run 60ab5f536007600660015fa200 | grep log)"
is "a log of a call that failed is gone" "" "$(run 5f5fa0fe | grep log)"
is "the refund is shown" "gas refund 19900" "$(run 60015f555f5f55 | grep refund)"
is "a static call may not write" "result write protection" "$(run --static 60015f55 | grep result)"
is "init code is deployed" \
    $'result success\ngas used 208\ngas refund 0\ncreated 0xD823344D57157beaA64849b5aa6db26ed05B33E8\noutput 0x00\nexit 0' \
    "$(run --create 60015ff3)"
is "a precompile needs no code" "output 0xba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" \
    "$(run --to 0x0000000000000000000000000000000000000002 --input 616263 | grep output)"
is "BLS12-381 is there from Prague on" "result precompile failed" \
    "$(run --to 0x0000000000000000000000000000000000000010 --input 00 | grep result)"

# ---- files and stdin

echo "0x6001 6002
01" >"$dir/code.hex"
is "a file holds hex, with spaces and line ends" "gas used 9" "$(run "@$dir/code.hex" | grep used)"
printf '\x60\x01\x60\x02\x01' >"$dir/code.bin"
is "a file holds bytes" "gas used 9" "$(run "@$dir/code.bin" | grep used)"
is "code comes from stdin" 9 "$(echo 6001600201 | evm-run - | sed -n 's/^gas used *//p')"
is "calldata comes from stdin" "output      0x2a$(printf %062d 0)" \
    "$(printf '\x2a' | evm-run --input - 5f35$RETURN_TOP | grep output)"

# ---- every interpreter gives the same

for tier in plain fast; do
    is "$tier prints what auto prints" "$(run 5b60015f54015f555f5460641015600057"$RETURN_TOP")" \
        "$(run --tier $tier 5b60015f54015f555f5460641015600057"$RETURN_TOP")"
done

# ---- the trace

trace=$(evm-run --trace --gas 3000 60015f5500 2>&1 >/dev/null | sed 's/0x[0-9a-f]\{64\}/ROOT/')
is "a trace is EIP-3155, a line a step, and a summary" \
    '{"pc":0,"op":96,"gas":"0xbb8","gasCost":"0x3","memSize":0,"stack":[],"depth":1,"refund":0,"opName":"PUSH1"}
{"pc":2,"op":95,"gas":"0xbb5","gasCost":"0x2","memSize":0,"stack":["0x1"],"depth":1,"refund":0,"opName":"PUSH0"}
{"pc":3,"op":85,"gas":"0xbb3","gasCost":"0x0","memSize":0,"stack":["0x1","0x0"],"depth":1,"refund":0,"opName":"SSTORE"}
{"stateRoot":"ROOT","output":"0x","gasUsed":"0xbb8","pass":false,"fork":"Prague"}' "$trace"
is "the result stays alone on stdout" "$(run 6001600201)" "$(run --trace 6001600201)"
is "the state root tells what was stored" "2" \
    "$( (evm-run --trace 60015f55; evm-run --trace 60025f55) 2>&1 | grep -o '"stateRoot":"[^"]*"' | sort -u | wc -l)"

# ---- what is refused

refused 'no CODE'
refused 'names no precompile of Cancun' --fork Cancun --to 0x0000000000000000000000000000000000000010
refused 'CODE: byte 2 is no hex digit' 6g
refused 'CODE: an odd number of hex digits \(3\)' 0x600
refused 'CODE: cannot read .*/nothing: not found' "@$dir/nothing"
refused 'input: byte 1 is no hex digit' --input hello 00
refused 'value: want wei' --value 1.5 00
refused 'value: want wei' --value 0x1"$(printf %064d 0)" 00
refused 'sender: want 0x' --sender 0x12 00
refused 'to: want 0x' --to 0xaA00000000000000000000000000000000000A02 00
refused 'gas: want a number' --gas -1 00
refused 'gas: want a number' --gas 9223372036854775808 00
refused 'fork: want Cancun or Prague, got "London"' --fork London 00
refused 'tier: want auto, plain or fast' --tier turbo 00
refused 'goes with neither' --create --input 00 00
refused '--static goes with no --value' --static --value 1 00
refused 'cannot both be stdin' --input - -
refused 'needs no CODE' --to 0x0000000000000000000000000000000000000002 00

is "a second word is refused" 64 "$(evm-run 00 00 >/dev/null 2>&1; echo $?)"
is "--help names every flag" 13 "$(evm-run --help | grep -cE '^ +--(input|gas|value|sender|to|create|static|fork|tier|block-number|timestamp|chain-id|trace)\b')"
is "--print-man is a manual page" ".TH EVM-RUN 1" "$(evm-run --print-man | head -n 1 | cut -c1-13)"
echo "1..$count"
