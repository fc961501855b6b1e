#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Installs what `make install` installs into the lab's Dom-0, with the test images and the observer,
# and starts the supervisor under systemd. Nothing is sent again that is there already.
# usage: deploy.sh [STAGING DIRECTORY]
set -euo pipefail

here=$(dirname "$(realpath "$0")")
top=$(realpath "$here/../..")
xenlab=$here/xenlab
stage=${1:-$top/build/lab/stage}

make -C "$top" --no-print-directory all aci observer hostile >/dev/null
rm -rf "$stage"
make -C "$top" --no-print-directory install DESTDIR="$stage" PREFIX=/usr/local >/dev/null
sh "$top/dist/test-images.sh" "$stage/root/images" >/dev/null
install -D -t "$stage/usr/local/lib/xenpod/tests" "$top/build/release/lab/observer" \
	"$top/build/release/lab/hostile"
tar -C "$stage" --sort=name --mtime=@1 --numeric-owner --owner=0 --group=0 -cf "$stage.tar" .
hash=$(sha256sum <"$stage.tar" | cut -c1-64)

if [ "$("$xenlab" run 'cat /root/.xenpod-deployed 2>/dev/null || :' </dev/null)" != "$hash" ]; then
	"$xenlab" put "$stage.tar" /root/stage.tar
	"$xenlab" run "set -e
		tar -C / --keep-directory-symlink --no-overwrite-dir -xf /root/stage.tar
		rm /root/stage.tar
		systemd-sysusers
		journalctl --update-catalog
		systemctl daemon-reload
		systemctl enable -q xenpod-admin.socket xenpod-status.socket xenpodd.service xenpod-pods.service
		systemctl restart xenpod-admin.socket xenpod-status.socket xenpodd.service
		systemctl start xenpod-pods.service
		sync
		echo $hash >/root/.xenpod-deployed" </dev/null
fi
"$xenlab" run 'systemctl start xenpodd.service && systemctl is-active -q xenpodd.service' </dev/null
