#!/bin/bash
# evm.sh OUT - our EVM beside anvil on the benchmark programs of EVM_VECTORS (../shared/evm); takes 3 minutes.
#
# REFERENCE=FILE: a table of a third EVM's times (peer/evm_peer.mjs); by default that folder's README.md. At
# real-time priority where that is allowed, so that other work on the machine hardly shows.
set -eu
cd "$(dirname "$0")/../.."
out=$1
vectors=${EVM_VECTORS:-../shared/evm}
if [ ! -d "$vectors/bench" ]; then
    echo "skipped: the benchmark programs ($vectors/bench) are not on this machine"
    exit 0
fi
reference=${REFERENCE:-$vectors/README.md}
more=()
if [ -r "$reference" ]; then more=(--reference "$reference"); fi
urgent=()
if chrt -f 10 true 2>/dev/null; then urgent=(chrt -f 10); fi
uptime
"${urgent[@]}" node tests/bench/peer/evm_peer.mjs --bench "$out/bin/evm-bench" "${more[@]}" \
    "$vectors"/bench/*.txt
