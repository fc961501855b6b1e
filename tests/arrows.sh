#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The architecture as a test: which room may include what, read from the compiler's own dependency
# files of the release build, and which programs may be linked with what. Prints TAP.
# docs/ARCHITECTURE.md explains the rooms; this table is the rule.
set -eu

cd "$(dirname "$0")/.."
build=${BUILD:-build/release}
n=0

# A row: files below src/ (a shell pattern), own rooms they may include, libraries they may include.
# The first row that matches a file counts.
rooms() {
	cat <<-'END'
		base/*                     -                            jansson
		appc/*                     base                         jansson
		proto/*                    base                         jansson
		cni/*                      base                         jansson
		net/*                      proto base                   jansson libnl
		fsm/*                      -                            -
		store/*                    fsm base                     sqlite
		watch/*                    proto base                   jansson libxl xenstore toollog ev
		act/guard*                 base                         jansson seccomp
		act/ports*                 net proto base               jansson nftables
		act/*                      cni net proto base           jansson libxl xenstore toollog
		sim/*                      proto fsm base               jansson
		daemon/*                   store fsm proto sim base     jansson ev systemd inih
		stage1/seccomp*            appc proto base              jansson seccomp
		stage1/*                   cni appc proto base          jansson vchan xenstore toollog
		guest/*                    net proto base               jansson vchan xenstore toollog
		tools/main_xenpod_status*  store fsm proto base         jansson smartcols
		tools/main_xenpod_metrics*  proto base                  jansson systemd microhttpd
		tools/fsck*                store fsm proto base         jansson
		tools/status*              store fsm proto base         jansson smartcols
		host/network*              tools net proto base         jansson libnl nftables
		host/host_network*         tools proto base             jansson
		host/files*                base                         jansson md
		host/check*                cni proto base               jansson
		host/*                     tools base                   jansson
		tools/*                    appc proto base              jansson archive smartcols md seccomp
	END
}

# What a header below /usr/include belongs to. Everything else there is libc's and the kernel's.
libraries() {
	cat <<-'END'
		libxl    ^_?libxl|^libxenlight
		xenstore ^xenstore|^xs\.h
		toollog  ^xentoollog\.h
		vchan    ^libxenvchan\.h|^xenevtchn\.h|^xengnttab\.h
		ev       ^ev\.h|^ev\+\+\.h
		sqlite   ^sqlite3
		systemd  ^systemd/
		microhttpd ^microhttpd\.h
		archive  ^archive(_entry)?\.h
		smartcols ^libsmartcols/
		inih     ^ini\.h
		jansson  ^jansson
		libnl    ^libnl3/
		md       ^(md[245]|sha|sha1|sha2|sha256|sha512|rmd160|ripemd)\.h
		seccomp  ^seccomp\.h
		nftables ^nftables/
		xenctrl  ^xen(ctrl|guest|call|foreignmemory|devicemodel)\.h
		ncurses  ^(n?curses|readline)
	END
}

# result NAME TEXT: passed when TEXT, the list of offenders, is empty.
result() {
	n=$((n + 1))
	if [ -z "$2" ]; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1"
		echo "$2" | sed 's/^/# /'
	fi
}

# Every offence as "file includes header: ...", one a line.
includes() {
	sources=$1
	rooms >"$tmp/rooms"
	libraries >"$tmp/libraries"
	for src in $sources; do
		obj=${src#src/}
		if [ -e "$build/${obj%.c}.d" ]; then
			echo "$src $build/${obj%.c}.d"
		else
			echo "$src NODEP"
		fi
	done | awk -v rooms="$tmp/rooms" -v libs="$tmp/libraries" '
	BEGIN {
		while ((getline line < rooms) > 0) {
			k = split(line, f, /[ \t][ \t]+/)
			nrows++
			pat[nrows] = "^src/" f[1]
			gsub(/\*/, ".*", pat[nrows])
			own[nrows] = " " f[2] " "
			lib[nrows] = " " f[3] " "
			row[nrows] = f[1]
		}
		while ((getline line < libs) > 0) {
			nlibs++
			split(line, f, " ")
			libname[nlibs] = f[1]
			libpat[nlibs] = f[2]
		}
	}
	function find_row(file,    i) {
		for (i = 1; i <= nrows; i++)
			if (file ~ pat[i])
				return i
		return 0
	}
	{
		r = find_row($1)
		if ($2 == "NODEP")
			print $1 " has no dependency file: build it first"
		else if (!r)
			print $1 " is in no room of the table"
		else
			read_deps($1, $2, r)
	}
	# Only the first rule, up to a line that is not continued: -MP adds an empty one per header.
	function read_deps(file, dep, r,    line, n, word, i) {
		do {
			if ((getline line < dep) <= 0)
				break
			n = split(line, word, /[ \t\\]+/)
			for (i = 1; i <= n; i++)
				if (word[i] ~ /\.h$/)
					judge(file, word[i], r)
		} while (line ~ /\\$/)
		close(dep)
	}
	function judge(file, header, r,    part, to, i) {
		split(file, part, "/")
		if (header ~ /^src\//) {
			split(header, to, "/")
			if (to[2] != part[2] && index(own[r], " " to[2] " ") == 0)
				print file " includes " header ": " row[r] " may not use " to[2]
			return
		}
		if (header !~ /^\/usr\/include\//)
			return
		sub(/^\/usr\/include\/(x86_64-linux-gnu\/|aarch64-linux-gnu\/)?/, "", header)
		for (i = 1; i <= nlibs; i++)
			if (header ~ libpat[i] && index(lib[r], " " libname[i] " ") == 0)
				print file " includes <" header ">: " row[r] " may not use " libname[i]
	}'
}

# Objects outside the given rooms (or ROOM/OBJECT) that refer to a symbol of the given pattern.
refers() {
	pattern=$1
	shift
	nm -A -u "$build"/*/*.o | awk -v rooms=" $* " -v p="$pattern" '
		{
			sub(/:$/, "", $1)
			k = split($1, part, "/")
			if ($3 ~ p && index(rooms, " " part[k - 1] " ") == 0 &&
			    index(rooms, " " part[k - 1] "/" part[k] " ") == 0)
				print $1 " needs " $3
		}'
}

# The archive's symbols that it does not define itself, but for what any C compiler emits.
fsm_needs() {
	if [ ! -e "$build/libfsm.a" ]; then
		echo "$build/libfsm.a is not built"
		return
	fi
	nm "$build/libfsm.a" | awk '
		NF == 3 && $2 ~ /[A-Z]/ { defined[$3] = 1 }
		NF == 2 && $1 == "U" { needed[$2] = 1 }
		END {
			for (s in needed)
				if (!(s in defined) && s !~ /^(__)?(mem|str)[a-z]+(_chk)?$/ &&
				    s != "__stack_chk_fail")
					print "libfsm.a needs " s
		}'
}

# What a program is linked with, of the libraries that match a pattern.
needed_libs() {
	missing "$1"
	[ -e "$build/bin/$1" ] || return 0
	readelf -d "$build/bin/$1" | sed -n "s/.*(NEEDED).*\[\(.*\)\].*/$1 links \1/p" |
		grep -E "$2" || :
}

not_static() {
	missing "$@"
	for p in "$@"; do
		[ -e "$build/bin/$p" ] || continue
		! readelf -l "$build/bin/$p" | grep -q INTERP || echo "$p has an interpreter"
	done
}

missing() {
	for p in "$@"; do
		[ -x "$build/bin/$p" ] || echo "$build/bin/$p is not built"
	done
}

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

result "every room includes only what its row of the table allows" \
	"$(includes "$(echo src/*/*.c)")"

# The checker itself: a file that breaks the rules must be found, or the test above proves nothing.
mkdir -p "$tmp/x/fsm"
printf 'x.o: src/fsm/zz.c src/base/err.h \\\n /usr/include/sqlite3.h\n\nsrc/base/err.h:\n' >"$tmp/x/fsm/zz.d"
found=$(build=$tmp/x includes src/fsm/zz.c)
result "a forbidden include would be found" "$(
	for want in "src/base/err.h: fsm/\* may not use base" "<sqlite3.h>: fsm/\* may not use sqlite"; do
		echo "$found" | grep -q "src/fsm/zz.c includes $want" || echo "not found: $want"
	done
)"

result "libxl is called by watch and act only" "$(refers '^(libxl|xlu)_' watch act)"
result "xenstore is called by watch, act, stage1 and guest only" \
	"$(refers '^xs_' watch act stage1 guest)"
result "libseccomp is called by act and stage1 only" \
	"$(refers '^seccomp_(init|rule_add|load|export_bpf)' act stage1)"
result "rtnetlink is spoken by net and host only" "$(refers '^(nl|nla|nlmsg)_' net host)"
result "SQLite is called by store only" "$(refers '^sqlite3_' store)"
result "journal and service manager are called by daemon and who serves metrics" \
	"$(refers '^sd_' daemon tools/main_xenpod_metrics.o)"
result "HTTP is served by one program only" "$(refers '^MHD_' tools/main_xenpod_metrics.o)"
result "the machines need nothing but mem* and str*" "$(fsm_needs)"
result "every program is built" "$(missing xenpodd xenpod-watch xenpod-act xenpod \
	xenpod-status run enter stop gc xenpod-init)"
result "xenpodd links neither libxl nor libxenstore" \
	"$(needed_libs xenpodd 'libxen|libxl')"
result "xenpod and xenpod-status link no Xen library" \
	"$(needed_libs xenpod 'libxen|libxl'; needed_libs xenpod-status 'libxen|libxl')"
result "hooks and xenpod-init are static" "$(not_static run enter stop gc xenpod-init)"
echo "1..$n"
