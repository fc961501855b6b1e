#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# lintian finds nothing in the packages, but for what is told here with its reason: most is about an
# upload to Debian's archive, which has not been asked for.
#   initial-upload-closes-no-bugs        there is no intent to package
#   no-homepage-field                    there is no page of its own
#   debian-watch-file-is-missing         there is no place yet from which releases are downloaded
#   upstream-metadata-file-is-missing    nor one where upstream tells of itself
#   package-supports-alternative-init-but-no-init.d-script
#                                        the supervisor needs systemd: descriptor store, delegated cgroup
# usage: lintian.sh CHANGES
set -eu

as_root=
[ "$(id -u)" != 0 ] || as_root=--allow-root
lintian $as_root --pedantic --info --display-info --fail-on error,warning,info,pedantic \
	--suppress-tags "$(sed -n 's/^#   \([a-z.-]*\).*/\1/p' "$0" | grep . | paste -sd,)" "$@"
