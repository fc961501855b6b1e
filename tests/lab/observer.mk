# SPDX-License-Identifier: Apache-2.0
# The observer of pods' locks (tests/lab/tools/observer.c): links libxl and nothing of ours.

OBSERVER := build/release/lab/observer
$(OBSERVER): tests/lab/tools/observer.c
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -o $@ $< $(LIBS_xen)

.PHONY: observer
observer: need $(OBSERVER)
