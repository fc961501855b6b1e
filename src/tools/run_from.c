/* SPDX-License-Identifier: Apache-2.0 */
/* A command line out of a file: see run_from.h. */
#include "tools/run_from.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/files.h"

#define FILE_MAX (256 * 1024)
#define SPACES   " \t\r"

static void add(struct run_from *f, char *word)
{
	f->argv = xreallocarray(f->argv, (size_t)f->argc + 2, sizeof *f->argv);
	f->argv[f->argc++] = word;
	f->argv[f->argc] = NULL;
}

static void add_line(struct run_from *f, char *line)
{
	line += strspn(line, SPACES);
	size_t len = strlen(line);
	while (len && strchr(SPACES, line[len - 1]))
		line[--len] = '\0';
	if (len && *line != '#')
		add(f, line);
}

static int add_file(struct run_from *f, const char *path, struct err *err)
{
	size_t len = 0;
	if (file_read_at(AT_FDCWD, path, FILE_MAX, &f->text, &len, err) < 0)
		return err_wrap(err, "--from=%s", path);
	if (strlen(f->text) != len)
		return err_set(err, ERR_INVALID, "--from=%s: this is no text: it has a NUL", path);
	int before = f->argc;
	char *rest = f->text;
	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n"))
		add_line(f, line);
	if (f->argc == before)
		return err_set(err, ERR_INVALID,
			"--from=%s: there is nothing in it; a line is a word of xenpod run", path);
	return 0;
}

static bool is_option(const char *word)
{
	return !strncmp(word, "--", 2) && strcmp(word, "--") != 0 && strcmp(word, "---") != 0;
}

int run_from_expand(int argc, char **argv, struct run_from *ret, struct err *err)
{
	static const char option[] = "--from=";
	bool before = true; /* all words so far were options */
	*ret = (struct run_from){0};
	add(ret, argv[0]);
	for (int i = 1; i < argc; i++) {
		if (!before || strncmp(argv[i], option, sizeof option - 1) != 0) {
			before = before && is_option(argv[i]);
			add(ret, argv[i]);
			continue;
		}
		before = false;
		if (add_file(ret, argv[i] + sizeof option - 1, err) < 0)
			return -1;
	}
	return 0;
}

void run_from_done(struct run_from *f)
{
	free(f->argv);
	free(f->text);
	*f = (struct run_from){0};
}
