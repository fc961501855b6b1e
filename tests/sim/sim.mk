# SPDX-License-Identifier: Apache-2.0
# Tests of the engine in virtual time: engine, recovery and SQLite are real, the world is src/sim.
# Functions are caught by the linker, so that a test can die before or after a commit and before a
# file is written, and sees what is done before its commit (tests/sim/kit.c).

sim_SRC     := $(sort $(wildcard tests/sim/test_*.c))
sim_LIBS    := -lcmocka -ljansson
sim_LDFLAGS := -Wl,--wrap=store_begin -Wl,--wrap=store_commit -Wl,--wrap=store_rollback \
	-Wl,--wrap=worker_submit

$(B)/tests/sim/%.o: CPPFLAGS += -Itests/unit
$(B)/tests/sim/rules.mk: $(sim_SRC) tests/sim

ifneq ($(filter units sims check-unit $(B)/tests/%,$(MAKECMDGOALS)),)
include $(B)/tests/sim/rules.mk
-include $(sort $(patsubst %.o,%.d,$(sim_OBJS) $(B)/tests/sim/kit.o))
endif

.PHONY: sims
units: $(sim_TESTS)
sims: need $(sim_TESTS) ## build the tests of the engine on the simulated world
