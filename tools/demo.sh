#!/bin/bash
# demo.sh - what `make demo` shows: a job rented, run, checked and paid; then a liar losing stake.
#
# Starts a network of its own in a fresh folder, on free ports, and takes everything down again,
# however it ends. Results are left in demo-out/. The programs must be in the PATH.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=$(mktemp -d "${TMPDIR:-/tmp}/leasehold-demo-XXXXXX")
out=$PWD/demo-out
job=examples/render
up=no

finish() {
    local code=$?
    trap - EXIT INT TERM
    if [ $up = yes ]; then
        leasehold devnet down --dir "$folder" --delete >/dev/null 2>&1 || true
    fi
    [ $code = 0 ] || { echo "demo: failed with exit code $code; logs follow" >&2; tail -n 15 "$folder"/*.log >&2 2>/dev/null || true; }
    rm -rf "$folder"
    exit $code
}
trap finish EXIT
trap 'exit 130' INT TERM

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }

# "name   balance   stake" of the renter and the providers, from the chain.
show_balances() {
    leasehold balance renter provider-1 provider-2 provider-3
}

say "1. A local network: one validator, three workers"
up=yes
leasehold devnet up --detach --dir "$folder" --workers 3
eval "$(leasehold devnet env --dir "$folder")"

say "2. Before"
show_balances

say "3. The renter rents three workers for $job"
rm -rf "$out"
mkdir -p "$out"
leasehold job run "$job" --replicas 3 --output "$out/honest" --yes

say "4. After: the workers' owners have been paid"
sleep 1.5 # the workers send the last credits home
show_balances

say "5. Worker 2 is restarted with --fault lie, and the same job runs again"
leasehold devnet fault 2 lie --dir "$folder" >/dev/null
leasehold job run "$job" --replicas 3 --output "$out/lied-to" --yes

say "6. After: two were paid, provider-2 lost stake, the renter paid nothing"
sleep 1.5
show_balances

if ! cmp -s "$out/honest/render.png" "$out/lied-to/render.png"; then
    echo "demo: the two pictures differ" >&2
    exit 1
fi
say "Both times the renter got the same, right picture:"
echo "  $out/honest/render.png"

leasehold devnet down --dir "$folder" --delete >/dev/null
up=no
left=$(pgrep -f -- "$folder" || true)
[ -z "$left" ] || { echo "demo: processes are left: $left" >&2; exit 1; }
echo "The network is stopped; nothing was left running."
