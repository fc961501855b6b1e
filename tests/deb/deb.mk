# SPDX-License-Identifier: Apache-2.0
.PHONY: check-deb
check-deb: deb ## build the packages twice and compare, lint, install, upgrade, remove, purge (15 minutes)
	$(Q)VERSION=$(VERSION) sh tests/run.sh -j $(JOBS) -t 3600 -o build/report/deb <tests/deb/suites
