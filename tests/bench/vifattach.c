/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What xenpod-act does with a vif, by itself: waits for it, moves it into the namespace, ties it.
 * usage: vifattach VIF NETNS INTERFACE
 */
#include <stdio.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "net/links.h"
#include "net/netns.h"
#include "net/tie.h"

static int attach(char **argv, struct err *err)
{
	const char *const names[] = {argv[1]};
	const struct tie t = {.vif = argv[1], .cni = argv[3]};
	_cleanup_fd_ int netns = -1;
	if (netns_open(argv[2], &netns, err) < 0 ||
		links_wait(NETNS_OWN, names, 1, 10000, err) < 0 ||
		tie_move(argv[1], netns, argv[1], err) < 0)
		return -1;
	return tie_make(netns, &t, err);
}

int main(int argc, char **argv)
{
	_cleanup_err_ struct err err = {0};
	if (argc != 4) {
		fputs("usage: vifattach VIF NETNS INTERFACE\n", stderr);
		return XENPOD_EXIT_FAILURE;
	}
	if (attach(argv, &err) == 0)
		return 0;
	fprintf(stderr, "vifattach: %s\n", err_msg(&err));
	return 1;
}
