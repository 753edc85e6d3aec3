#!/bin/bash
# lint.sh - format, clang-tidy and cppcheck over the C sources; compiles each header alone.
# Tests are held to the format only. STAGES="format headers tidy cppcheck" chooses among the stages.
set -u
cd "$(dirname "$0")/.." || exit 1
floors="base vm chain net node client compute wallet"
stages=${STAGES:-format headers tidy cppcheck}
in_floors() { for floor in $floors; do git ls-files "$floor/*.$1"; done; }
# What a job is compiled with is CUDA's C, not the project's.
mapfile -t sources < <(in_floors c)
mapfile -t headers < <(in_floors h | grep -v '^compute/runner/prelude')
mapfile -t tests < <(git ls-files 'tests/*.[ch]')
flags="-std=c17 -D_GNU_SOURCE -I."
status=0
stage() {
    [[ " $stages " == *" $1 "* ]] || return 1
    echo "== $2"
}

if stage format clang-format; then
    clang-format --dry-run --Werror "${sources[@]}" "${headers[@]}" "${tests[@]}" || status=1
    # clang-format leaves comments alone (it would run tables and lists together), so: their width.
    awk 'length > 100 { print FILENAME ":" FNR ": over 100 columns"; bad = 1 } END { exit bad }' \
        "${sources[@]}" "${headers[@]}" "${tests[@]}" >&2 || status=1
fi

if stage headers "headers compile alone"; then
    printf '%s\n' "${headers[@]}" | xargs -P 2 -n 1 gcc $flags -Wall -Wextra -fsyntax-only -x c || status=1
fi

if stage tidy clang-tidy; then
    # The biggest files first, so that no core waits for the last one. What goes to stderr only
    # counts warnings in others' headers.
    ls -S "${sources[@]}" | xargs -P 2 -n 1 sh -c "clang-tidy --quiet --warnings-as-errors='*' \"\$1\" -- $flags 2>/dev/null" tidy ||
        status=1
fi

if stage cppcheck cppcheck; then
    cppcheck --quiet --std=c11 --enable=warning,portability --inline-suppr --suppress=missingIncludeSystem \
        --suppress=normalCheckLevelMaxBranches -I. -D_GNU_SOURCE -j 2 --error-exitcode=1 "${sources[@]}" || status=1
fi

[ $status = 0 ] && echo "lint: clean"
exit $status
