# SPDX-License-Identifier: Apache-2.0
# make install: what a distribution's package would hold. DESTDIR is put before every path, PREFIX is
# where we live, UNITDIR is where systemd looks. In files of dist/ that say @PREFIX@ it is filled in.

BINDIR  := $(PREFIX)/bin
SBINDIR := $(PREFIX)/sbin
LIBDIR  := $(PREFIX)/lib/xenpod
DOCDIR  := $(PREFIX)/share/doc/xenpod
MANDIR  := $(PREFIX)/share/man
# Where that zsh looks that came with the distribution (Debian's has another name for packages).
ZSHDIR  ?= $(PREFIX)/share/zsh/site-functions
# What stands for @PREFIX@; the tarball for /opt leaves it as it is.
FILL    ?= $(PREFIX)

BIN_PROGRAMS  := xenpod xenpod-status xenpod-metrics xenpod-host
SBIN_PROGRAMS := xenpodd
LIB_PROGRAMS  := xenpod-watch xenpod-act xenpod-vif

# put MODE, DIRECTORY, FILES: nothing is made where there are no files.
define put
$(if $(strip $(3)),$(Q)install -d '$(DESTDIR)$(2)' && install -m $(1) $(3) '$(DESTDIR)$(2)/')
endef

# fill DIRECTORY, FILES: the same, with @PREFIX@ filled in.
define fill
$(if $(strip $(2)),$(Q)install -d '$(DESTDIR)$(1)' && for f in $(2); do \
	sed 's|@PREFIX@|$(FILL)|g' "$$f" >'$(DESTDIR)$(1)'/"$${f##*/}" && \
	chmod 644 '$(DESTDIR)$(1)'/"$${f##*/}" || exit 1; done)
endef

UNITS := $(filter-out %/xenpodd.socket,$(wildcard dist/systemd/*.service dist/systemd/*.socket \
	dist/systemd/*.target dist/systemd/*.timer dist/systemd/*.slice))

# Pages that tell of several things are found by each name.
MAN_LINKS := xenpodd.service xenpodd.socket xenpod-admin.socket xenpod-status.socket xenpod-pods.service xenpod.slice xenpod@.service xenpod-gc.service xenpod-gc.timer xenpod-metrics.service xenpod-metrics.socket

.PHONY: install install-host install-stage1 install-completions host
install: install-host install-stage1 ## install below PREFIX (DESTDIR= for packages)

# Programs that are linked with the host's own libraries: all but the stage1's.
host: need $(BIN_PROGRAMS:%=$(B)/bin/%) $(SBIN_PROGRAMS:%=$(B)/bin/%) $(LIB_PROGRAMS:%=$(B)/bin/%)

install-stage1: aci
	$(call say,INSTALL,$(DESTDIR)$(LIBDIR)/stage1-xen.aci)
	$(call put,644,$(LIBDIR),build/stage1-xen.aci)

# Shells look for a command's completion by its name (zsh does not).
install-completions:
	$(call put,644,$(PREFIX)/share/bash-completion/completions,dist/completions/bash/xenpod)
	$(call put,644,$(ZSHDIR),dist/completions/zsh/_xenpod)
	$(call put,644,$(PREFIX)/share/fish/vendor_completions.d,dist/completions/fish/xenpod.fish)
	$(Q)cd '$(DESTDIR)$(PREFIX)/share' && for p in xenpod-status xenpod-metrics xenpod-host xenpodd; do \
		ln -sf xenpod bash-completion/completions/"$$p" && \
		ln -sf xenpod.fish fish/vendor_completions.d/"$$p".fish || exit 1; done

install-host: host install-completions
	$(call say,INSTALL,$(DESTDIR)$(PREFIX))
	$(call put,755,$(BINDIR),$(BIN_PROGRAMS:%=$(B)/bin/%))
	$(call put,755,$(SBINDIR),$(SBIN_PROGRAMS:%=$(B)/bin/%))
	$(call put,755,$(LIBDIR),$(LIB_PROGRAMS:%=$(B)/bin/%))
	$(call fill,$(UNITDIR),$(UNITS))
	$(Q)cp -P dist/systemd/xenpodd.socket '$(DESTDIR)$(UNITDIR)/'
	$(call fill,/usr/lib/sysusers.d,$(wildcard dist/systemd/sysusers.d/*.conf))
	$(call fill,/usr/lib/tmpfiles.d,$(wildcard dist/systemd/tmpfiles.d/*.conf))
	$(call put,644,/usr/lib/systemd/system-preset,$(wildcard dist/systemd/presets/*.preset))
	$(call put,644,/usr/lib/systemd/catalog,$(wildcard dist/systemd/*.catalog))
	$(call put,644,$(MANDIR)/man1,$(wildcard docs/man/*.1))
	$(call put,644,$(MANDIR)/man5,$(wildcard docs/man/*.5))
	$(call put,644,$(MANDIR)/man7,$(wildcard docs/man/*.7))
	$(call put,644,$(MANDIR)/man8,$(wildcard docs/man/*.8))
	$(Q)for n in $(MAN_LINKS); do case $$n in xenpod-metrics.*) p=xenpod-metrics.8 ;; *) p=xenpodd.8 ;; esac; \
		ln -sf $$p '$(DESTDIR)$(MANDIR)'/man8/$$n.8 || exit 1; done
	$(call put,644,/usr/lib/NetworkManager/conf.d,dist/network/90-xenpod-unmanaged.conf)
	$(call put,644,/usr/lib/systemd/network,dist/network/10-xenpod-vif.network \
		dist/network/10-xenpod-cni.link)
	$(call put,644,$(PREFIX)/share/xenpod/grafana,dist/grafana/xenpod.json)
	$(call put,644,$(DOCDIR),LICENSE $(wildcard README.md docs/*.md))
