/* SPDX-License-Identifier: Apache-2.0 */
/* What somebody may have meant: for messages about words that do not exist. */
#ifndef TOOLS_NEAREST_H
#define TOOLS_NEAREST_H

#include <stddef.h>

/*
 * How many letters have to be put in, left out, changed or exchanged with their neighbour to make one
 * of the other ("optimal string alignment"). Words of more than 32 letters are far from everything.
 */
unsigned word_distance(const char *a, const char *b);

/* Keeps the nearest word that is offered. {.word = TYPED} begins. */
struct nearest {
	const char *word;
	const char *found; /* NULL: none is near */
	unsigned distance;
};
void nearest_offer(struct nearest *n, const char *candidate);

#endif
