# SPDX-License-Identifier: Apache-2.0
# xenpod: container pods as Xen virtual machines. `make help` lists the targets.

PREFIX     ?= /usr/local
DESTDIR    ?=
SYSCONFDIR ?= /etc
UNITDIR    ?= /usr/lib/systemd/system
PKG_CONFIG ?= pkg-config
CC         ?= gcc
VARIANT    ?= release
V          ?= 0
# A package is built with a compiler that we have not seen, by a tool that installs nothing.
WERROR     ?= -Werror
AUTO_SETUP ?= 1

B    := build/$(VARIANT)
Q    := $(if $(filter 1,$(V)),,@)
say   = $(if $(filter 1,$(V)),,@printf '  %-7s %s\n' $(1) $(2))

VERSION := 0.1.0

# One list for `make setup`; a target that finds something missing names it.
SETUP_PACKAGES := gcc clang make pkg-config git ca-certificates \
	clang-format clang-tidy cppcheck shellcheck codespell bear valgrind libclang-rt-14-dev lcov \
	graphviz libev-dev libsqlite3-dev sqlite3 libsystemd-dev libjansson-dev libarchive-dev \
	libseccomp-dev libsmartcols-dev libinih-dev libcmocka-dev libxen-dev libmd-dev \
	libnl-3-dev libnftables-dev libmicrohttpd-dev \
	xen-hypervisor-4.17-amd64 xen-utils-4.17 xenstore-utils qemu-system-x86 qemu-system-xen \
	qemu-utils linux-image-amd64 mmdebstrap e2fsprogs busybox-static containernetworking-plugins \
	iproute2 iptables kmod cpio xz-utils openssh-client uuid-runtime procps python3 file patch \
	util-linux bsdextrautils systemd curl python3-prometheus-client python3-jsonschema python3-pyte \
	build-essential dpkg-dev debhelper fakeroot lintian mandoc rpm rpmlint \
	runit ovmf dosfstools gdisk mtools grub-efi-amd64-bin grub-common jq zsh fish ksh93u+m mksh

WARN := -Wall -Wextra $(WERROR) -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
	-Wold-style-definition -Wpointer-arith -Wcast-qual -Wwrite-strings -Wformat=2 -Wundef \
	-Wvla -Wnull-dereference -Wdouble-promotion -Wimplicit-fallthrough
ifneq ($(filter clang fuzz,$(VARIANT)),)
CC   := clang
endif
ifeq ($(findstring clang,$(CC)),)
WARN += -Wlogical-op -Wduplicated-cond
endif

CPPFLAGS_ALL := -D_GNU_SOURCE -DXENPOD_VERSION='"$(VERSION)"' \
	-Isrc -I$(B)/gen -I/usr/include/libnl3
CFLAGS_ALL   := -std=gnu17 -g -fno-strict-aliasing -fstack-protector-strong $(WARN)
LDFLAGS_ALL  := -Wl,-z,relro,-z,now
STATIC       := -static
comma        := ,

ifeq ($(VARIANT),release)
CFLAGS_ALL   += -O2
CPPFLAGS_ALL += -D_FORTIFY_SOURCE=2
else ifeq ($(VARIANT),debug)
# The sanitizers have no static form: here hooks and guest link dynamically.
CFLAGS_ALL  += -O1 -fsanitize=address,undefined -fno-omit-frame-pointer -fno-sanitize-recover=all
LDFLAGS_ALL += -fsanitize=address,undefined
STATIC      :=
else ifeq ($(VARIANT),coverage)
CFLAGS_ALL  += -O0 --coverage
LDFLAGS_ALL += --coverage
STATIC      :=
else ifeq ($(VARIANT),clang)
CFLAGS_ALL  += -O2
else ifeq ($(VARIANT),crash)
# xenpodd and xenpod-act that can be told where to die (base/crash.h): for the lab, never installed.
CFLAGS_ALL   += -O2
CPPFLAGS_ALL += -DXENPOD_CRASH
else ifeq ($(VARIANT),fuzz)
CFLAGS_ALL  += -O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
LDFLAGS_ALL += -fsanitize=address,undefined
STATIC      :=
else
$(error VARIANT is one of release, debug, coverage, clang, crash, fuzz)
endif

# ---- rooms: one archive each ------------------------------------------------------------------

ROOMS := base appc proto cni net fsm store watch act sim daemon stage1 guest tools host
SRC   := $(wildcard $(ROOMS:%=src/%/*.c))
OBJ   := $(SRC:src/%.c=$(B)/%.o)
# A program's main lives in src/<room>/main_<program>.c and is kept out of the room's archive.
room_objs = $(filter $(B)/$(1)/%,$(filter-out $(B)/$(1)/main_%,$(OBJ)))
archive   = $(B)/lib$(1).a
ARCHIVES := $(foreach r,$(ROOMS),$(if $(call room_objs,$(r)),$(call archive,$(r))))

# Only these rooms may see these libraries; tests/arrows.sh checks what was really included.
CPPFLAGS_daemon := $(shell $(PKG_CONFIG) --cflags libsystemd jansson 2>/dev/null)

LIBS_base   := -ljansson
LIBS_appc   := -ljansson
LIBS_proto  := -ljansson
LIBS_store  := -lsqlite3
LIBS_xen    := -lxenlight -lxenstore -lxentoollog
LIBS_vchan  := -lxenvchan -lxengnttab -lxenevtchn -lxenstore -lxentoollog -lxentoolcore -lxencall \
	-lpthread
LIBS_nl     := -lnl-3
# A static program has no use for libnl's name look-ups: src/net/noresolver.c stands in for glibc's.
LIBS_nl_static := $(if $(STATIC),-Wl$(comma)-u$(comma)noresolver) $(LIBS_nl)

# program: room, archives (in link order), libraries, static or not
PROGRAMS := xenpodd xenpod-watch xenpod-act xenpod-vif xenpod xenpod-status xenpod-metrics xenpod-host run enter stop gc xenpod-init

room_xenpodd       := daemon
arch_xenpodd       := daemon store fsm sim proto appc base
libs_xenpodd       := -lev -lsqlite3 -lsystemd -linih -ljansson -lpthread
room_xenpod-watch  := watch
arch_xenpod-watch  := watch proto base
libs_xenpod-watch  := $(LIBS_xen) -lev -ljansson
room_xenpod-act    := act
arch_xenpod-act    := act cni net proto base
libs_xenpod-act    := $(LIBS_xen) $(LIBS_nl) -lnftables -lseccomp -ljansson
room_xenpod-vif    := act
arch_xenpod-vif    := base
libs_xenpod-vif    := -lxenstore -ljansson
room_xenpod        := tools
arch_xenpod        := tools store fsm appc proto base
libs_xenpod        := -larchive -lsmartcols -lmd -lsqlite3 -ljansson
room_xenpod-status := tools
arch_xenpod-status := tools store fsm proto base
libs_xenpod-status := -lsmartcols -lsqlite3 -ljansson
room_xenpod-metrics := tools
arch_xenpod-metrics := tools proto base
libs_xenpod-metrics := -lmicrohttpd -lsystemd -ljansson
room_xenpod-host   := host
arch_xenpod-host   := host tools cni net proto base
libs_xenpod-host   := $(LIBS_nl) -lnftables -lsmartcols -lmd -ljansson
$(foreach p,run enter stop gc,\
	$(eval room_$(p) := stage1)\
	$(eval arch_$(p) := stage1 cni appc proto base)\
	$(eval libs_$(p) := $(LIBS_vchan) -ljansson)\
	$(eval static_$(p) := $(STATIC)))
libs_run           += -lseccomp
room_xenpod-init   := guest
arch_xenpod-init   := guest net proto base
libs_xenpod-init   := $(LIBS_vchan) $(LIBS_nl_static) -ljansson
static_xenpod-init := $(STATIC)

mainfile  = src/$(room_$(1))/main_$(subst -,_,$(1)).c
HAVE     := $(foreach p,$(PROGRAMS),$(if $(wildcard $(call mainfile,$(p))),$(p)))

.DEFAULT_GOAL := all
.PHONY: all help setup need clean
all: need $(ARCHIVES) $(HAVE:%=$(B)/bin/%) ## build every program (VARIANT=release|debug|coverage|clang)

help: ## show the targets
	@awk -F':.*## ' '/^[a-z][a-z_.-]*:.*## /{printf "  %-22s %s\n",$$1,$$2}' \
		$(filter-out %.d,$(MAKEFILE_LIST))

setup: ## install every Debian package that building, tests and lab need
	$(call say,SETUP,packages)
	$(Q)sh dist/setup.sh $(SETUP_PACKAGES)

# Cheap test for what a machine without `make setup` lacks: compile-time headers, tools of tests.
need:
	@test -e /usr/include/libxl.h -a -e /usr/include/ev.h -a -e /usr/include/cmocka.h \
		-a -e /usr/include/archive.h -a -e /usr/include/libnl3 \
		-a -e /usr/include/nftables -a -e /usr/include/microhttpd.h -a -e /usr/bin/mandoc \
		-a -e /usr/bin/rpmlint -a -e /usr/bin/dh -a -e /usr/bin/zsh -a -e /usr/bin/fish \
		-a -e /usr/lib/python3/dist-packages/pyte -o '$(AUTO_SETUP)' = 0 || \
		$(MAKE) --no-print-directory setup

$(B)/%.o: src/%.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CPPFLAGS_$(firstword $(subst /, ,$*))) $(CPPFLAGS) $(CFLAGS_ALL) \
		$(CFLAGS) -MD -MP -c -o $@ $<

define room_rules
$(call archive,$(1)): $(call room_objs,$(1))
	$(call say,AR,$$@)
	$(Q)rm -f $$@ && ar rcsD $$@ $$^
endef
$(foreach r,$(ROOMS),$(eval $(call room_rules,$(r))))

define program_rules
$(B)/bin/$(1): $(B)/$(room_$(1))/main_$(subst -,_,$(1)).o $(foreach a,$(arch_$(1)),$(call archive,$(a)))
	@mkdir -p $$(@D)
	$(call say,LD,$$@)
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) $(static_$(1)) -o $$@ $$^ $(libs_$(1))
endef
$(foreach p,$(HAVE),$(eval $(call program_rules,$(p))))

# ---- generated sources: migrations become C strings -------------------------------------------

SQL := $(sort $(wildcard sql/*.sql))
$(B)/gen/store_sql.h: $(SQL) dist/sql2h.sh
	@mkdir -p $(@D)
	$(call say,GEN,$@)
	$(Q)sh dist/sql2h.sh $(SQL) >$@.tmp && mv $@.tmp $@
$(filter $(B)/store/%,$(OBJ)): $(B)/gen/store_sql.h

# What carries PREFIX in it is compiled again when that changes.
$(B)/gen/prefix: FORCE
	@mkdir -p $(@D)
	@echo '$(PREFIX)' | cmp -s - $@ || echo '$(PREFIX)' >$@
$(B)/base/self.o: $(B)/gen/prefix
$(B)/base/self.o: CPPFLAGS_base := -DXENPOD_LIBDIR='"$(PREFIX)/lib/xenpod"'
FORCE:
.PHONY: FORCE

clean: ## remove build outputs (keeps the lab's images: make lab-clean removes those)
	rm -rf build/release build/debug build/coverage build/clang build/crash build/fuzz \
		build/report build/lint

-include $(OBJ:.o=.d)
include $(wildcard dist/*.mk tests/*/*.mk tests/*.mk)
