/* SPDX-License-Identifier: Apache-2.0 */
/* See efi_words.h; the language: grub's manual, "Shell-like scripting". */
#include "host/efi_words.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "host/efi_grub.h"

/* A word in the making. */
struct word {
	char *text;
	size_t n;
	bool open; /* it is one, even when it is empty: '' */
};

struct reader {
	struct grub_words *w;
	const struct grub_vars *v;
	const char *at;
	struct word now;
};

static void clear(struct grub_words *w)
{
	for (size_t i = 0; i < w->n; i++)
		free(w->word[i]);
	w->n = 0;
}

void grub_words_done(struct grub_words *w)
{
	clear(w);
	free(w->word);
	w->word = NULL;
}

static void add(struct reader *r, char c)
{
	r->now.text = xreallocarray(r->now.text, r->now.n + 2, 1);
	r->now.text[r->now.n++] = c;
	r->now.text[r->now.n] = '\0';
	r->now.open = true;
}

static void end_word(struct reader *r)
{
	if (r->now.open) {
		r->w->word = xreallocarray(r->w->word, r->w->n + 1, sizeof(*r->w->word));
		r->w->word[r->w->n++] = r->now.text ? r->now.text : xstrdup("");
	}
	r->now = (struct word){0};
}

static bool of_name(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* At a '$'. Its value is put in; `split`: blanks in it end the word. */
static void variable(struct reader *r, bool split)
{
	bool braces = r->at[1] == '{';
	const char *name = r->at + 1 + braces;
	size_t len = 0;
	while (of_name(name[len]))
		len++;
	if (!len || (braces && name[len] != '}')) {
		add(r, *r->at++);
		return;
	}
	const char *value = grub_vars_get(r->v, name, len);
	r->at = name + len + braces;
	for (; value && *value; value++)
		if (split && isspace((unsigned char)*value))
			end_word(r);
		else
			add(r, *value);
}

static void single_quoted(struct reader *r)
{
	r->now.open = true;
	for (r->at++; *r->at && *r->at != '\''; r->at++)
		add(r, *r->at);
	r->at += *r->at == '\'';
}

static void double_quoted(struct reader *r)
{
	r->now.open = true;
	r->at++;
	while (*r->at && *r->at != '"') {
		if (*r->at == '$') {
			variable(r, false);
			continue;
		}
		if (*r->at == '\\' && r->at[1] && strchr("\"$\\", r->at[1]))
			r->at++;
		add(r, *r->at++);
	}
	r->at += *r->at == '"';
}

static void escaped(struct reader *r)
{
	if (r->at[1] == '\n') {
		r->at += 2;
		return;
	}
	r->at++;
	if (*r->at)
		add(r, *r->at++);
}

/* One character, or what it begins. False: the command ends behind it. */
static bool step(struct reader *r)
{
	char c = *r->at;
	if (c == '\n' || (!r->w->plain && !r->now.open && strchr(";{}", c)) ||
		(!r->w->plain && c == ';')) {
		r->at++;
		return false;
	}
	if (isspace((unsigned char)c)) {
		end_word(r);
		r->at++;
	} else if (c == '#' && !r->now.open && (!r->w->plain || !r->w->n)) {
		r->at += strcspn(r->at, "\n");
	} else if (c == '$') {
		variable(r, true);
	} else if (!r->w->plain && c == '\'') {
		single_quoted(r);
	} else if (!r->w->plain && c == '"') {
		double_quoted(r);
	} else if (!r->w->plain && c == '\\') {
		escaped(r);
	} else {
		add(r, c);
		r->at++;
	}
	return true;
}

bool grub_words_next(struct grub_words *w, const char **text, const struct grub_vars *v)
{
	struct reader r = {.w = w, .v = v, .at = *text};
	clear(w);
	if (!*r.at)
		return false;
	while (*r.at && step(&r))
		;
	end_word(&r);
	*text = r.at;
	return true;
}

char *grub_words_join(const struct grub_words *w, size_t first)
{
	char *text = xstrdup("");
	for (size_t i = first; i < w->n; i++) {
		bool quote = !w->plain && strpbrk(w->word[i], " \t") && !strchr(w->word[i], '"');
		char *more = xasprintf("%s%s%s%s%s", text, *text ? " " : "", quote ? "\"" : "",
			w->word[i], quote ? "\"" : "");
		free(text);
		text = more;
	}
	return text;
}
