# SPDX-License-Identifier: Apache-2.0
# The stage1 image that rkt and `xenpod run` execute: hooks, guest kernel and ramdisk in one ACI.

ACI       := build/stage1-xen.aci
ACI_HOOKS := run enter stop gc
aci_BINS  := $(ACI_HOOKS:%=build/release/bin/%)

.PHONY: aci
aci: need $(ACI) ## build the stage1 image, build/stage1-xen.aci

$(ACI): dist/aci.sh $(wildcard dist/nets/*.conf) $(aci_BINS) build/guest/vmlinux build/guest/initrd.cpio
	$(call say,ACI,$@)
	$(Q)sh dist/aci.sh $(VERSION) build/release/bin build/guest/vmlinux build/guest/initrd.cpio $@

# The hooks run on hosts without our build's libraries: always the static release build.
ifneq ($(VARIANT),release)
$(aci_BINS): FORCE
	+$(Q)$(MAKE) --no-print-directory VARIANT=release $@
.PHONY: FORCE
endif
