/* SPDX-License-Identifier: Apache-2.0 */
/* Words of grub's language, one command at a time. Its control flow is not followed. */
#ifndef HOST_EFI_WORDS_H
#define HOST_EFI_WORDS_H

#include <stdbool.h>
#include <stddef.h>

struct grub_vars;

/* {0} is empty; {.plain = true} reads lines of BLS: quotes and ';' mean nothing. */
struct grub_words {
	bool plain;
	char **word;
	size_t n;
};

/*
 * The words of the next command (up to ';', '{', '}' or the end of the line), without their quotes, with
 * variables' values; one that is not known is nothing, and without quotes its value is split at blanks, as
 * grub does. Moves *text on; n may be 0. False at the end of the text.
 */
bool grub_words_next(struct grub_words *w, const char **text, const struct grub_vars *v);
/* The words from `first` on with a blank between; those that hold blanks are in "..."; caller frees. */
char *grub_words_join(const struct grub_words *w, size_t first);
void grub_words_done(struct grub_words *w);

#endif
