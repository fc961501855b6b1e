/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resource quantities as Kubernetes and appc write them (contract 3.4):
 * [+-]digits[.digits] and a suffix n u m "" k M G T P E (powers of ten), Ki Mi Gi Ti Pi Ei (powers
 * of two) or e<n>/E<n>. "128m" is 0.128; "K" is refused. Rounding is up, too large is INT64_MAX.
 */
#ifndef APPC_QUANTITY_H
#define APPC_QUANTITY_H

#include <stdint.h>

#include "base/err.h"

/* Whole units: bytes of memory, cores. ERR_INVALID names the text. */
int quantity_value(const char *text, int64_t *ret, struct err *err);
/* Thousandths: millicores. */
int quantity_milli(const char *text, int64_t *ret, struct err *err);

#endif
