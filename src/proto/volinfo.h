/* SPDX-License-Identifier: Apache-2.0 */
/* What is told to people of a pod's volumes: out of what `run` asked for (spec.h), which itself is never shown. */
#ifndef PROTO_VOLINFO_H
#define PROTO_VOLINFO_H

#include <jansson.h>

/*
 * [{app, path, kind "host"|"empty", read_only}] of a request, in the order in which the apps mount them;
 * [] for NULL. A new reference.
 */
json_t *volinfo_of(const json_t *request);

#endif
