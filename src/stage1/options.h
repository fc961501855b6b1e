/* SPDX-License-Identifier: Apache-2.0 */
/* The flags of `run` (contract 1.2): each one is acted on or refused, none passes in silence. */
#ifndef STAGE1_OPTIONS_H
#define STAGE1_OPTIONS_H

#include <stdbool.h>

#include "base/err.h"
#include "base/uuid.h"
#include "stage1/dns.h"

/* Texts are borrowed from argv; NULL or false when the flag was not given. */
struct run_options {
	bool debug;
	bool interactive;
	bool keep_caps;
	bool keep_paths;
	bool keep_syscalls;
	bool mutable_pod;
	const char *net;
	const char *private_users;
	const char *mds_token;
	const char *local_config;
	const char *hostname;
	const char *dns_conf_mode;
	struct dns dns; /* what it says */
	const char *ipc;
	char uuid[UUID_TEXT_SIZE];
};

/* 0, FLAGS_HELP (usage was printed), or -1. */
int options_parse(int argc, char **argv, struct run_options *ret, struct err *err);

#endif
