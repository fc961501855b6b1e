# SPDX-License-Identifier: Apache-2.0
# Seeded defects: each file *.patch here breaks one thing, and some test has to notice it (run.sh).

.PHONY: mutants
mutants: need ## break the code in some ninety ways: which tests notice? M=name for one
	+$(Q)MAKE='$(MAKE)' JOBS=$(JOBS) sh tests/mutants/run.sh $(M)
