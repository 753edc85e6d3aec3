#!/bin/bash
# lint.sh OUT - format, clang-tidy and cppcheck over the C sources; compiles each header alone.
set -u
cd "$(dirname "$0")/.." || exit 1
out=$1
mapfile -t sources < <(git ls-files 'base/*.c' 'vm/*.c' 'chain/*.c' 'net/*.c' 'node/*.c' 'client/*.c' 'compute/*.c' 'wallet/*.c')
mapfile -t headers < <(git ls-files 'base/*.h' 'vm/*.h' 'chain/*.h' 'net/*.h' 'node/*.h' 'client/*.h' 'compute/*.h' 'wallet/*.h' | grep -v '^compute/runner/prelude')
flags=(-std=c17 -D_GNU_SOURCE -I.)
status=0

echo "== clang-format"
clang-format --dry-run --Werror "${sources[@]}" "${headers[@]}" || status=1

echo "== headers compile alone"
for header in "${headers[@]}"; do
    gcc "${flags[@]}" -Wall -Wextra -fsyntax-only -x c "$header" || status=1
done

echo "== clang-tidy"
printf '%s\n' "${sources[@]}" | xargs -P 2 -n 6 sh -c 'clang-tidy --quiet --warnings-as-errors="*" "$@" -- -std=c17 -D_GNU_SOURCE -I. 2>/dev/null' tidy || status=1

echo "== cppcheck"
cppcheck --quiet --std=c11 --enable=warning,portability --inline-suppr --suppress=missingIncludeSystem \
    --suppress=normalCheckLevelMaxBranches -I. -D_GNU_SOURCE -j 2 --error-exitcode=1 "${sources[@]}" || status=1

[ $status = 0 ] && echo "lint: clean"
exit $status
