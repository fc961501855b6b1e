/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random lives for as long as one likes (make soak): soak FROM COUNT, or soak FILE for a script.
 * Ends with 1 at the first that fails.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "walk.h"

#include "base/cleanup.h"
#include "base/files.h"

#define TRIES      400
#define SCRIPT_MAX 65536
#define LINE_EVERY 10 /* s */

static int do_script(const char *path)
{
	_cleanup_err_ struct err err = {0};
	_cleanup_free_ char *text = NULL;
	struct walk w;
	struct walk_result r;
	if (file_read_at(AT_FDCWD, path, SCRIPT_MAX, &text, NULL, &err) < 0 ||
		walk_parse(&w, text, &err) < 0) {
		fprintf(stderr, "soak: %s: %s\n", path, err_msg(&err));
		return 2;
	}
	walk_run(&w, &r);
	printf("%s%s%s: %s\n", r.trace, r.said, path, r.failed ? r.why : "it does not fail");
	bool failed = r.failed;
	walk_result_done(&r);
	return failed;
}

static void say(uint64_t from, uint64_t next, const struct walk_result *sum)
{
	printf("# seeds %" PRIu64 " to %" PRIu64 ": %" PRId64 " steps, %" PRId64 " turns, %" PRId64
	       " starts of the supervisor, %" PRId64 " boots, %" PRId64 " failed writes\n",
		from, next - 1, sum->steps, sum->turns, sum->starts, sum->reboots,
		sum->store_errors);
	fflush(stdout);
}

static int do_seeds(uint64_t from, uint64_t count)
{
	struct walk_result sum = {0};
	time_t told = time(NULL);
	for (uint64_t seed = from; seed < from + count; seed++) {
		struct walk w;
		char name[32];
		snprintf(name, sizeof name, "seed %" PRIu64, seed);
		walk_make(&w, seed);
		if (!walk_try(name, &w, TRIES, &sum))
			return 1;
		if (time(NULL) - told >= LINE_EVERY) {
			told = time(NULL);
			say(from, seed + 1, &sum);
		}
	}
	say(from, from + count, &sum);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2)
		return do_script(argv[1]);
	if (argc == 3)
		return do_seeds(strtoull(argv[1], NULL, 10), strtoull(argv[2], NULL, 10));
	fputs("usage: soak FROM COUNT\n       soak FILE\n", stderr);
	return 2;
}
