# SPDX-License-Identifier: Apache-2.0
# Random lives for as long as one likes: make VARIANT=debug soak SEEDS=1000 FROM=1. What fails is
# printed as a short script; SCRIPT=file does that again.

SEEDS ?= 200
FROM  ?= 1

soak_OBJS := $(addprefix $(B)/tests/sim/,soak.o walk.o walk_act.o walk_check.o walk_run.o kit.o \
	kit_loop.o kit_world.o kit_pods.o kit_check.o) $(B)/tests/unit/faultvfs.o
ifneq ($(filter soak,$(MAKECMDGOALS)),)
-include $(soak_OBJS:.o=.d)
endif

$(B)/tests/sim/soak: $(soak_OBJS) $(foreach r,daemon store fsm sim proto base,$(B)/lib$(r).a)
	$(test_link) -lev -lsqlite3 -lsystemd -lpthread

.PHONY: soak
soak: need $(B)/tests/sim/soak ## random lives on the simulated world: SEEDS=n FROM=n, or SCRIPT=file
	$(Q)$(B)/tests/sim/soak $(if $(SCRIPT),$(SCRIPT),$(FROM) $(SEEDS))
