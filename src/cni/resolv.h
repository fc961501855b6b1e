/* SPDX-License-Identifier: Apache-2.0 */
/* A result's name servers as the file that programs read (contract 5.6, resolv.conf(5)). */
#ifndef CNI_RESOLV_H
#define CNI_RESOLV_H

#include <jansson.h>

/* Of a checked dns object (result.h): comment, search, nameserver, options, domain. Caller frees. */
char *cni_resolv_conf(const json_t *dns);

#endif
