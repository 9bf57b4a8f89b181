#!/usr/bin/env bash
# Installs the programs that tests need and this machine does not have. This works on
# Debian, as root. Elsewhere one line says what will be skipped and why. The script never
# fails: the tests run with the programs that are there.
set -uo pipefail

missing=() # "package ... = what is skipped without it"
[ "$(go env CGO_ENABLED)" = 1 ] || missing+=("gcc libc6-dev = the race detector")
[ -x "${HALLPASS_TEST_CHROMIUM:-/usr/bin/chromium}" ] || missing+=("chromium fonts-liberation = tests in a real browser")
compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || missing+=("postgresql = tests on PostgreSQL")
command -v pgbouncer >/dev/null || missing+=("pgbouncer = a pooler before PostgreSQL")
command -v promtool >/dev/null && command -v prometheus >/dev/null || missing+=("prometheus = alert rules and metrics in a real Prometheus")
command -v nginx >/dev/null && command -v haproxy >/dev/null || missing+=("nginx haproxy = proxies before several nodes")
command -v caddy >/dev/null || missing+=("caddy = Caddy before a guarded API")
[ -f /usr/lib/apache2/modules/mod_lua.so ] && compgen -G '/usr/share/lua/5.*/socket/http.lua' >/dev/null || missing+=("apache2 lua-socket = Apache before a guarded API")
command -v systemd-analyze >/dev/null || missing+=("systemd = what systemd says of our units")
command -v lintian >/dev/null || missing+=("lintian = what Debian's linter says of our package")
command -v mmdebstrap >/dev/null || missing+=("mmdebstrap = our package in a Debian of its own")
command -v rpm >/dev/null || missing+=("rpm = what rpm says of our package")
command -v curl >/dev/null || missing+=("curl = the program as people call it")
command -v wrk >/dev/null || missing+=("wrk = load from outside")
[ -d test/axe/node_modules/axe-core ] || command -v npm >/dev/null || missing+=("npm = the accessibility of every page (axe-core)")

# axe-core comes from npm, into a folder that is not part of the product.
axe() {
	[ -d test/axe/node_modules/axe-core ] && return
	command -v npm >/dev/null || return
	npm ci --prefix test/axe --ignore-scripts --no-audit --no-fund >/dev/null 2>&1 </dev/null ||
		echo "make test: skipped: the accessibility of every page: npm could not fetch axe-core"
}
axe
[ ${#missing[@]} -gt 0 ] || exit 0

skipped() { # skipped WHY PART...
	local why=$1
	shift
	local names
	names=$(printf '%s, ' "${@##*= }")
	echo "make test: skipped: ${names%, }: $why"
	exit 0
}

if [ ! -f /etc/debian_version ] || ! command -v apt-get >/dev/null; then
	skipped "they can be installed from here on Debian only" "${missing[@]}"
fi
[ "$(id -u)" = 0 ] || skipped "installing them takes root" "${missing[@]}"

log=$(mktemp)
trap 'rm -f "$log"' EXIT

# Tests start the daemons that they need. The installation must not start them.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
	printf '#!/bin/sh\nexit 101\n' >"$policy"
	chmod 755 "$policy"
	trap 'rm -f "$log" "$policy"' EXIT
fi

apt() { DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=120 "$@" >>"$log" 2>&1 </dev/null; }
install() { apt install --no-install-recommends "$@"; }

failed=()
updated=
for part in "${missing[@]}"; do
	read -ra packages <<<"${part%% =*}"
	echo "make test: installing ${packages[*]}"
	if [ -z "$updated" ]; then
		install "${packages[@]}" && continue
		apt update
		updated=1
	fi
	install "${packages[@]}" || { sleep 5 && apt update && install "${packages[@]}"; } || failed+=("$part")
done
axe
[ ${#failed[@]} -eq 0 ] || skipped "apt-get: $(grep '^E: ' "$log" | tail -n 1)" "${failed[@]}"
