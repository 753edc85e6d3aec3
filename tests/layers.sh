#!/bin/bash
# layers.sh - a folder includes only itself and the floors below it; prints each include that does not.
# Also: a file's own header comes first, and what must be deterministic has no way not to be.
cd "$(dirname "$0")/.." || exit 1
floors="base vm chain net node client compute wallet"
mapfile -t files < <(find $floors -name '*.[ch]' ! -path 'compute/runner/prelude*' | sort)

# C without comments and strings' contents, as FILE:LINE:TEXT. Line numbers stay right.
code_only() {
    awk '
        FNR == 1 { inside = 0 }
        {
            text = $0; kept = ""
            while (text != "") {
                if (inside) {
                    at = index(text, "*/")
                    if (!at) break
                    text = substr(text, at + 2); inside = 0
                } else if (match(text, /\/\*|\/\/|"/)) {
                    kept = kept substr(text, 1, RSTART - 1)
                    what = substr(text, RSTART, RLENGTH); text = substr(text, RSTART + RLENGTH)
                    if (what == "//") break
                    if (what == "/*") inside = 1
                    else { match(text, /^([^"\\]|\\.)*/); text = substr(text, RLENGTH + 2); kept = kept "\"\"" }
                } else { kept = kept text; break }
            }
            if (kept ~ /[^ \t]/) print FILENAME ":" FNR ":" kept
        }' "$@"
}

bad=0

# The floors, and what each may include besides itself. A name with .h is one header.
awk '
    BEGIN {
        may["base"] = ""
        may["vm"] = "base"
        may["chain"] = "base vm"
        may["net"] = "base chain"
        may["node"] = "base vm chain net"
        may["client"] = "base"
        may["compute"] = "base client"
        # The job and bundle format, running a job here, and nothing of the worker.
        may["wallet"] = "base client compute/bundle.h compute/job.h compute/limits.h compute/reason.h " \
            "compute/split.h compute/lint.h compute/run.h compute/gpus.h"
    }
    function allowed(floor, path,   places, n, i) {
        n = split(floor " " may[floor], places, " ")
        for (i = 1; i <= n; i++)
            if (path == places[i] || index(path, places[i] "/") == 1) return 1
        return 0
    }
    FNR == 1 { first = 1 }
    /^[ \t]*#[ \t]*include[ \t]+"/ {
        path = $0; sub(/^[^"]*"/, "", path); sub(/".*/, "", path)
        floor = FILENAME; sub(/\/.*/, "", floor)
        if (!allowed(floor, path)) {
            print "layers: " FILENAME ":" FNR ": " floor " may not include \"" path "\""
            bad = 1
        }
        own = FILENAME
        if (sub(/\.c$/, ".h", own) && first && path != own && (getline line < own) >= 0) {
            print "layers: " FILENAME ":" FNR ": its own header \"" own "\" comes first"
            bad = 1
        }
        first = 0
    }
    END { exit bad }' "${files[@]}" >&2 || bad=1

# The deterministic machines: no clock, no randomness, no files, no threads, no logging. Only the
# store, which keeps what they made, may touch the disk.
mapfile -t deterministic < <(printf '%s\n' "${files[@]}" | grep -E '^(vm|chain)/' | grep -v '^chain/store/')
calls='time|clock|clock_gettime|gettimeofday|nanosleep|usleep|rand|random|random_bytes|getrandom|getenv|key_generate'
calls+='|fopen|open|openat|read|write|close|socket|printf|fprintf|puts|pthread_[a-z_]+|thrd_[a-z_]+|log_(debug|info|warn|error|limited)'
headers='time|sys/time|unistd|fcntl|pthread|threads|sys/socket|sys/random|event2/.*|leveldb/c|openssl/rand'
if code_only "${deterministic[@]}" | grep -E ":.*(^|[^A-Za-z0-9_>.])($calls)\(|\b(float|double|_Thread_local)\b" >&2 ||
    grep -nE "^[ \t]*#[ \t]*include[ \t]+(<($headers)\.h>|\"base/(file|log)\.h\")" "${deterministic[@]}" >&2; then
    echo "layers: vm and chain are deterministic: no clock, randomness, files, threads, logs, floating point" >&2
    bad=1
fi
exit $bad
