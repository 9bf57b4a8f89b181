#!/usr/bin/env bash
# Requests a second of GET /api/org with a token, as a ratio to a bare net/http
# server that answers the same bytes. Servers run on one core, the load on
# another; the two are loaded in turn, so that noise hits both alike, and the
# medians are compared. Then what one verification costs inside the process.
#
#   ROUNDS=5 SECONDS_EACH=4 test/bench.sh
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${ROUNDS:-5} secs=${SECONDS_EACH:-4} conns=32

for tool in wrk taskset curl; do
  command -v "$tool" >/dev/null || { echo "make bench: $tool is missing (on Debian: apt-get install wrk util-linux curl)" >&2; exit 1; }
done
[ "$(nproc)" -ge 2 ] || { echo "make bench: needs two cores, one for the servers and one for the load" >&2; exit 1; }

tmp=$(mktemp -d)
pids=()
cleanup() {
  for p in "${pids[@]}"; do kill "$p" 2>/dev/null || true; done
  wait 2>/dev/null || true
  rm -rf "$tmp"
}
trap cleanup EXIT

CGO_ENABLED=0 go build -trimpath -o "$tmp/hallpass" ./cmd/hallpass
CGO_ENABLED=0 go build -trimpath -o "$tmp/bare" ./test/bare

password='violet lamps hum at noon'
port=$((20000 + RANDOM % 20000))
bare="http://127.0.0.1:$port/api/org" ours="http://127.0.0.1:$((port + 1))"
taskset -c 0 "$tmp/bare" -listen "127.0.0.1:$port" 2>"$tmp/bare.log" & pids+=($!)
HALLPASS_SECURITY_ADMIN_PASSWORD=$password taskset -c 0 "$tmp/hallpass" serve --data "$tmp/data" --listen "127.0.0.1:$((port + 1))" 2>"$tmp/hallpass.log" & pids+=($!)
up=0
for _ in $(seq 100); do
  if curl -fsS -o /dev/null "$bare" 2>/dev/null && curl -fsS -o /dev/null "$ours/readyz" 2>/dev/null; then up=1; break; fi
  sleep 0.1
done
[ "$up" = 1 ] || { echo "make bench: a server did not come up" >&2; cat "$tmp"/*.log >&2; exit 1; }

api() { curl -fsS -u "admin:$password" -H 'Content-Type: application/json' "$@"; }
id=$(api -d '{"name":"bench","role":"Viewer"}' "$ours/api/serviceaccounts" | sed 's/.*"id":\([0-9]*\).*/\1/')
key=$(api -d '{"name":"bench"}' "$ours/api/serviceaccounts/$id/tokens" | sed 's/.*"key":"\([^"]*\)".*/\1/')
auth="Authorization: Bearer $key"
cmp <(curl -fsS "$bare") <(curl -fsS -H "$auth" "$ours/api/org") || { echo "make bench: the two answers differ" >&2; exit 1; }

load() { # NAME URL: appends requests a second and p99 in microseconds
  taskset -c 1 wrk -t1 -c"$conns" -d"${secs}s" --latency -H "$auth" "$2" | awk -v f="$tmp/$1" '
    function us(s) { return s ~ /us$/ ? s + 0 : s ~ /ms$/ ? s * 1000 : s * 1000000 }
    $1 == "99%" { print us($2) >> (f ".p99") }
    $1 == "Requests/sec:" { print $2 >> (f ".rps") }
    /Non-2xx|Socket errors/ { print "make bench: failed requests: " $0 > "/dev/stderr"; bad = 1 }
    END { exit bad }'
}
median() { sort -n "$1" | awk '{ a[NR] = $1 } END { print NR % 2 ? a[(NR + 1) / 2] : (a[NR / 2] + a[NR / 2 + 1]) / 2 }'; }

taskset -c 1 wrk -t1 -c"$conns" -d1s -H "$auth" "$ours/api/org" >/dev/null
taskset -c 1 wrk -t1 -c"$conns" -d1s "$bare" >/dev/null
for _ in $(seq "$rounds"); do
  load bare "$bare"
  load ours "$ours/api/org"
done

awk -v b="$(median "$tmp/bare.rps")" -v o="$(median "$tmp/ours.rps")" -v bp="$(median "$tmp/bare.p99")" -v op="$(median "$tmp/ours.p99")" \
  -v n="$rounds" -v s="$secs" 'BEGIN {
  printf "GET /api/org with a token, median of %d runs of %d s, servers on one core, 32 connections\n\n", n, s
  printf "%-16s %12s %10s\n", "", "requests/s", "p99 us"
  printf "%-16s %12.0f %10.0f\n", "bare net/http", b, bp
  printf "%-16s %12.0f %10.0f\n", "hallpass", o, op
  printf "%-16s %12.3f %10.2f\n\n", "ratio", o / b, op / bp
}'
go test -run '^$' -bench 'Verify' -benchmem ./internal/verify | grep -E '^Benchmark|^PASS|^ok|FAIL'
