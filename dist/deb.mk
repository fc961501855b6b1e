# SPDX-License-Identifier: Apache-2.0
# Source tarball and Debian packages.

TARBALL := build/dist/xenpod-$(VERSION).tar.xz

.PHONY: dist deb
dist: ## source tarball of the commit, build/dist/xenpod-VERSION.tar.xz
	$(call say,DIST,$(TARBALL))
	$(Q)mkdir -p build/dist && git rev-parse HEAD >build/dist/commit
	$(Q)sh dist/dist.sh $(VERSION) $(TARBALL)

deb: need dist ## Debian packages of the commit, into build/deb (make check-deb tests them)
	$(call say,DEB,build/deb)
	$(Q)DEB_BUILD_JOBS=$(DEB_BUILD_JOBS) sh dist/deb.sh $(TARBALL) build/deb-work build/deb
	$(Q)cp build/dist/commit build/deb/commit
