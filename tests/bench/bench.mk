# SPDX-License-Identifier: Apache-2.0
# Benchmarks: figures side by side from one run, and what they mean in proportion to each other.

VCHANECHO := build/release/lab/vchanecho
$(VCHANECHO): tests/bench/vchanecho.c src/proto/stream.h
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(STATIC) -o $@ $< $(LIBS_vchan)

VIFATTACH := build/release/lab/vifattach
$(VIFATTACH): tests/bench/vifattach.c $(foreach a,net proto base,build/release/lib$(a).a)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -o $@ $^ $(LIBS_nl) -ljansson

.PHONY: bench bench-net
bench: need $(VCHANECHO) ## measure streams and enter on a real Xen, beside libxenvchan alone
	$(Q)bash tests/bench/streams.sh

bench-net: need $(VIFATTACH) ## measure vifs and their traffic on a real Xen, beside vif-bridge and a plain bridge
	$(Q)bash tests/bench/net.sh
