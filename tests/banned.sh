#!/bin/bash
# banned.sh - functions that are easier to misuse than to use, and what to call instead.
cd "$(dirname "$0")/.." || exit 1
files=$(git ls-files '*.c' '*.h' | grep -v '^compute/runner/prelude')
bad=0
ban() {
    if grep -nE "(^|[^A-Za-z0-9_])($1)\(" $files; then
        echo "banned: $1 - $2" >&2
        bad=1
    fi
}
ban 'strcpy|strcat|sprintf|vsprintf|gets' 'use snprintf or a struct buffer'
ban 'strtok|atoi|atol|atof' 'use strtoul with a check, or json.h'
ban 'alloca' 'use an arena'
ban 'tmpnam|mktemp|tempnam' 'use mkstemp or mkdtemp'
if grep -rnE '(^|[^A-Za-z0-9_])NDEBUG' Makefile $files; then
    echo "banned: NDEBUG - asserts are always on" >&2
    bad=1
fi
exit $bad
