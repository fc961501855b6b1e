# SPDX-License-Identifier: Apache-2.0
# Writes make rules for tests from the comments at their head: LINK (archives), LIBS (-l names) and
# WITH (further sources beside them, or from ../unit/). One program per file that was named on the
# command line.
#   awk -v kind=unit -f rules.awk tests/unit/test_*.c

function flush_rule(    i, n, w, objs, libs, arch, dir) {
	if (stem == "")
		return
	dir = "$(B)/tests/" kind
	objs = dir "/" stem ".o"
	n = split(with, w, " ")
	for (i = 1; i <= n; i++) {
		sub(/\.c$/, ".o", w[i])
		objs = objs " " dir "/" w[i]
	}
	gsub(/[^\/ ]+\/\.\.\//, "", objs) # one name for one file, so that it is not made twice at once
	n = split(link_, w, " ")
	for (i = 1; i <= n; i++)
		arch = arch " $(B)/lib" w[i] ".a"
	n = split(libs_, w, " ")
	for (i = 1; i <= n; i++)
		libs = libs " -l" w[i]
	printf "%s/%s: %s $(%s_EXTRA)%s\n\t$(test_link)%s\n", dir, stem, objs, kind, arch, libs
	printf "%s_TESTS += %s/%s\n", kind, dir, stem
	printf "%s_OBJS += %s\n", kind, objs
}

function words(line) {
	sub(/^.*(LINK|LIBS|WITH):/, "", line)
	sub(/\*\/.*/, "", line)
	return line
}

FNR == 1 {
	flush_rule()
	stem = FILENAME
	sub(/.*\//, "", stem)
	sub(/\.c$/, "", stem)
	link_ = libs_ = with = ""
}
FNR <= 20 && /\/\* LINK:/ { link_ = words($0) }
FNR <= 20 && /\/\* LIBS:/ { libs_ = words($0) }
FNR <= 20 && /\/\* WITH:/ { with = words($0) }
END { flush_rule() }
