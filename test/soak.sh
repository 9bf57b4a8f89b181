#!/usr/bin/env bash
# Runs the long variants of tests: every strange value in every field, and faults of
# nodes, disks and databases hundreds of times. Three groups run at the same time, because
# most of the tests wait. Each test writes its output to a file; at the end the script
# prints the duration and the result of each.
#
#   test/soak.sh [FOLDER]    the folder for the output; default: a new one
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

go=${GO:-go}
kept=${1:-$(mktemp -d)}
mkdir -p "$kept"
: >"$kept/times"

# part NAME [VARIABLE=VALUE...] -- ARGUMENT...: one go test with its output in a
# file of that name.
part() {
	local name=$1 status begun=$SECONDS vars=()
	shift
	while [ "$1" != -- ]; do
		vars+=("$1")
		shift
	done
	shift
	env "${vars[@]}" ./test/postgres.sh "$go" test -count=1 -v "$@" >"$kept/$name" 2>&1
	status=$?
	printf '%6d s  %-16s %s\n' $((SECONDS - begun)) "$name" "$([ "$status" = 0 ] && echo ok || echo FAILED)" | tee -a "$kept/times"
	return "$status"
}

strange() { # needs only CPU
	local failed=0
	part strange HALLPASS_TEST_STRANGE=all HALLPASS_TEST_DATABASE=postgres -- -timeout 120m -run 'TestStrange|TestSecretsOfClients' ./internal/api ./internal/console || failed=1
	part guessing HALLPASS_TEST_GUESS_SECONDS=60 -- -timeout 10m -run GuessedAtFullSpeed ./internal/api || failed=1
	part guessing-pg HALLPASS_TEST_DATABASE=postgres HALLPASS_TEST_GUESS_SECONDS=60 -- -timeout 10m -run GuessedAtFullSpeed ./internal/api || failed=1
	part attacks HALLPASS_TEST_ATTACKS=20000 HALLPASS_TEST_GUARD_REVOCATIONS=50 -- -timeout 120m -run 'TestAttacks|TestGuardFaults' ./test/ || failed=1
	return "$failed"
}

faults() { # nodes, databases and proxies that fail, ten times over
	part faults -- -count=10 -timeout 120m -run 'Failover|Unreplicated|Deposed|OlderCopy|FrozenWithTheLock|ListenerLost|Balancers|FaultsAreTold|FarDatabase|WrittenByHand' ./test/
}

kills() { # processes killed, disks filled, tokens revoked, many times
	local failed=0
	part revoked HALLPASS_TEST_REVOCATIONS=1000 -- -timeout 60m -run RevokedOnEveryNode ./test/ || failed=1
	part usage HALLPASS_TEST_USAGE_REQUESTS=50000 -- -timeout 60m -run 'UsageOnEveryNode' ./test/ || failed=1
	part rate HALLPASS_TEST_RATE_SECONDS=60 -- -timeout 20m -run 'RateOfAServer|RateDivided' ./test/ || failed=1
	part tokenlife HALLPASS_TEST_FLEET_REQUESTS=12000 HALLPASS_TEST_LOST_ANSWERS=1000 HALLPASS_TEST_ROTATION_RACES=100 HALLPASS_TEST_PAUSES=1000 HALLPASS_TEST_PAUSE_SECONDS=60 -- -timeout 60m -run TokenLife ./test/ || failed=1
	part rotating HALLPASS_TEST_ROTATION_KILLS=300 -- -timeout 60m -run KilledWhileRotating ./test/ || failed=1
	part tightened HALLPASS_TEST_TIGHTENINGS=200 -- -timeout 30m -run TightenedOnEveryNode ./test/ || failed=1
	part revoker HALLPASS_TEST_REVOKER_ROUNDS=100 -- -timeout 60m -run KilledWhileRevoking ./test/ || failed=1
	part diskfull HALLPASS_TEST_FULL_REVOCATIONS=1000 -- -timeout 60m -run DiskFull ./test/ || failed=1
	part prometheus HALLPASS_TEST_PROMETHEUS_SECONDS=60 -- -timeout 20m -run Prometheus ./test/ || failed=1
	part killed HALLPASS_TEST_KILL_ROUNDS=1000 -- -timeout 120m -run 'Kill$' ./test/ || failed=1
	return "$failed"
}

failed=0
pids=()
for line in strange faults kills; do
	"$line" &
	pids+=($!)
done
for pid in "${pids[@]}"; do wait "$pid" || failed=1; done

echo "the longest first:"
sort -rn "$kept/times"
[ "$failed" = 0 ] || grep -l '^FAIL' "$kept"/* | while read -r f; do
	echo "what failed in $(basename "$f"):"
	grep -E '^\s*--- FAIL|_test.go:[0-9]+:' "$f" | head -40
done
echo "the whole output is in $kept"
exit "$failed"
