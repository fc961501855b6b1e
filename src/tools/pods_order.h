/* SPDX-License-Identifier: Apache-2.0 */
/* The order in which pods are shown. */
#ifndef TOOLS_PODS_ORDER_H
#define TOOLS_PODS_ORDER_H

#include <jansson.h>

/* Sorts an array of objects by their "created", oldest first. */
void pods_order(json_t *pods);

#endif
