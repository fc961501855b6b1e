/* SPDX-License-Identifier: Apache-2.0 */
/* Users, groups and programs are looked up inside the app's root and nowhere else. */
/* LINK: guest proto base */
/* VALGRIND: no, 3.19 does not know openat2(2) */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "guest/lookup.h"
#include "guest/rootfs.h"
#include "guest/users.h"

static char dir[] = "/tmp/xenpod-unit-XXXXXX";
static int root = -1;

static void put_file(const char *path, const char *text, mode_t mode)
{
	int fd = openat(root, path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static int setup(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(dir));
	root = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	static const char *const dirs[] = {
		"etc", "bin", "usr", "usr/bin", "srv", "srv/rel", "real"};
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		assert_int_equal(mkdirat(root, dirs[i], 0755), 0);
	put_file("etc/passwd",
		"root:x:0:0:root:/root:/bin/sh\nbroken\nweb:x:1000:1001::/:/bin/sh\n"
		"webb:x:7:7::/:\nnonum:x:abc:1::/:\nhuge:x:4294967295:1::/:\nlast:x:33:34::/:",
		0644);
	put_file("etc/group", "root:x:0:\nweb:x:2001:a,b\nshort:x:5\n", 0644);
	put_file("bin/sh", "", 0755);
	put_file("bin/data", "", 0644);
	put_file("usr/bin/tool", "", 0755);
	put_file("srv/tool", "", 0755);
	put_file("srv/rel/tool", "", 0755);
	put_file("real/box", "", 0755);
	assert_int_equal(symlinkat("/real/box", root, "bin/box"), 0);
	assert_int_equal(symlinkat("/etc/hostname", root, "bin/outside"), 0);
	assert_int_equal(symlinkat("../../../../../../../../real", root, "up"), 0);
	assert_int_equal(symlinkat("loop", root, "loop"), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	char cmd[64];
	close(root);
	snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	return system(cmd);
}

/* ---- users ----------------------------------------------------------------------------------- */

static void assert_ids(const char *user, const char *group, bool docker, uid_t uid, gid_t gid)
{
	_cleanup_err_ struct err err = {0};
	uid_t got_uid = 77777;
	gid_t got_gid = 77777;
	assert_ok(users_resolve(root, user, group, docker, &got_uid, &got_gid, &err), &err);
	assert_int_equal(got_uid, uid);
	assert_int_equal(got_gid, gid);
}

static void assert_nobody(const char *user, const char *group, bool docker, const char *text)
{
	_cleanup_err_ struct err err = {0};
	uid_t uid = 77777;
	gid_t gid = 77777;
	assert_call(users_resolve(root, user, group, docker, &uid, &gid, &err), &err, -1);
	if (!strstr(err_msg(&err), text))
		fail_msg("%s/%s: %s", user, group, err_msg(&err));
	assert_int_equal(uid, 77777);
	assert_int_equal(gid, 77777);
}

static void names_and_numbers(void **state)
{
	(void)state;
	assert_ids("root", "root", false, 0, 0);
	assert_ids("0", "12", false, 0, 12);
	assert_ids("4294967294", "0", false, 4294967294U, 0);
	assert_ids("web", "web", false, 1000, 2001);
	assert_ids("last", "short", false, 33, 5);
	assert_nobody("we", "0", false, "user \"we\" is not in the image's /etc/passwd");
	assert_nobody("nonum", "0", false, "user \"nonum\"");
	assert_nobody("huge", "0", false, "user \"huge\"");
	assert_nobody("broken", "0", false, "user \"broken\"");
	assert_nobody("0", "nope", false, "group \"nope\" is not in the image's /etc/group");
	/* Too large for a number, so a name, which nobody has. */
	assert_nobody("4294967295", "0", false, "user \"4294967295\"");
	assert_nobody("-1", "0", false, "user \"-1\"");
}

static void owner_of_a_path(void **state)
{
	(void)state;
	put_file("srv/owned", "", 0644);
	struct stat st;
	if (geteuid() == 0)
		assert_int_equal(fchownat(root, "srv/owned", 123, 456, 0), 0);
	assert_int_equal(fstatat(root, "srv/owned", &st, 0), 0);
	assert_ids("/srv/owned", "/srv/owned", false, st.st_uid, st.st_gid);
	/* The link's own owner, not that of what it points at (lstat). */
	assert_int_equal(symlinkat("/nowhere", root, "srv/dangling"), 0);
	assert_ids("/srv/dangling", "0", false, geteuid(), 0);
	assert_nobody("/srv/none", "0", false, "owner of /srv/none");
}

static void docker_rule(void **state)
{
	(void)state;
	assert_ids("webb", "webb", true, 7, 7);
	assert_nobody("webb", "webb", false, "group \"webb\"");
	assert_nobody("web", "webb", true, "group \"webb\"");
	assert_ids("web", "web", true, 1000, 2001);
}

/* A hostile image: no wait, no way out of the root. */
static void hostile_etc(void **state)
{
	(void)state;
	assert_int_equal(renameat(root, "etc/group", root, "etc/group.good"), 0);
	assert_int_equal(mkfifoat(root, "etc/group", 0644), 0);
	assert_nobody("0", "web", false, "not a regular file");
	assert_int_equal(unlinkat(root, "etc/group", 0), 0);
	assert_int_equal(symlinkat("../../../../../../etc/group", root, "etc/group"), 0);
	assert_nobody("0", "daemon", false, "");
	assert_int_equal(unlinkat(root, "etc/group", 0), 0);
	assert_int_equal(symlinkat("/dev/zero", root, "etc/group"), 0);
	assert_nobody("0", "web", false, "");
	assert_int_equal(unlinkat(root, "etc/group", 0), 0);
	assert_nobody("0", "web", false, "No such file");
	assert_int_equal(renameat(root, "etc/group.good", root, "etc/group"), 0);
	assert_ids("0", "web", false, 0, 2001);
}

/* ---- programs -------------------------------------------------------------------------------- */

static void assert_found(const char *cwd, const char *file, const char *path, const char *want)
{
	_cleanup_err_ struct err err = {0};
	_cleanup_free_ char *got = NULL;
	char variable[256];
	snprintf(variable, sizeof(variable), "PATH=%s", path ? path : "");
	char *env[] = {(char[]){"PATHX=/nowhere"}, path ? variable : NULL, NULL};
	int r = lookup_exec(root, cwd, file, env, &got, &err);
	if (!want) {
		assert_int_equal(r, -1);
		assert_null(got);
		return;
	}
	assert_ok(r, &err);
	assert_string_equal(got, want);
}

static void exec_lookup(void **state)
{
	(void)state;
	assert_found("/srv", "/any/thing", NULL, "/any/thing");
	assert_found("/srv", "rel/tool", "/bin", "/srv/rel/tool");
	assert_found("/", "./tool", "/bin", "/./tool");
	assert_found("/srv", "sh", "/usr/bin:/bin", "/bin/sh");
	assert_found("/srv", "tool", "/bin:/usr/bin:.", "/usr/bin/tool");
	assert_found("/srv", "tool", "rel:/usr/bin", "/srv/rel/tool");
	assert_found("/srv/", "tool", ".:/usr/bin", "/srv/./tool");
	assert_found("/srv", "tool", ":/usr/bin", "/srv/tool");
	assert_found("/srv", "tool", "/bin/:/usr/bin/", "/usr/bin/tool");
	assert_found("/srv", "nope", "/bin:/usr/bin", NULL);
	/* Not executable, a directory, a link that leads out of the root. */
	assert_found("/srv", "data", "/bin", NULL);
	assert_found("/", "srv", "/", NULL);
	assert_found("/srv", "outside", "/bin", NULL);
	/* Links are followed inside the root, and keep their name. */
	assert_found("/srv", "box", "/bin", "/bin/box");
	assert_found("/srv", "box", "/up", "/up/box");
	assert_found("/srv", "box", "/loop:/bin", "/bin/box");
}

static void no_path_at_all(void **state)
{
	(void)state;
	assert_found("/srv", "tool", NULL, "/srv/tool");
	assert_found("/", "tool", NULL, "/usr/bin/tool");
	assert_found("/", "sh", NULL, "/bin/sh");
	assert_found("/", "nope", NULL, NULL);
}

/* ---- directories ----------------------------------------------------------------------------- */

static void directories_are_made_inside(void **state)
{
	(void)state;
	_cleanup_err_ struct err err = {0};
	struct stat st;
	int fd = rootfs_make_dir(root, "/tmp", 01777, &err);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 01777);
	close(fd);
	fd = rootfs_make_dir(root, "/tmp", 0700, &err);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 01777);
	close(fd);
	/* An absolute link means a place inside. */
	assert_int_equal(symlinkat("/srv", root, "link"), 0);
	fd = rootfs_make_dir(root, "/link/made", 0755, &err);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(fstatat(root, "srv/made", &st, 0), 0);
	assert_int_equal(rootfs_make_dir(root, "/bin/sh", 0755, &err), -1);
	assert_int_equal(rootfs_make_dir(root, "/no/parent", 0755, &err), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_numbers),
		cmocka_unit_test(owner_of_a_path),
		cmocka_unit_test(docker_rule),
		cmocka_unit_test(hostile_etc),
		cmocka_unit_test(exec_lookup),
		cmocka_unit_test(no_path_at_all),
		cmocka_unit_test(directories_are_made_inside),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
