#!/usr/bin/env bash
# Runs govulncheck; the arguments are its command. If its database cannot be reached, the
# script prints one line and passes, unless HALLPASS_VULNCHECK=require, as in the
# published workflow.
set -uo pipefail

out=$("$@" govulncheck ./... 2>&1)
rc=$?
if [ "$rc" -ne 0 ] && [ "${HALLPASS_VULNCHECK:-}" != require ] && grep -q '^govulncheck: fetching vulnerabilities' <<<"$out"; then
	echo "govulncheck: skipped, its database cannot be reached from here"
	exit 0
fi
printf '%s\n' "$out"
exit "$rc"
