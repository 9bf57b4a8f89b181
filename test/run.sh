#!/usr/bin/env bash
# Runs every test, and prints at the end the duration of each package. Arguments that are
# not packages are passed to go test:
#
#   test/run.sh -run Token ./internal/api
#
# Without packages it tests all packages, the modules with clients of others, and the
# doors once more on PostgreSQL.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

go=${GO:-go}
kept=$(mktemp -d)
trap 'rm -rf "$kept"' EXIT
failed=0

# On a slow or busy machine a package takes longer than go test's own limit of ten minutes.
limit=(-timeout 60m)

# The race detector watches our code. SQLite is half a million lines of C that were
# turned into Go, with a C library of the same kind: watching them too makes every test
# several times slower and has found nothing, so these two are compiled without. No package
# with a sync.Map may be: the compiler puts its own copy of that generic code there, without
# what tells the detector who waits for whom, the linker takes any one of the copies for
# the whole program, and readers of a sync.Map anywhere are then reported as a race.
# modernc.org/sqlite, the driver, has one.
race=(-race '-gcflags=modernc.org/sqlite/lib=-race=false' '-gcflags=modernc.org/libc=-race=false')
if [ "$("$go" env CGO_ENABLED)" != 1 ]; then
	race=()
	echo "make test: no race detector, because there is no C compiler"
fi

if [ -z "${HALLPASS_TEST_CHROMIUM:-}" ] && [ -x /usr/bin/chromium ]; then
	export HALLPASS_TEST_CHROMIUM=/usr/bin/chromium
fi

tests() { # tests NAME LABEL ARGUMENT...: go test; what it says is kept in a file of that name
	local said=$kept/$1 label=$2 status
	shift 2
	./test/postgres.sh "$go" test "${limit[@]}" "$@" 2>&1 | tee "$said"
	status=$?
	awk -v label="$label" '/^(ok|FAIL)[ \t].*[0-9]s$/ { print $3, $1, $2, label }' "$said" >>"$kept/times"
	return "$status"
}

if [ $# -gt 0 ]; then
	tests these "" "${race[@]}" "$@"
	exit
fi

# Strange values are sent to SQLite in the first run and to PostgreSQL in the second, the
# same ones, and the second compares the answers.
export HALLPASS_TEST_ANSWERS=$kept/answers HALLPASS_TEST_SEED=${HALLPASS_TEST_SEED:-$((RANDOM * 32768 + RANDOM))}
mkdir "$HALLPASS_TEST_ANSWERS"

modules() { # the modules of their own: clients of others, what a release consists of
	local mod dir status=0
	for mod in test/*/go.mod tools/*/go.mod; do
		dir=$(dirname "$mod")
		echo "go test in $dir"
		(cd "$dir" && "$go" test -count=1 "${limit[@]}" ./...) || status=1
	done
	return "$status"
}

# The tests of real processes and those of the modules wait most of the time, so they run at
# the same time as the others.
(
	status=0
	tests processes "" "${race[@]}" ./test >/dev/null || status=1
	modules >"$kept/modules" 2>&1 || status=1
	exit "$status"
) &
processes=$!
mapfile -t others < <("$go" list ./... | grep -v '/test$')

tests others "" "${race[@]}" "${others[@]}" || failed=1
echo "go test once more, on PostgreSQL"
HALLPASS_TEST_DATABASE=postgres tests postgres "on PostgreSQL" ./internal/node ./internal/verify ./internal/admin ./internal/library ./internal/api ./internal/console || failed=1
wait "$processes" || failed=1
cat "$kept/processes" "$kept/modules"

echo "the time each package took, the longest first:"
sort -rn "$kept/times" | while read -r seconds result package label; do
	printf '%9s  %s  %s\n' "$seconds" "${package#github.com/hallpass-dev/}" "$label${result#ok}"
done
exit "$failed"
