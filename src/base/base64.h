/* SPDX-License-Identifier: Apache-2.0 */
/* Base64 of RFC 4648, section 4: padded, no line breaks; anything else is refused. */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stddef.h>
#include <stdint.h>

/* Caller frees. */
char *base64_encode(const void *data, size_t len);
/* 0, *ret (caller frees) and *ret_len, or -1: not base64. */
int base64_decode(const char *text, uint8_t **ret, size_t *ret_len);

#endif
