/* SPDX-License-Identifier: Apache-2.0 */
/* Is the file what was written? Tells damage from a disk that does not give it now. */
#include "store/priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/log.h"

/* A supervisor goes on with a new one (open_rw); who only reads is told what to do. */
int store_damage(struct store *s, struct err *err)
{
	_cleanup_free_ char *what = xstrdup(err_msg(err));
	if (!s->damaged || s->mode == STORE_RW_CREATE)
		return -1;
	return err_set(err, ERR_STORE,
		"%s. See `xenpod fsck`; xenpodd, when it is started, puts it aside and finds the "
		"pods again in the world",
		what);
}

static int note_check(void *ctx, int n, char **values, char **names)
{
	(void)names;
	char **ret = ctx;
	if (n > 0 && values[0] && strcmp(values[0], "ok") != 0 && !*ret)
		*ret = xstrdup(values[0]);
	return 0;
}

char *check_suspect_path(const struct store *s)
{
	return xasprintf("%s.suspect", s->path);
}

/*
 * A check tells of pages that cannot be read as if they were damaged ("unable to get the page. error
 * code=266"): but the disk may give them tomorrow, so that is no reason to do without them.
 */
static bool is_readable(const struct store *s, const char *found, struct err *err)
{
	const char *code = strstr(found, "error code=");
	if (code && (strtol(strchr(code, '=') + 1, NULL, 10) & 0xff) != SQLITE_CORRUPT) {
		err_set(err, ERR_SYSTEM, "store %s cannot be read: %s", s->path, found);
		return false;
	}
	char buf[65536];
	_cleanup_fd_ int fd = open(s->path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : 1;
	while (n > 0)
		n = read(fd, buf, sizeof buf);
	if (n < 0)
		err_sys(err, "store %s cannot be read", s->path);
	return n == 0;
}

int check_pages(struct store *s, struct err *err)
{
	_cleanup_free_ char *found = NULL;
	_cleanup_free_ char *suspect = check_suspect_path(s);
	/* Pages, not rows: one bad row must not keep all pods out (row_each reports it). */
	static const char check[] = "PRAGMA ignore_check_constraints=ON; PRAGMA quick_check(1);"
				    "PRAGMA ignore_check_constraints=OFF";
	/* Indexes as well, which takes longer: a statement has met what pages did not show. */
	static const char closely[] =
		"PRAGMA ignore_check_constraints=ON; PRAGMA integrity_check(1);"
		"PRAGMA ignore_check_constraints=OFF";
	bool suspected = access(suspect, F_OK) == 0;
	int rc = sqlite3_exec(s->db, suspected ? closely : check, note_check, &found, NULL);
	if (rc != SQLITE_OK) {
		sql_fail(s, rc, "check", err);
	} else if (found && !is_readable(s, found, err)) {
		return -1;
	} else if (found) {
		s->damaged = true;
		err_set(err, ERR_STORE, "store %s is damaged: %s", s->path, found);
	} else {
		if (suspected)
			(void)unlink(suspect);
		return 0;
	}
	return store_damage(s, err);
}

void store_suspect(struct store *s)
{
	_cleanup_free_ char *path = check_suspect_path(s);
	_cleanup_fd_ int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		log_warning("%s cannot be made: %s", path, strerror(errno));
}
