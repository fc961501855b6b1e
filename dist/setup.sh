#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs the Debian packages named on the command line, those that are missing only.
set -eu

missing=
for p in "$@"; do
	case $(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null || :) in
	installed) ;;
	*) missing="$missing $p" ;;
	esac
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ]; then
	echo "setup: these packages are missing, and installing them needs root:$missing" >&2
	exit 1
fi
echo "setup: installing$missing"
export DEBIAN_FRONTEND=noninteractive
# Servers fail for a moment now and then: apt asks again by itself, and all is tried once more.
install_missing() {
	apt-get update -qq -o Acquire::Retries=5
	# shellcheck disable=SC2086 # a list of package names
	apt-get install -y -qq -o Acquire::Retries=5 --no-install-recommends $missing >/dev/null
}

install_missing || {
	echo "setup: that failed; once more in 20 s" >&2
	sleep 20
	install_missing
}
