/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which frames a tie passes on: classic BPF programs (bpf(4), the kernel's networking/filter.rst) over
 * a whole Ethernet frame, which answer -1 for yes and 0 for no. A frame too short for what a program
 * reads is a no. Used inside this room.
 */
#ifndef NET_FILTER_H
#define NET_FILTER_H

#include <jansson.h>
#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>

#define FILTER_MAX  1024
#define FILTER_PASS 0xffffffffU

struct filter {
	struct sock_filter op[FILTER_MAX];
	size_t n;
};

/* Every frame. */
void filter_all(struct filter *f);
/* All but what is sent to UDP port 68 over IPv4: for a DHCP client. */
void filter_no_dhcp(struct filter *f);
/* What a guest with this (checked) ifconf may send: see struct tie. */
void filter_guard(struct filter *f, const json_t *ifconf, bool dhcp);

#endif
