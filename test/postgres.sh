#!/usr/bin/env bash
# Runs a command with a new PostgreSQL server, whose URL is in HALLPASS_TEST_POSTGRES.
# Without PostgreSQL, or when that variable is already set, only the command runs. The
# server is in a temporary folder, listens only on loopback, and is deleted afterwards.
#
#   test/postgres.sh go test ./internal/store
set -uo pipefail

bin=$(compgen -G '/usr/lib/postgresql/*/bin' | sort -V | tail -n 1)
if [ -n "${HALLPASS_TEST_POSTGRES:-}" ] || [ -z "$bin" ]; then
	exec "$@"
fi

dir=$(mktemp -d)
as=() # PostgreSQL refuses to run as root
if [ "$(id -u)" = 0 ]; then
	as=(setpriv --reuid postgres --regid postgres --clear-groups)
	chown postgres "$dir"
fi
stop() {
	(cd "$dir" && "${as[@]}" "$bin/pg_ctl" -D "$dir/data" -m immediate -w stop) >/dev/null 2>&1
	rm -rf "$dir"
}
trap stop EXIT
trap 'exit 130' INT TERM

# No fsync: nobody needs the data of a test after the machine fails. Tests of durability
# start their own servers.
cd_run() { (cd "$dir" && "${as[@]}" "$@") >"$dir/log" 2>&1; }
touch "$dir/log" && chmod 666 "$dir/log"
cd_run "$bin/initdb" -D "$dir/data" -U hallpass -A trust -N --no-instructions &&
	for _ in 1 2 3; do
		port=$((10000 + RANDOM % 20000)) # below those of outgoing connections
		cd_run "$bin/pg_ctl" -D "$dir/data" -l "$dir/data/server.log" -w start -o "-p $port -k '$dir' -c listen_addresses=127.0.0.1 -c fsync=off -c full_page_writes=off -c max_connections=300" && started=1 && break
	done
if [ -z "${started:-}" ]; then
	echo "test/postgres.sh: PostgreSQL did not start:" >&2
	cat "$dir/log" "$dir/data/server.log" >&2
	exit 1
fi
HALLPASS_TEST_POSTGRES="postgres://hallpass@127.0.0.1:$port/postgres?sslmode=disable" "$@"
