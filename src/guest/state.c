/* SPDX-License-Identifier: Apache-2.0 */
/* State nodes: see state.h. */
#include "guest/state.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <xenstore.h>

#include "base/log.h"

int state_open(struct state *state, struct err *err)
{
	state->xs = xs_open(0);
	return state->xs ? 0 : err_sys(err, "connect to xenstore");
}

static void node_write(struct state *state, const char *node, const char *value, size_t len)
{
	if (!state->xs)
		return;
	if (!xs_write(state->xs, XBT_NULL, node, value, (unsigned)len))
		log_err("write xenstore node %s: %s", node, strerror(errno));
}

/* What of a text fits, in characters that the grammar has. */
static void put_text(struct gstate *s, const char *text)
{
	snprintf(s->text, sizeof(s->text), "%s", text);
	for (char *p = s->text; *p; p++) {
		if (*p < ' ' || *p > '~')
			*p = '?';
	}
}

void state_pod(struct state *state, enum gstate_kind kind, int code, const char *text)
{
	struct gstate s = {.seq = ++state->pod_seq, .kind = kind, .code = code};
	char value[GSTATE_VALUE_MAX];
	if (kind == GSTATE_FAILED)
		put_text(&s, text && text[0] ? text : "no reason given");
	size_t len = gstate_format(&s, value);
	node_write(state, GSTATE_DIR "/pod", value, len);
	log_debug("pod: %s", value);
}

void state_app(struct state *state, size_t app, enum gstate_kind kind, int code, const char *text)
{
	struct gstate s = {.seq = ++state->app_seq[app], .kind = kind, .code = code};
	char value[GSTATE_VALUE_MAX];
	char node[64];
	if (kind == GSTATE_FAILED)
		put_text(&s, text);
	snprintf(node, sizeof(node), GSTATE_DIR "/app/%zu", app);
	node_write(state, node, value, gstate_format(&s, value));
}

void state_next(struct state *state, uint32_t ring)
{
	char value[16];
	int len = snprintf(value, sizeof(value), "%u", ring);
	node_write(state, GSTATE_DIR "/next", value, (size_t)len);
}

void state_forget_ring(struct state *state, uint32_t ring)
{
	char node[64];
	snprintf(node, sizeof(node), GSTATE_RING_FMT, ring);
	if (state->xs)
		xs_rm(state->xs, XBT_NULL, node);
}
