# SPDX-License-Identifier: Apache-2.0
# The lab: a real Xen in QEMU (tests/lab/README.md).

XENLAB := tests/lab/xenlab
VMLINUX := build/kernel/vmlinux

.PHONY: lab lab-down
lab: need ## build and start the lab: Xen and a Debian Dom-0 in QEMU
	$(Q)$(XENLAB) up

lab-down: ## power the lab off
	$(Q)$(XENLAB) down

# The guest's kernel, unpacked once per installed kernel release.
$(VMLINUX): tests/lab/kernel.sh $(wildcard /boot/vmlinuz-*)
	@mkdir -p $(@D)
	$(call say,KERNEL,$@)
	$(Q)tests/lab/kernel.sh $@
