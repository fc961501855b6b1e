/* SPDX-License-Identifier: Apache-2.0 */
/* See nearest.h. */
#include "tools/nearest.h"

#include <string.h>

#define LETTERS_MAX 32
#define FAR         99

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

unsigned word_distance(const char *a, const char *b)
{
	unsigned d[LETTERS_MAX + 1][LETTERS_MAX + 1];
	size_t n = strlen(a);
	size_t m = strlen(b);
	if (n > LETTERS_MAX || m > LETTERS_MAX)
		return FAR;
	for (size_t i = 0; i <= n; i++) {
		for (size_t j = 0; j <= m; j++) {
			if (!i || !j) {
				d[i][j] = (unsigned)(i + j);
				continue;
			}
			d[i][j] = least(least(d[i - 1][j], d[i][j - 1]) + 1,
				d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
		}
	}
	return d[n][m];
}

/* Near enough to be a slip: one in three letters, and never all of them. */
void nearest_offer(struct nearest *n, const char *candidate)
{
	unsigned d = word_distance(n->word, candidate);
	size_t letters = strlen(candidate);
	if (d > letters / 3 + (letters < 3) || d >= letters || (n->found && d >= n->distance))
		return;
	n->found = candidate;
	n->distance = d;
}
