# SPDX-License-Identifier: Apache-2.0
# What every domain boots: the distribution's kernel as an uncompressed ELF, and our ramdisk.
# Both go into the stage1 image.

GUEST_VMLINUX := build/guest/vmlinux
GUEST_INITRD  := build/guest/initrd.cpio

.PHONY: guest
guest: need $(GUEST_VMLINUX) $(GUEST_INITRD) ## build the guest's kernel and ramdisk

$(GUEST_VMLINUX): tests/lab/kernel.sh $(wildcard /boot/vmlinuz-*)
	@mkdir -p $(@D)
	$(call say,KERNEL,$@)
	$(Q)tests/lab/kernel.sh $@

$(GUEST_INITRD): dist/initrd.sh build/release/bin/xenpod-init $(GUEST_VMLINUX)
	@mkdir -p $(@D)
	$(call say,INITRD,$@)
	$(Q)sh dist/initrd.sh build/release/bin/xenpod-init "$$(tests/lab/kernel.sh --release)" $@

# The guest has no room for the sanitizers' libraries: it is always the release build.
ifneq ($(VARIANT),release)
build/release/bin/xenpod-init: FORCE
	+$(Q)$(MAKE) --no-print-directory VARIANT=release $@
.PHONY: FORCE
endif
