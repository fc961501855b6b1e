#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The spec file for Fedora, as far as it can be looked at on Debian: rpm reads it, with and without the
# stage1 image, rpmlint finds nothing, and it is of this version. Nothing is built from it.
set -eu
cd "$(dirname "$0")/../.."

spec=dist/rpm/xenpod.spec
rpmspec -P "$spec" >/dev/null
rpmspec -P --with stage1 "$spec" | grep -q '^%package stage1'
[ "$(rpmspec -q --srpm --qf '%{version}' "$spec")" = "$VERSION" ]
rpmlint --rpmlintrc dist/rpm/xenpod.rpmlintrc "$spec" >&2
