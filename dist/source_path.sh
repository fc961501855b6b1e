# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
# To be sourced: puts the programs of this directory into the path, and those of a Xen, a QEMU and a rkt that
# were unpacked beside it (as /opt/xen-4.17). Works in whatever directory the tarball was unpacked, in bash, zsh
# and ksh; another shell takes $XENPOD_HOME, or /opt/stage1-xen.

# shellcheck disable=SC3028,SC3054,SC2296 # each shell reads its own line only
if [ -n "${BASH_SOURCE:-}" ]; then
	_xenpod_file=$BASH_SOURCE
elif [ -n "${ZSH_VERSION:-}" ]; then
	eval '_xenpod_file=${(%):-%x}'
elif [ -n "${KSH_VERSION:-}" ] && (eval ': ${.sh.file}') 2>/dev/null; then
	eval '_xenpod_file=${.sh.file}'
else
	_xenpod_file=${XENPOD_HOME:-/opt/stage1-xen}/bin/source_path.sh
fi
_xenpod_home=$(cd "$(dirname "$_xenpod_file")/.." && pwd)

_xenpod_add() {
	[ -d "$1" ] || return 0
	_xenpod_dir=$(cd "$1" && pwd)
	case ":$PATH:" in
	*":$_xenpod_dir:"*) ;;
	*) PATH=$_xenpod_dir:$PATH ;;
	esac
}

# Not by patterns that may match nothing: zsh ends there.
for _xenpod_beside in "$_xenpod_home"/../*; do
	case ${_xenpod_beside##*/} in
	rkt*)
		_xenpod_add "$_xenpod_beside/bin"
		_xenpod_add "$_xenpod_beside"
		;;
	qemu* | xen*)
		_xenpod_add "$_xenpod_beside/bin"
		_xenpod_add "$_xenpod_beside/sbin"
		;;
	esac
done
_xenpod_add "$_xenpod_home/sbin"
_xenpod_add "$_xenpod_home/bin"
export PATH
unset _xenpod_file _xenpod_home _xenpod_beside _xenpod_dir
unset -f _xenpod_add
