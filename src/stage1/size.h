/* SPDX-License-Identifier: Apache-2.0 */
/* How large the domain is (contract 3.4, kvm sizing): what its apps may use and what it needs. */
#ifndef STAGE1_SIZE_H
#define STAGE1_SIZE_H

#include <stddef.h>
#include <stdint.h>

#include "stage1/poddir.h"

/*
 * Beside the apps' own memory: kernel, init and page tables, and for each tree the pages that a 9p
 * device shares with its back end and the buffers of the mount. Measured on Debian's kernel, PV, 2
 * vCPUs, by MemAvailable of a pod of 128 MB: 73 MiB and 1.1 MiB for each tree that is mounted and not
 * used; the rest is for what the kernel keeps while they are.
 */
#define SIZE_BASE_KIB       (96 * 1024)
#define SIZE_TREE_KIB       (4 * 1024)
#define SIZE_MEMORY_MIN_KIB (128 * 1024)

/*
 * The sum of the apps' limits, memory with the overhead and rounded up to whole MiB, cores rounded
 * up for each app; when an app has no limit at least the defaults of proto/spec.h.
 */
void size_domain(
	const struct poddir *d, size_t ntrees, int64_t *ret_memory_kib, int64_t *ret_vcpus);

#endif
