#!/bin/bash
# demo.sh - what `make demo` shows, in three acts: a job rented, run, checked and paid while a
# validator dies; a liar losing stake; two workers who collude, convicted by validators. Then the
# dead validator comes back.
#
# Starts a network of its own in a fresh folder, on free ports, and takes everything down again,
# however it ends. Results are left in demo-out/. The programs must be in the PATH.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=$(mktemp -d "${TMPDIR:-/tmp}/leasehold-demo-XXXXXX")
out=$PWD/demo-out
job=examples/render
small=examples/matmul
parameters=$folder.json
up=no
killer=

finish() {
    local code=$?
    trap - EXIT INT TERM
    [ -z "$killer" ] || kill "$killer" 2>/dev/null || true
    if [ $up = yes ]; then
        leasehold devnet down --dir "$folder" --delete >/dev/null 2>&1 || true
    fi
    [ $code = 0 ] || { echo "demo: failed with exit code $code; logs follow" >&2; tail -n 15 "$folder"/*.log >&2 2>/dev/null || true; }
    rm -rf "$folder" "$parameters"
    exit $code
}
trap finish EXIT
trap 'exit 130' INT TERM

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }

# "name   balance   stake" of the renter and the providers, from the chain.
show_balances() {
    leasehold balance renter provider-1 provider-2 provider-3
}

# The same, and the validators', whose judges sat in the committee.
show_court() {
    show_balances
    leasehold balance validator-1 validator-2 validator-3 validator-4
}

# Once the job has its workers and they have had a moment to begin: the validator whose turn it is
# to make the next block dies, without warning.
kill_leader_during_job() {
    local line
    until leasehold job show 1 --json 2>/dev/null | grep -q '"stateName": "running"'; do sleep 0.1; done
    sleep 1
    line=$(leasehold devnet kill leader --dir "$folder")
    if [ -t 1 ]; then printf '\r\033[K'; fi
    printf '\033[1m           >>> %s, in the middle of its turn to lead (kill -9) <<<\033[0m\n' "$line"
    sed -E 's/^node ([0-9]+) .*/\1/' <<<"$line" >"$folder/killed"
}

say "1. A local network: four validators, each with a judge beside it, and three workers"
up=yes
# Who doubts a verdict has 4 seconds to appeal here, so that nobody has to watch a clock.
echo '{"Disputes.appealWindow": "4"}' >"$parameters"
leasehold devnet up --detach --dir "$folder" --validators 4 --workers 3 --parameters "$parameters"
eval "$(leasehold devnet env --dir "$folder")"

say "2. Before"
show_balances

say "ACT ONE: a dying validator"
say "3. The renter rents three workers for $job; while they work, the leading validator is killed"
rm -rf "$out"
mkdir -p "$out"
kill_leader_during_job &
killer=$!
leasehold job run "$job" --replicas 3 --output "$out/honest" --yes
wait $killer
killer=
killed=$(cat "$folder/killed")

say "4. After: the workers' owners have been paid; node $killed is dead and the chain went on without it"
sleep 1.5 # the workers send the last credits home
show_balances
leasehold devnet status --dir "$folder" | sed -n '/^node /,/^$/p'

say "ACT TWO: a liar"
say "5. Worker 2 is restarted with --fault lie, and the same job runs again, on a chain of three validators"
leasehold devnet fault 2 lie --dir "$folder" >/dev/null
leasehold job run "$job" --replicas 3 --output "$out/lied-to" --yes

say "6. After: validators ran it again; two workers were paid, provider-2 lost stake, the renter paid nothing"
sleep 1.5
show_balances

if ! cmp -s "$out/honest/render.png" "$out/lied-to/render.png"; then
    echo "demo: the two pictures differ" >&2
    exit 1
fi
say "Both times the renter got the same, right picture:"
echo "  $out/honest/render.png"

say "ACT THREE: two of three collude"
echo "A vote would now go to the liars: workers 2 and 3 agree on the same wrong result, and only worker 1"
echo "tells the truth. But nobody asks for a vote: results differ, so validators are drawn to run the job again."
leasehold devnet fault 2 collude --dir "$folder" >/dev/null
leasehold devnet fault 3 collude --dir "$folder" >/dev/null
say "7. Before"
show_court
leasehold job run "$small" --replicas 3 --output "$out/outnumbered" --yes
sleep 1.5
say "8. Who said what, and who judged"
leasehold job show 3
say "9. After: the two colluders lost what they had at stake, worker 1 and the judges were paid from it, the renter paid nothing"
show_court
root=$(grep -o '0x[0-9a-f]\{64\}' "$small/README.md" | head -n 1)
leasehold job show 3 --json | grep -q "$root" || { echo "demo: the verdict is not the root in $small/README.md" >&2; exit 1; }

say "10. Node $killed is started again: it asks the others for the blocks that it missed"
leasehold devnet restart "$killed" --dir "$folder"
leasehold devnet status --dir "$folder" | sed -n '/^node /,/^$/p'

leasehold devnet down --dir "$folder" --delete >/dev/null
up=no
left=$(pgrep -f -- "$folder" || true)
[ -z "$left" ] || { echo "demo: processes are left: $left" >&2; exit 1; }
echo "The network is stopped; nothing was left running."
