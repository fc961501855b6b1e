/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An app's seccomp isolator made into the program that xenpod-init installs (contract 3.4). It is
 * compiled here, so that the guest needs no libseccomp: for x86_64 with x86 and x32, because a
 * program chooses by itself which of them it calls the kernel by.
 */
#ifndef STAGE1_SECCOMP_H
#define STAGE1_SECCOMP_H

#include "appc/isolator.h"
#include "base/err.h"

/*
 * The program in base64 (spec member "filters"), caller frees; NULL: the app has no filter. An empty
 * set means the default. ERR_INVALID names the call or error that is not known, and a set by which
 * the app could not even be started.
 */
int seccomp_program(const struct appc_set *set, char **ret, struct err *err);

#endif
