/* SPDX-License-Identifier: Apache-2.0 */
/* Pod UUIDs as text: canonical, lower case, 8-4-4-4-12 (contract 1.2, row 12). */
#ifndef BASE_UUID_H
#define BASE_UUID_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define UUID_TEXT_LEN  36
#define UUID_TEXT_SIZE (UUID_TEXT_LEN + 1)

bool uuid_valid(const char *s);
/* Copies into `ret`; ERR_INVALID names the text. */
int uuid_parse(const char *s, char ret[UUID_TEXT_SIZE], struct err *err);
int uuid_to_bytes(const char *s, uint8_t ret[16]);
void uuid_from_bytes(const uint8_t b[16], char ret[UUID_TEXT_SIZE]);
/* A fresh random (version 4) UUID from getrandom(2). */
void uuid_generate(char ret[UUID_TEXT_SIZE]);

#endif
