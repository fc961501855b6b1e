/* SPDX-License-Identifier: Apache-2.0 */
/* A main for fuzz targets without libFuzzer: runs the target on every file of the directories. */
#include "fuzz.h"

#include <dirent.h>
#include <fcntl.h>

#include "base/cleanup.h"
#include "base/files.h"

#define INPUT_MAX (4 << 20)

static void replay_file(int dirfd, const char *name)
{
	_cleanup_err_ struct err err = {0};
	_cleanup_free_ char *data = NULL;
	size_t len = 0;
	printf("# %s\n", name);
	fflush(stdout); /* so that the last line names the input that killed us */
	if (file_read_at(dirfd, name, INPUT_MAX, &data, &len, &err) < 0) {
		fprintf(stderr, "%s\n", err_msg(&err));
		exit(2);
	}
	/* An exact copy: the sanitizer then sees a read beyond the input, which the NUL hides. */
	uint8_t *exact = malloc(len ? len : 1);
	for (size_t i = 0; i < len; i++)
		exact[i] = (uint8_t)data[i];
	LLVMFuzzerTestOneInput(exact, len);
	free(exact);
}

static int replay_dir(const char *path)
{
	int n = 0;
	_cleanup_dir_ DIR *d = opendir(path);
	if (!d) {
		perror(path);
		exit(2);
	}
	for (struct dirent *e = readdir(d); e; e = readdir(d)) {
		if (e->d_name[0] == '.')
			continue;
		replay_file(dirfd(d), e->d_name);
		n++;
	}
	return n;
}

int main(int argc, char **argv)
{
	int n = 0;
	for (int i = 1; i < argc; i++)
		n += replay_dir(argv[i]);
	printf("%d inputs replayed\n", n);
	return n ? 0 : 2;
}
