#!/usr/bin/env bash
# Builds the release binary twice: here, with the build cache, and in a copy of the tree
# in another folder, with an empty build cache. Both must have the same bytes. The
# argument is the build command.
set -euo pipefail

build=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir "$work/elsewhere"
tar -cf - --exclude=./.git --exclude=./data --exclude=./hallpass . | tar -xf - -C "$work/elsewhere"

sh -c "$build -o '$work/here' ./cmd/hallpass"
(cd "$work/elsewhere" && GOCACHE="$work/cache" sh -c "$build -o '$work/there' ./cmd/hallpass")

here=$(sha256sum <"$work/here")
there=$(sha256sum <"$work/there")
if [ "$here" != "$there" ]; then
	echo "two builds of one source differ: ${here%% *} here, ${there%% *} from nothing elsewhere" >&2
	exit 1
fi
echo "two builds, one hash: ${here%% *}"
