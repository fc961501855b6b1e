/* SPDX-License-Identifier: Apache-2.0 */
/* A growing list of texts that belong to somebody else (argv, as a rule). {0} is empty. */
#ifndef TOOLS_WORDS_H
#define TOOLS_WORDS_H

#include <stdlib.h>

#include "base/alloc.h"

struct words {
	const char **v;
	size_t n;
};

static inline void words_add(struct words *w, const char *word)
{
	w->v = xreallocarray(w->v, w->n + 1, sizeof(*w->v));
	w->v[w->n++] = word;
}

static inline void words_done(struct words *w)
{
	free(w->v);
	*w = (struct words){0};
}

#endif
