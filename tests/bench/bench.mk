# SPDX-License-Identifier: Apache-2.0
# Benchmarks: figures side by side from one run, and what they mean in proportion to each other.

# ---- the supervisor beside a floor of bare durable calls: needs no Xen (docs/PERFORMANCE.md) -----

bench_DIR  := build/release/tests/bench
bench_OBJS := $(addprefix $(bench_DIR)/,engine.o world.o pods.o)
bench_LIBS := -ljansson

ifneq ($(filter bench $(bench_DIR)/%,$(MAKECMDGOALS)),)
-include $(bench_OBJS:.o=.d) $(bench_DIR)/floor.d
endif

# The tests' own code is not made fast elsewhere (tests/check.mk); here it stands for the world.
$(bench_DIR)/%.o: test_CFLAGS := -O2

$(bench_DIR)/engine: $(bench_OBJS) $(foreach r,daemon store fsm sim proto base,build/release/lib$(r).a)
	$(test_link) -Wl,--wrap=fsync -lev -lsqlite3 -lsystemd -lpthread

$(bench_DIR)/floor: $(bench_DIR)/floor.o
	$(test_link) -lsqlite3

.PHONY: bench
bench: need $(bench_DIR)/engine $(bench_DIR)/floor build/release/bin/xenpodd build/release/bin/xenpod-status ## measure the supervisor beside a floor of bare SQLite and files (no Xen, some minutes)
	$(Q)python3 tests/bench/bench.py $(ONLY)

# ---- on a real Xen, in the lab ------------------------------------------------------------------

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

.PHONY: bench-lab bench-net
bench-lab: need $(VCHANECHO) ## measure streams and enter on a real Xen, beside libxenvchan alone
	$(Q)bash tests/bench/streams.sh

bench-net: need $(VIFATTACH) ## measure vifs and their traffic on a real Xen, beside vif-bridge and a plain bridge
	$(Q)bash tests/bench/net.sh
