/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The grammar of the guest's state nodes: see gstate.h. What is parsed here was written by a guest
 * that may be hostile, so nothing is accepted that gstate_format() would not have written.
 */
#include "proto/gstate.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* What follows the kind's word. */
enum tail { TAIL_NONE, TAIL_CODE, TAIL_SIGNAL, TAIL_TEXT, TAIL_WHY };

static const char *const kind_names[GSTATE_MAX_] = {
#define X(id, name) [GSTATE_##id] = name,
	GSTATE_KINDS(X)
#undef X
};

#define NOT_HERE (-1)

/* clang-format off */
static const int tails[][GSTATE_MAX_] = {
	[GSTATE_POD] = {
		[GSTATE_BOOTING]  = TAIL_NONE, [GSTATE_STARTING] = NOT_HERE,
		[GSTATE_RUNNING]  = TAIL_NONE, [GSTATE_STOPPING] = TAIL_NONE,
		[GSTATE_EXITED]   = NOT_HERE,  [GSTATE_KILLED]   = NOT_HERE,
		[GSTATE_DONE]     = TAIL_CODE, [GSTATE_FAILED]   = TAIL_TEXT,
		[GSTATE_ENDING]   = TAIL_NONE, [GSTATE_OOM]      = NOT_HERE,
	},
	[GSTATE_APP] = {
		[GSTATE_BOOTING]  = NOT_HERE,  [GSTATE_STARTING] = TAIL_NONE,
		[GSTATE_RUNNING]  = TAIL_NONE, [GSTATE_STOPPING] = NOT_HERE,
		[GSTATE_EXITED]   = TAIL_CODE, [GSTATE_KILLED]   = TAIL_SIGNAL,
		[GSTATE_DONE]     = NOT_HERE,  [GSTATE_FAILED]   = TAIL_WHY,
		[GSTATE_ENDING]   = NOT_HERE,  [GSTATE_OOM]      = TAIL_SIGNAL,
	},
};
/* clang-format on */

const char *gstate_kind_name(enum gstate_kind kind)
{
	return kind >= 0 && kind < GSTATE_MAX_ ? kind_names[kind] : "?";
}

/* A cursor over bytes that need not end in NUL. */
struct cursor {
	const char *p;
	const char *end;
};

/* Decimal without sign or leading zero, at most `max`. */
static int take_number(struct cursor *c, uint64_t max, uint64_t *ret)
{
	const char *start = c->p;
	uint64_t v = 0;
	while (c->p < c->end && *c->p >= '0' && *c->p <= '9') {
		v = v * 10 + (uint64_t)(*c->p - '0');
		if (v > max)
			return -1;
		c->p++;
	}
	size_t digits = (size_t)(c->p - start);
	if (digits == 0 || (digits > 1 && *start == '0'))
		return -1;
	*ret = v;
	return 0;
}

static int take_space(struct cursor *c)
{
	if (c->p == c->end || *c->p != ' ')
		return -1;
	c->p++;
	return 0;
}

static int take_kind(struct cursor *c, enum gstate_kind *ret)
{
	const char *start = c->p;
	while (c->p < c->end && *c->p >= 'a' && *c->p <= 'z')
		c->p++;
	size_t len = (size_t)(c->p - start);
	for (int k = 0; k < GSTATE_MAX_; k++) {
		if (strlen(kind_names[k]) != len || memcmp(kind_names[k], start, len) != 0)
			continue;
		*ret = (enum gstate_kind)k;
		return 0;
	}
	return -1;
}

/* The rest: 1 to GSTATE_TEXT_MAX printable ASCII characters. */
static int take_text(struct cursor *c, char *ret)
{
	size_t len = (size_t)(c->end - c->p);
	if (len == 0 || len > GSTATE_TEXT_MAX)
		return -1;
	for (size_t i = 0; i < len; i++) {
		if (c->p[i] < ' ' || c->p[i] > '~')
			return -1;
	}
	memcpy(ret, c->p, len);
	ret[len] = '\0';
	c->p = c->end;
	return 0;
}

static int take_code(struct cursor *c, uint64_t min, uint64_t max, struct gstate *s)
{
	uint64_t code = 0;
	if (take_number(c, max, &code) < 0 || code < min)
		return -1;
	s->code = (int)code;
	return 0;
}

static int take_tail(struct cursor *c, enum gstate_node node, struct gstate *s)
{
	int tail = tails[node][s->kind];
	if (tail == TAIL_NONE)
		return 0;
	if (tail == NOT_HERE || take_space(c) < 0)
		return -1;
	if (tail == TAIL_TEXT)
		return take_text(c, s->text);
	/* Signal number 0 would be "killed by nothing", code 0 "failed without a fault". */
	if (tail != TAIL_WHY)
		return tail == TAIL_CODE ? take_code(c, 0, 255, s) : take_code(c, 1, 127, s);
	if (take_code(c, 1, 255, s) < 0)
		return -1;
	if (c->p == c->end)
		return 0;
	return take_space(c) < 0 ? -1 : take_text(c, s->text);
}

int gstate_parse(enum gstate_node node, const char *value, size_t len, struct gstate *ret)
{
	struct gstate s = {0};
	struct cursor c = {value, value + len};
	uint64_t seq = 0;
	if (len >= GSTATE_VALUE_MAX)
		return -1;
	if (take_number(&c, UINT32_MAX, &seq) < 0 || seq == 0)
		return -1;
	s.seq = (uint32_t)seq;
	if (take_space(&c) < 0 || take_kind(&c, &s.kind) < 0 || take_tail(&c, node, &s) < 0)
		return -1;
	if (c.p != c.end)
		return -1;
	*ret = s;
	return 0;
}

size_t gstate_format(const struct gstate *s, char *buf)
{
	int n = 0;
	switch (s->kind) {
	case GSTATE_DONE:
	case GSTATE_EXITED:
	case GSTATE_KILLED:
	case GSTATE_OOM:
		n = snprintf(
			buf, GSTATE_VALUE_MAX, "%u %s %d", s->seq, kind_names[s->kind], s->code);
		break;
	case GSTATE_FAILED:
		/* A pod's has a text and no code, an app's a code and perhaps a text. */
		if (!s->code)
			n = snprintf(buf, GSTATE_VALUE_MAX, "%u failed %.*s", s->seq,
				GSTATE_TEXT_MAX, s->text);
		else
			n = snprintf(buf, GSTATE_VALUE_MAX, "%u failed %d%s%.*s", s->seq, s->code,
				s->text[0] ? " " : "", GSTATE_TEXT_MAX, s->text);
		break;
	case GSTATE_BOOTING:
	case GSTATE_STARTING:
	case GSTATE_RUNNING:
	case GSTATE_STOPPING:
	case GSTATE_ENDING:
		n = snprintf(buf, GSTATE_VALUE_MAX, "%u %s", s->seq, kind_names[s->kind]);
		break;
	case GSTATE_MAX_:
		buf[0] = '\0';
		break;
	}
	return (size_t)n;
}

int gstate_parse_next(const char *value, size_t len, uint32_t *ret)
{
	struct cursor c = {value, value + len};
	uint64_t v = 0;
	if (take_number(&c, UINT32_MAX, &v) < 0 || c.p != c.end)
		return -1;
	*ret = (uint32_t)v;
	return 0;
}
