/* SPDX-License-Identifier: Apache-2.0 */
/* What every file of tests on the kit begins with: one supervisor per test, T() for the list. */
#ifndef SIM_KIT_CASE_H
#define SIM_KIT_CASE_H

#include "kit.h"
#include "unit.h"

static struct kit k;

static inline int setup(void **state)
{
	(void)state;
	kit_init(&k, NULL);
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	kit_done(&k);
	return 0;
}

/* Another supervisor and another world in place of those that setup has made. */
static inline void again(const struct kit_options *opt)
{
	kit_done(&k);
	kit_init(&k, opt);
}

/* A pod that has come so far; the trace begins there. */
static inline struct kit_pod *pod_in(enum pod_state state, const char *app)
{
	struct kit_pod *a = kit_accept(&k, app, NULL);
	kit_until(a, state);
	kit_drop_trace(&k);
	return a;
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
