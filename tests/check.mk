# SPDX-License-Identifier: Apache-2.0
# Tests: how each program below tests/unit and tests/fuzz is built, and the tiers that run them.
# What a test links stands in the comments at its head; rules.awk turns them into rules.

JOBS       ?= 2
FUZZ_SECONDS ?= 30

unit_SRC := $(sort $(wildcard tests/unit/test_*.c))
fuzz_SRC := $(sort $(wildcard tests/fuzz/fuzz_*.c))
unit_LIBS := -lcmocka -ljansson
fuzz_LIBS := -ljansson
# Without libFuzzer a fuzz target gets a main that replays files: so the corpora are tests as well.
fuzz_EXTRA := $(if $(filter fuzz,$(VARIANT)),,$(B)/tests/fuzz/replay.o)
ifeq ($(VARIANT),fuzz)
fuzz_LDFLAGS := -fsanitize=fuzzer
endif

test_kind = $(lastword $(subst /, ,$(@D)))
define test_link
$(call say,LD,$@)
$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) $($(test_kind)_LDFLAGS) -o $@ $(filter %.o,$^) \
	-Wl,--start-group $(filter %.a,$^) -Wl,--end-group $($(test_kind)_LIBS)
endef

# What is tested is compiled as it ships; the tests' own code is not made fast, which would take
# three times as long as running it. (The clang variant, which lint builds, optimizes it as well.)
ifneq ($(filter release debug,$(VARIANT)),)
test_CFLAGS := -O0 -U_FORTIFY_SOURCE
endif

$(B)/tests/%.o: tests/%.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS_ALL) -I$(<D) $(CPPFLAGS) $(CFLAGS_ALL) $(test_CFLAGS) $(CFLAGS) -MD -MP \
		-c -o $@ $<

$(B)/tests/%/rules.mk: tests/unit/rules.awk tests/check.mk
	@mkdir -p $(@D)
	@awk -v kind=$* -f tests/unit/rules.awk $($*_SRC) /dev/null >$@.tmp && mv $@.tmp $@
$(B)/tests/unit/rules.mk: $(unit_SRC) tests/unit
$(B)/tests/fuzz/rules.mk: $(fuzz_SRC) tests/fuzz

# Needed by whatever builds tests only, so that `make help` or `make clean` write nothing.
ifneq ($(filter units unit-list fuzzers check-unit $(B)/tests/%,$(MAKECMDGOALS)),)
include $(B)/tests/unit/rules.mk $(B)/tests/fuzz/rules.mk
-include $(sort $(patsubst %.o,%.d,$(unit_OBJS) $(fuzz_OBJS)))
endif

.PHONY: units fuzzers check-unit
units: need $(unit_TESTS) $(fuzz_TESTS) ## build the unit tests and the corpus replayers

fuzzers: need $(fuzz_TESTS)

check-unit: need $(filter %$(T),$(unit_TESTS) $(sim_TESTS)) ## run the unit tests of one VARIANT, T=name for one
	$(Q)for t in $(filter %$(T),$(unit_TESTS) $(sim_TESTS)); do echo "$${t##*/} count $$t"; done | \
		sh tests/run.sh -j $(JOBS) -o $(B)/report/unit

.PHONY: check-fast check-deep check check-lab fuzz
check-fast: need ## the tests that need no Xen (3 minutes)
	+$(Q)MAKE='$(MAKE)' JOBS=$(JOBS) sh tests/check.sh fast

check-deep: need ## the tests that need no Xen and take longer
	+$(Q)MAKE='$(MAKE)' JOBS=$(JOBS) sh tests/check.sh deep

check: need ## check-fast, check-deep and the lab's core scenarios on a real Xen
	+$(Q)MAKE='$(MAKE)' JOBS=$(JOBS) sh tests/check.sh core

check-lab: need ## every scenario on a real Xen (SHARD=i/n for a part); notes the result in docs
	+$(Q)MAKE='$(MAKE)' JOBS=$(JOBS) SHARD=$(or $(SHARD),1/1) sh tests/check.sh full

fuzz: need ## fuzz each target for FUZZ_SECONDS (VARIANT fuzz: clang's libFuzzer)
	+$(Q)$(MAKE) --no-print-directory VARIANT=fuzz fuzzers
	$(Q)FUZZ_SECONDS=$(FUZZ_SECONDS) sh tests/fuzz/fuzz.sh $(fuzz_SRC:tests/fuzz/%.c=%)

.PHONY: lint format
lint: need $(B)/gen/store_sql.h ## formatting, static analysis, house rules
	+$(Q)MAKE='$(MAKE)' JOBS=$(JOBS) CC_FLAGS='$(subst ',,$(CPPFLAGS_ALL)) -std=gnu17 -Wall -Wextra' sh tests/lint.sh

format: ## let clang-format rewrite every source
	$(Q)git ls-files -z --cached --others --exclude-standard '*.c' '*.h' | xargs -0 clang-format -i

.PHONY: coverage
coverage: ## unit tests and corpora with gcov: lines per room, pages in build/coverage/html
	$(Q)$(MAKE) --no-print-directory -j$(JOBS) VARIANT=coverage all units
	$(Q)JOBS=$(JOBS) sh tests/coverage.sh

# For editors and clangd. Compiles everything once more, under bear's eyes.
.PHONY: compile_commands.json
compile_commands.json: need ## the compilation database
	$(Q)bear --output $@ -- $(MAKE) --no-print-directory -B -j$(JOBS) VARIANT=clang \
		all units >/dev/null
	$(Q)grep -c '"file"' $@ | sed 's/$$/ files in $@/'
