/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The size of a domain's 9p rings. Linux takes the largest that the back end offers, and QEMU offers
 * 512 pages; a device has two. The guest's memory pays for them, and granting and mapping a thousand
 * pages for each tree is most of what a start with several trees takes.
 */
#ifndef ACT_RINGS_H
#define ACT_RINGS_H

#include <stddef.h>
#include <stdint.h>

#include "act/hv.h"

/*
 * 2^7 pages: half of them carry requests, and Linux then takes messages up to half of that, 128 KiB,
 * which is the msize that xenpod-init asks for (net/9p/trans_xen.c, guest/mounts.c).
 */
#define RINGS_PAGE_ORDER 7

/*
 * Lowers what the back ends of the domain's `n` 9p devices offer. Before the first unpause: then
 * nobody has read it yet. What cannot be lowered works as it is, with more memory; logged.
 */
void rings_shrink(struct hv *hv, uint32_t domid, size_t n);

#endif
