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
elif [ -n "${KSH_VERSION:-}" ]; then
	eval '_xenpod_file=${.sh.file}'
else
	_xenpod_file=${XENPOD_HOME:-/opt/stage1-xen}/bin/source_path.sh
fi
_xenpod_home=$(cd "$(dirname "$_xenpod_file")/.." && pwd)
for _xenpod_dir in "$_xenpod_home"/../rkt*/bin "$_xenpod_home"/../rkt* "$_xenpod_home"/../qemu*/bin \
	"$_xenpod_home"/../xen*/bin "$_xenpod_home"/../xen*/sbin "$_xenpod_home/sbin" "$_xenpod_home/bin"; do
	[ -d "$_xenpod_dir" ] || continue
	_xenpod_dir=$(cd "$_xenpod_dir" && pwd)
	case ":$PATH:" in
	*":$_xenpod_dir:"*) ;;
	*) PATH=$_xenpod_dir:$PATH ;;
	esac
done
export PATH
unset _xenpod_file _xenpod_home _xenpod_dir
