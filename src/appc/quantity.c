/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Quantities in exact integers: see quantity.h. A text is mantissa * 10^e10 * 2^e2; nineteen digits
 * fit 64 bits, so mantissa * 2^60 ("Ei") fits 128. What is cut off is only remembered as "more
 * than", which is all that rounding up needs.
 */
#include "appc/quantity.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define DIGITS_MAX   19
#define EXPONENT_MAX 1000

struct number {
	unsigned __int128 mantissa;
	int e10;
	int e2;
	bool negative;
	bool more; /* something above zero was cut off */
};

/* [+-]digits[.digits]; "1." and ".5" are numbers too. Returns what follows, NULL: not a number. */
static const char *scan_number(const char *s, struct number *n)
{
	int kept = 0;
	int seen = 0;
	bool fraction = false;
	if (*s == '+' || *s == '-')
		n->negative = *s++ == '-';
	for (;; s++) {
		if (*s == '.' && !fraction) {
			fraction = true;
			continue;
		}
		if (!isdigit((unsigned char)*s))
			break;
		seen++;
		if (kept == DIGITS_MAX) {
			n->more |= *s != '0';
			n->e10 += fraction ? 0 : 1;
			continue;
		}
		n->mantissa = n->mantissa * 10 + (unsigned)(*s - '0');
		kept += n->mantissa ? 1 : 0;
		n->e10 -= fraction ? 1 : 0;
	}
	return seen ? s : NULL;
}

static int scan_suffix(const char *s, struct number *n)
{
	static const struct {
		const char *text;
		int e10, e2;
	} suffixes[] = {{"", 0, 0}, {"n", -9, 0}, {"u", -6, 0}, {"m", -3, 0}, {"k", 3, 0},
		{"M", 6, 0}, {"G", 9, 0}, {"T", 12, 0}, {"P", 15, 0}, {"E", 18, 0}, {"Ki", 0, 10},
		{"Mi", 0, 20}, {"Gi", 0, 30}, {"Ti", 0, 40}, {"Pi", 0, 50}, {"Ei", 0, 60}};
	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		if (strcmp(s, suffixes[i].text))
			continue;
		n->e10 += suffixes[i].e10;
		n->e2 = suffixes[i].e2;
		return 0;
	}
	if ((*s != 'e' && *s != 'E') || isspace((unsigned char)s[1]))
		return -1;
	char *end;
	long e = strtol(s + 1, &end, 10);
	if (end == s + 1 || *end || e > EXPONENT_MAX || e < -EXPONENT_MAX)
		return -1;
	n->e10 += (int)e;
	return 0;
}

static int64_t rounded_up(struct number *n)
{
	unsigned __int128 v = n->mantissa << n->e2;
	for (; n->e10 < 0 && v; n->e10++) {
		n->more |= v % 10 != 0;
		v /= 10;
	}
	for (; n->e10 > 0 && v && v <= INT64_MAX; n->e10--)
		v *= 10;
	if (n->more)
		v++;
	int64_t r = v > INT64_MAX ? INT64_MAX : (int64_t)v;
	return n->negative ? -r : r;
}

static int scaled(const char *text, int e10, int64_t *ret, struct err *err)
{
	struct number n = {.e10 = e10};
	const char *rest = scan_number(text, &n);
	if (!rest || scan_suffix(rest, &n) < 0)
		return err_set(err, ERR_INVALID,
			"\"%s\" is not a quantity; write for example 256Mi, 1.5 or 500m", text);
	*ret = rounded_up(&n);
	return 0;
}

int quantity_value(const char *text, int64_t *ret, struct err *err)
{
	return scaled(text, 0, ret, err);
}

int quantity_milli(const char *text, int64_t *ret, struct err *err)
{
	return scaled(text, 3, ret, err);
}
