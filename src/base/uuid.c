/* SPDX-License-Identifier: Apache-2.0 */
/* UUID text: see uuid.h. */
#include "base/uuid.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

bool uuid_valid(const char *s)
{
	for (int i = 0; i < UUID_TEXT_LEN; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;
		if (dash ? s[i] != '-' : !is_hex(s[i]))
			return false;
	}
	return s[UUID_TEXT_LEN] == '\0';
}

int uuid_parse(const char *s, char ret[UUID_TEXT_SIZE], struct err *err)
{
	if (!uuid_valid(s))
		return err_set(err, ERR_INVALID,
			"\"%s\" is not a pod UUID (36 characters, lower case, 8-4-4-4-12)", s);
	memcpy(ret, s, UUID_TEXT_SIZE);
	return 0;
}

static int nibble(char c)
{
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

int uuid_to_bytes(const char *s, uint8_t ret[16])
{
	if (!uuid_valid(s))
		return -1;
	for (int i = 0; i < 16; i++) {
		if (*s == '-')
			s++;
		ret[i] = (uint8_t)(nibble(s[0]) << 4 | nibble(s[1]));
		s += 2;
	}
	return 0;
}

void uuid_from_bytes(const uint8_t b[16], char ret[UUID_TEXT_SIZE])
{
	snprintf(ret, UUID_TEXT_SIZE,
		"%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
		b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
		b[15]);
}

void uuid_generate(char ret[UUID_TEXT_SIZE])
{
	uint8_t b[16];
	if (getrandom(b, sizeof b, 0) != (ssize_t)sizeof b)
		abort(); /* cannot fail for 16 bytes once the pool is seeded: getrandom(2) */
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	uuid_from_bytes(b, ret);
}
