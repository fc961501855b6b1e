/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a stage1's entrypoint says on stderr while xenpod waits for it. One that fails says why in a
 * line (contract 1.4): that becomes the cause in xenpod's own line, so that there are not two.
 */
#ifndef TOOLS_STAGE1_WORDS_H
#define TOOLS_STAGE1_WORDS_H

#define STAGE1_WHY_MAX 1024

struct stage1_end {
	int status;               /* exit status; 128 + signal when it was killed */
	char why[STAGE1_WHY_MAX]; /* of a status that is not 0: what to tell */
};

/* A file that takes its words, for the child's stderr; -1: none, it has ours. */
int stage1_words_open(void);

/* Closes `fd`. Fills ret->why by ret->status; other words go to our stderr as they are. */
void stage1_words_take(int fd, const char *entrypoint, struct stage1_end *ret);

#endif
