# SPDX-License-Identifier: Apache-2.0
# An app that attacks its host through the guest's own devices (tests/lab/tools/hostile.c).

HOSTILE := build/release/lab/hostile
$(HOSTILE): tests/lab/tools/hostile.c
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(STATIC) -o $@ $< $(LIBS_vchan)

.PHONY: hostile
hostile: need $(HOSTILE)
