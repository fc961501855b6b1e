# SPDX-License-Identifier: Apache-2.0
# The lab: a real Xen in QEMU (tests/lab/README.md).

XENLAB := tests/lab/xenlab

.PHONY: lab lab-image lab-down lab-clean
lab: need ## build and start the lab: Xen and a Debian Dom-0 in QEMU
	$(Q)$(XENLAB) up

lab-image: need
	$(Q)$(XENLAB) build

lab-down: ## power the lab off
	$(Q)$(XENLAB) down

lab-clean: ## stop all machines of the lab, remove their disks and the images
	$(Q)for run in build/lab/run/*/; do [ ! -d "$$run" ] || \
		XENLAB_NAME=$$(basename "$$run") $(XENLAB) destroy; done
	$(Q)rm -rf build/lab
