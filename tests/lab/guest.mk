# SPDX-License-Identifier: Apache-2.0
# The vchan client of the guest's own scenario (tests/lab/scenarios/10-guest.sh).

GUESTCLIENT := build/release/lab/guestclient
$(GUESTCLIENT): tests/lab/tools/guestclient.c build/release/libproto.a build/release/libbase.a
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(STATIC) -o $@ $^ $(LIBS_vchan) -ljansson

.PHONY: guestclient
guestclient: $(GUESTCLIENT)
