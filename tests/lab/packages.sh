# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# For scenarios of the Debian packages: those of this very commit in Dom-0, what setup.sh has installed
# out of their way meanwhile, and back at the end. Sourced after fleet.sh, on the host and in Dom-0.

# shellcheck disable=SC2154 # inside, tests, datadir are pods.sh's
debs=/root/debs
aside=/root/aside
units=(xenpodd.service xenpod-admin.socket xenpod-status.socket xenpod-pods.service)
export DEBIAN_FRONTEND=noninteractive

# debs_send: builds those that are not there, and their next version, and puts them into Dom-0's $debs.
debs_send() {
	# shellcheck disable=SC2154 # scratch is lib.sh's
	make -C "$top" --no-print-directory deb-next >"$scratch/make" 2>&1 ||
		bail "the packages are built" "$(tail -n 20 "$scratch/make")"
	mkdir -p "$scratch/debs/next"
	cp "$top"/build/deb/xenpod_*.deb "$top"/build/deb/xenpod-stage1_*.deb "$scratch/debs/"
	cp "$top"/build/deb-next/*.deb "$scratch/debs/next/"
	lab_run "rm -rf $debs" || bail "Dom-0 answers"
	lab_put "$scratch/debs" $debs || bail "the packages are in Dom-0"
}

# ---- what setup.sh has installed ------------------------------------------------------------------

# Whatever bears our name, wherever `make install` has put it.
installed() {
	find /usr -xdev -name '*xenpod*' -prune | sort
}

# Helpers outlive the supervisor by a moment.
nothing_runs() {
	! pgrep -x 'xenpod.*' && ! systemctl is-active -q "${units[@]}"
}

# Ends the scenario when it cannot: two installations at a time would be neither.
put_aside() {
	systemctl disable -q --now "${units[@]}"
	until_true 60 nothing_runs || bail "the supervisor that setup.sh has installed ends" "$(pgrep -a xenpod)"
	mkdir $aside
	installed | sed 's,^/,,' | tar -C / -cf $aside/files.tar -T - || bail "what setup.sh has installed is kept"
	cp -r "$tests" "$inside"/tests # the observer is in there
	tests=$inside/tests
	installed | xargs dirname | sort -u >$aside/folders
	installed | xargs rm -rf
	# Folders that only we have had: dpkg would remove them, too.
	xargs rmdir -p --ignore-fail-on-non-empty <$aside/folders 2>/dev/null
	mv "$datadir" $aside/data
	rm -rf /run/xenpod
	systemctl daemon-reload
	systemctl stop xenpod.slice 2>/dev/null
	systemctl reset-failed "${units[@]}" 2>/dev/null
	! getent group xenpod >/dev/null || groupdel xenpod
	hash -r
}

put_back() {
	[ -e $aside/files.tar ] || return 0
	if [ -n "$(find "$datadir"/pods/run -mindepth 1 -maxdepth 1 2>/dev/null)" ]; then
		echo '# pods are left, so the packages are left, too'
		return
	fi
	dpkg -P xenpod xenpod-stage1 >/dev/null 2>&1
	tar -C / --keep-directory-symlink --no-overwrite-dir -xf $aside/files.tar
	rm -rf --one-file-system "$datadir"
	mv $aside/data "$datadir"
	rm -rf $aside $debs
	systemd-sysusers
	journalctl -q --update-catalog
	systemctl daemon-reload
	systemctl enable -q --now "${units[@]}"
	hash -r
}

# ---- the packages -------------------------------------------------------------------------------------

# dpkg_does DESCRIPTION ARGUMENTS...: its words are in $inside/dpkg. Programs may be elsewhere afterwards.
dpkg_does() {
	local rc=0

	dpkg "${@:2}" >"$inside"/dpkg 2>&1 || rc=$?
	hash -r
	expect_eq "$1" "$rc$([ $rc = 0 ] || tail -n 20 "$inside"/dpkg)" 0
}

# versions: of the packages, as "VERSION VERSION ".
versions() {
	# shellcheck disable=SC2016 # dpkg-query's own
	dpkg-query -W -f '${Version} ' xenpod xenpod-stage1
}
