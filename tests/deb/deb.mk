# SPDX-License-Identifier: Apache-2.0
.PHONY: deb-current deb-next check-deb
# Unless those of this very commit are there.
deb-current:
	+$(Q)[ "$$(cat build/deb/commit 2>/dev/null)" = "$$(git rev-parse HEAD)" ] || \
		$(MAKE) --no-print-directory deb

deb-next: deb-current ## their next version as well, into build/deb-next, for tests of upgrades
	$(call say,DEB,build/deb-next)
	$(Q)sh tests/deb/next.sh build/deb build/deb-next

check-deb: deb-next ## build the packages twice and compare, lint, install, upgrade, remove, purge (15 minutes)
	$(Q)VERSION=$(VERSION) sh tests/run.sh -j $(JOBS) -t 3600 -o build/report/deb <tests/deb/suites
