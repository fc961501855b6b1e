/* SPDX-License-Identifier: Apache-2.0 */
/* Users and groups inside an app's root: see users.h. */
#include "guest/users.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "guest/rootfs.h"

#define ETC_MAX (1024 * 1024)
#define ID_MAX  4294967294UL /* the last one; (uid_t)-1 means "do not change" */

/* What tells users from groups. */
struct kind {
	const char *word;
	const char *file;
	bool owner_is_group;
};
static const struct kind user_kind = {"user", "/etc/passwd", false};
static const struct kind group_kind = {"group", "/etc/group", true};

/* Decimal digits and nothing else, up to the end of the text or to `end`. */
static int number(const char *s, char end, unsigned *ret)
{
	unsigned long v = 0;
	const char *p = s;
	for (; isdigit((unsigned char)*p); p++) {
		v = v * 10 + (unsigned long)(*p - '0');
		if (v > ID_MAX)
			return -1;
	}
	if (p == s || *p != end)
		return -1;
	*ret = (unsigned)v;
	return 0;
}

/* "name:password:id..." ; a line of another shape is passed over, as the C library does. */
static int line_id(const char *line, const char *name, unsigned *ret)
{
	size_t len = strlen(name);
	if (strncmp(line, name, len) != 0 || line[len] != ':')
		return -1;
	const char *password = line + len + 1;
	const char *id = strchr(password, ':');
	if (!id)
		return -1;
	return number(id + 1, ':', ret) < 0 ? number(id + 1, '\0', ret) : 0;
}

static int id_from_etc(
	int root, const struct kind *kind, const char *name, unsigned *ret, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	if (rootfs_read(root, kind->file, ETC_MAX, &text, err) < 0)
		return err_wrap(err, "look up %s \"%s\"", kind->word, name);
	char *save = NULL;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (line_id(line, name, ret) == 0)
			return 0;
	}
	return err_set(err, ERR_NOTFOUND, "%s \"%s\" is not in the image's %s", kind->word, name,
		kind->file);
}

static int id_resolve(
	int root, const struct kind *kind, const char *name, unsigned *ret, struct err *err)
{
	struct stat st;
	if (strcmp(name, "root") == 0) {
		*ret = 0;
		return 0;
	}
	if (number(name, '\0', ret) == 0)
		return 0;
	if (name[0] != '/')
		return id_from_etc(root, kind, name, ret, err);
	if (rootfs_stat(root, name, /*nofollow*/ 1, &st) < 0)
		return err_sys(err, "%s is the owner of %s", kind->word, name);
	*ret = kind->owner_is_group ? st.st_gid : st.st_uid;
	return 0;
}

int users_resolve(int root, const char *user, const char *group, bool docker, uid_t *ret_uid,
	gid_t *ret_gid, struct err *err)
{
	_cleanup_err_ struct err group_err = {0};
	unsigned uid = 0;
	unsigned gid = 0;
	if (id_resolve(root, &user_kind, user, &uid, err) < 0)
		return -1;
	if (id_resolve(root, &group_kind, group, &gid, &group_err) < 0) {
		if (!docker || strcmp(user, group) != 0) {
			err_move(err, &group_err);
			return -1;
		}
		gid = uid;
	}
	*ret_uid = uid;
	*ret_gid = gid;
	return 0;
}
