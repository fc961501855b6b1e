# SPDX-License-Identifier: Apache-2.0
# The tarball of the walk-through: all of xenpod in one directory, which works wherever it is unpacked.

OPT_TARBALL := build/dist/stage1-xen-build.tar.gz
OPT_STAGE   := build/dist/opt-stage

# Its units keep their @PREFIX@: `xenpod host services setup --xenpodd` fills it in where they are put to use.
.PHONY: dist-opt
dist-opt: host aci ## tarball to unpack below /opt, build/dist/stage1-xen-build.tar.gz
	$(call say,DIST,$(OPT_TARBALL))
	$(Q)rm -rf $(OPT_STAGE)
	+$(Q)$(MAKE) --no-print-directory install-host DESTDIR=$(CURDIR)/$(OPT_STAGE) \
		UNITDIR='$(PREFIX)/share/xenpod/units' FILL='@PREFIX@' >/dev/null
	$(Q)sh dist/opt.sh $(OPT_STAGE) '$(PREFIX)' build/stage1-xen.aci $(OPT_TARBALL)
	$(Q)rm -rf $(OPT_STAGE)
