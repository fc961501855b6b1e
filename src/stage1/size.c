/* SPDX-License-Identifier: Apache-2.0 */
/* The domain's size: see size.h. */
#include "stage1/size.h"

#include "proto/spec.h"

static int64_t round_up(int64_t v, int64_t step)
{
	return v / step + (v % step ? 1 : 0);
}

static int64_t memory_kib(const struct poddir *d, size_t ntrees)
{
	int64_t kib = 0;
	bool unlimited = false;
	for (size_t i = 0; i < d->napps; i++) {
		int64_t app = round_up(d->apps[i].app->isolators.memory_bytes, 1024);
		unlimited |= app == 0;
		/* each at most what is refused as a whole, so that the sum cannot overflow */
		kib += app > SPEC_MEMORY_MAX_KIB ? SPEC_MEMORY_MAX_KIB : app;
	}
	if (kib)
		kib += SIZE_BASE_KIB + SIZE_TREE_KIB * (int64_t)ntrees;
	if (kib < SIZE_MEMORY_MIN_KIB)
		kib = SIZE_MEMORY_MIN_KIB;
	if (unlimited && kib < SPEC_MEMORY_KIB)
		kib = SPEC_MEMORY_KIB;
	return round_up(kib, SPEC_MEMORY_STEP_KIB) * SPEC_MEMORY_STEP_KIB;
}

static int64_t vcpus(const struct poddir *d)
{
	int64_t n = 0;
	bool unlimited = false;
	for (size_t i = 0; i < d->napps; i++) {
		int64_t app = round_up(d->apps[i].app->isolators.cpu_milli, 1000);
		unlimited |= app == 0;
		n += app;
		if (n > SPEC_VCPUS_MAX)
			n = SPEC_VCPUS_MAX; /* limits above are met by having no more */
	}
	return unlimited && n < SPEC_VCPUS ? SPEC_VCPUS : n;
}

void size_domain(const struct poddir *d, size_t ntrees, int64_t *ret_memory_kib, int64_t *ret_vcpus)
{
	*ret_memory_kib = memory_kib(d, ntrees);
	*ret_vcpus = vcpus(d);
}
