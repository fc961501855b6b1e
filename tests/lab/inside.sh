# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# For the scenarios that look at a pod from inside its domain: image directories made on the spot
# from the test images' tools, so that a manifest can hold what no command line can give, and
# reports that apps write into a folder of the host.
# shellcheck source=tests/lab/pods.sh
. "$(dirname "${BASH_SOURCE[0]}")/pods.sh"

work=/root/lab/inside
out=$work/out            # the apps' reports, a host volume of theirs

# image NAME APP-JSON: an unpacked image whose app is the script on stdin, as /bin/NAME; APP-JSON is
# merged into its manifest's app, and may say another exec.
image() {
	local dir=$work/images/$1

	mkdir -p "$dir"
	tar -C "$dir" -xf $images/busybox.aci
	cat >"$dir/rootfs/bin/$1"
	chmod 755 "$dir/rootfs/bin/$1"
	jq --arg name "$1" --argjson app "$2" \
		'.name = "xenpod.io/test/" + $name | .app += ({exec: ["/bin/" + $name]} + $app)' \
		"$dir/manifest" >"$dir/manifest.new"
	mv "$dir/manifest.new" "$dir/manifest"
}

inside_begin() {
	pods_begin
	rm -rf $work
	mkdir -p $out
	chmod 1777 $out
}

inside_end() {
	rm -rf $work
	pods_end
}

# said FILE DESCRIPTION LINE: the report has that very line.
said() {
	if grep -qxF -- "$3" "$out/$1"; then
		ok "$2"
	else
		not_ok "$2" "no line '$3' in $1:"$'\n'"$(cat "$out/$1" 2>&1)"
	fi
}

# not_said FILE DESCRIPTION ERE
not_said() {
	if grep -qE -- "$3" "$out/$1"; then
		not_ok "$2" "$(grep -E -- "$3" "$out/$1")"
	else
		ok "$2"
	fi
}
