/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes on Dom-0's side, from manifests to trees, in a mount namespace of the test's own. */
/* LINK: stage1 appc proto base */
/* VALGRIND: no, valgrind does not know open_tree(2) */
#include "unit.h"

#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/log.h"
#include "mountns.h"
#include "stage1/volumes.h"

static void silent(enum log_level level, const char *msg, const struct log_field *f, size_t n)
{
	(void)level;
	(void)msg;
	(void)f;
	(void)n;
}

static void make_socket(const char *path)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	strncpy(sa.sun_path, path, sizeof sa.sun_path - 1);
	_cleanup_fd_ int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s, (struct sockaddr *)&sa, sizeof sa), 0);
}

#define POD_DIR "data/pods/run/pod" /* as rkt and xenpod lay it out: contract 2 */

/* As `run` does it, with the pod directory as its own. */
static int plan(const struct poddir *d, struct volumes *v, struct err *err)
{
	assert_int_equal(chdir(POD_DIR), 0);
	int r = volumes_plan(d, v, err);
	assert_int_equal(chdir(mountns_dir), 0);
	return r;
}

static int setup(void **state)
{
	log_set_sink(silent);
	if (mountns_setup(state) < 0)
		return -1;
	mountns_mkdir("d");
	mountns_mkdir("d/m");
	mountns_tmpfs("d/m");
	mountns_mkdir("d/m/n");
	mountns_tmpfs("d/m/n");
	mountns_write("d/m/n/deep", "deep");
	mountns_mkdir("d/hidden");
	mountns_tmpfs("d/hidden");
	mountns_write("d/hidden/below", "");
	mountns_tmpfs("d/hidden");
	mountns_mkdir("plain");
	mountns_mkdir("f");
	mountns_write("f/file", "text");
	mountns_write("f/over", "");
	mountns_mkdir("many");
	make_socket("sock");
	if (mkfifo("fifo", 0600) < 0 || mknod("dev", S_IFCHR | 0600, makedev(1, 3)) < 0 ||
		symlink("d", "link") < 0)
		return -1;
	for (const char *const *dir = (const char *const[]){"data", "data/cas", "data/pods",
		     "data/pods/run", POD_DIR, NULL};
		*dir; dir++)
		mountns_mkdir(*dir);
	return mount("f/file", "f/over", NULL, MS_BIND, NULL);
}

struct pod {
	struct poddir d;
	struct poddir_app apps[2];
};

/* Each `$` of the text becomes `with`; caller frees. */
static char *expanded(const char *text, const char *with)
{
	char *ret = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&ret, &len);
	assert_non_null(f);
	for (; *text; text++) {
		if (*text == '$')
			fputs(with, f);
		else
			fputc(*text, f);
	}
	assert_int_equal(fclose(f), 0);
	return ret;
}

/* APPS is an array, VOLUMES what follows; $ is the directory of the sources. */
static void pod_make(struct pod *p, const char *volumes, const char *apps)
{
	struct err err = {0};
	char text[4096];
	snprintf(text, sizeof text, "{\"acKind\":\"PodManifest\",\"volumes\":[%s],\"apps\":[%s]}",
		volumes, apps);
	_cleanup_free_ char *whole = expanded(text, mountns_dir);
	*p = (struct pod){0};
	assert_ok(appc_pod_parse(whole, strlen(whole), &p->d.pod, &err), &err);
	p->d.apps = p->apps;
	p->d.napps = p->d.pod.napps;
	for (size_t i = 0; i < p->d.napps; i++) {
		p->apps[i].pod = &p->d.pod.apps[i];
		p->apps[i].app = &p->d.pod.apps[i].app;
	}
}

static void pod_done(struct pod *p)
{
	for (size_t i = 0; i < p->d.napps; i++)
		appc_image_done(&p->apps[i].image);
	appc_pod_done(&p->d.pod);
}

/* "path tag sub rw" of each mount, and "tag[=file] rw" of each tree beside the apps'. */
static void render(const json_t *request, size_t app, char *ret, size_t size)
{
	size_t i;
	json_t *o;
	size_t n = 0;
	const json_t *apps = json_object_get(json_object_get(request, "guest"), "apps");
	*ret = '\0';
	json_array_foreach (json_object_get(json_array_get(apps, app), "mounts"), i, o) {
		n += (size_t)snprintf(ret + n, size - n, "%s %s/%s %s; ",
			json_str_opt(o, "path", ""), json_str_opt(o, "tag", ""),
			json_str_opt(o, "sub", "?"),
			json_bool_opt(o, "read_only", false) ? "ro" : "rw");
	}
	json_array_foreach (json_object_get(request, "trees"), i, o) {
		n += (size_t)snprintf(ret + n, size - n, "[%s%s%s %s]", json_str_opt(o, "tag", ""),
			json_object_get(o, "file") ? "=" : "", json_str_opt(o, "file", ""),
			json_bool_opt(o, "read_only", false) ? "ro" : "rw");
	}
}

#define APP(name, points, mounts)                                                                  \
	"{\"name\":\"" name "\",\"mounts\":[" mounts                                               \
	"],\"app\":{\"exec\":[\"x\"],\"user\":\"0\",\"group\":\"0\",\"mountPoints\":[" points      \
	"]}}"
#define H(name, source, rest)                                                                      \
	"{\"name\":\"" name "\",\"kind\":\"host\",\"source\":\"$/" source "\"" rest "}"
#define E(name, rest)     "{\"name\":\"" name "\",\"kind\":\"empty\"" rest "}"
#define M(name, path)     "{\"volume\":\"" name "\",\"path\":\"" path "\"}"
#define P(name, path, ro) "{\"name\":\"" name "\",\"path\":\"" path "\",\"readOnly\":" ro "}"
#define RO                ",\"readOnly\":true"
#define RW                ",\"readOnly\":false"
#define FLAT              ",\"recursive\":false"

static const struct row {
	const char *volumes;
	const char *apps;
	const char *want; /* of the first app */
} rows[] = {
	{"", APP("a", "", ""), ""},
	{H("v", "plain", ""), APP("a", "", ""), ""}, /* nobody wants it */
	{H("v", "nosuch", ""), APP("a", "", ""), ""},
	{H("v", "plain", ""), APP("a", "", M("v", "/x/../y/")), "/y vol0/ rw; [vol0 rw]"},
	{H("v", "plain", ""), APP("a", P("v", "/p", "false"), ""), "/p vol0/ rw; [vol0 rw]"},
	{H("v", "plain", ""), APP("a", P("v", "/p", "true"), ""), "/p vol0/ ro; [vol0 ro]"},
	{H("v", "plain", RW), APP("a", P("v", "/p", "true"), ""), "/p vol0/ rw; [vol0 rw]"},
	{H("v", "plain", RO), APP("a", P("v", "/p", "false"), ""), "/p vol0/ ro; [vol0 ro]"},
	/* a mount takes the word of the mount point that has its volume's name, wherever that is */
	{H("v", "plain", ""), APP("a", P("v", "/p", "true"), M("v", "/q")),
		"/q vol0/ ro; /p vol0/ ro; [vol0 ro]"},
	{H("v", "plain", ""), APP("a", P("w", "/q", "true"), M("v", "/q")),
		"/q vol0/ rw; [vol0 rw]"},
	/* read-only for the one, writable for the other: so is the tree */
	{H("v", "plain", ""), APP("a", P("v", "/p", "true"), "") "," APP("b", "", M("v", "/z")),
		"/p vol0/ ro; [vol0 rw]"},
	/* one source, two names */
	{H("v", "plain", "") "," H("w", "plain", ""), APP("a", "", M("v", "/1") "," M("w", "/2")),
		"/1 vol0/ rw; /2 vol0/ rw; [vol0 rw]"},
	{H("v", "f/file", ""), APP("a", "", M("v", "/etc/f")),
		"/etc/f vol0/file rw; [vol0=file rw]"},
	{H("v", "f/file", RO), APP("a", "", M("v", "/g")), "/g vol0/file ro; [vol0=file ro]"},
	{H("v", "d", FLAT), APP("a", "", M("v", "/x")), "/x vol0/ rw; [vol0 rw]"},
	{H("v", "d", ""), APP("a", "", M("v", "/x")),
		"/x vol0/ rw; /x/m vol1/ rw; /x/hidden vol3/ rw; /x/m/n vol2/ rw; "
		"[vol0 rw][vol1 rw][vol2 rw][vol3 rw]"},
	{H("v", "link", RO), APP("a", "", M("v", "/x")),
		"/x vol0/ ro; /x/m vol1/ ro; /x/hidden vol3/ ro; /x/m/n vol2/ ro; "
		"[vol0 ro][vol1 ro][vol2 ro][vol3 ro]"},
	/* what the manifest puts there lies over what a volume brought along */
	{H("v", "d/m", "") "," H("w", "plain", ""), APP("a", "", M("w", "/x/n") "," M("v", "/x")),
		"/x vol1/ rw; /x/n vol2/ rw; /x/n vol0/ rw; [vol0 rw][vol1 rw][vol2 rw]"},
	{H("v", "f", FLAT), APP("a", "", M("v", "/x")), "/x vol0/ rw; [vol0 rw]"},
	{E("e", ""), APP("a", "", M("e", "/e")), "/e shared/e rw; [shared rw]"},
	{E("e", RO), APP("a", "", M("e", "/e")), "/e shared/e ro; [shared ro]"},
	{E("e", RO) "," E("g", ""), APP("a", "", M("e", "/e")) "," APP("b", "", M("g", "/g")),
		"/e shared/e ro; [shared rw]"},
	{"", APP("a", P("data", "/d", "false"), ""), "/d shared/a-data rw; [shared rw]"},
	{"", APP("a", P("data", "/d", "true"), ""), "/d shared/a-data ro; [shared ro]"},
	{H("v", "plain", "") "," E("e", ""),
		APP("a", "", M("e", "/e/f/g") "," M("v", "/e/f") "," M("e", "/e")),
		"/e shared/e rw; /e/f vol0/ rw; /e/f/g shared/e rw; [vol0 rw][shared rw]"},
	{"",
		APP("a", "",
			"{\"volume\":\"x\",\"path\":\"/x\",\"appVolume\":" H(
				"own", "plain", RO) "}"),
		"/x vol0/ ro; [vol0 ro]"},
};

static void the_list_is_the_contracts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char got[1024];
		struct err err = {0};
		struct pod p;
		struct volumes v = {0};
		pod_make(&p, rows[i].volumes, rows[i].apps);
		_cleanup_json_ json_t *request =
			json_make("{s:[], s:{s:[{},{}]}}", "trees", "guest", "apps");
		assert_ok(plan(&p.d, &v, &err), &err);
		volumes_describe(&v, request);
		render(request, 0, got, sizeof got);
		if (strcmp(got, rows[i].want) != 0)
			fail_msg("row %zu:\n want %s\n got  %s", i, rows[i].want, got);
		volumes_done(&v);
		pod_done(&p);
	}
}

static const struct refused {
	const char *volumes;
	const char *apps;
	const char *says;
} refused[] = {
	{"", APP("a", "", M("v", "/x")), "app a: there is no volume v to mount on /x"},
	{H("v", "nosuch", ""), APP("a", "", M("v", "/x")), "app a: volume v: its source /tmp"},
	{H("v", "nosuch", ""), APP("a", "", M("v", "/x")), "nosuch does not exist"},
	{H("v", "sock", ""), APP("a", "", M("v", "/x")), "sock is a socket"},
	{H("v", "fifo", ""), APP("a", "", M("v", "/x")), "fifo is a FIFO"},
	{H("v", "dev", ""), APP("a", "", M("v", "/x")), "dev is a device"},
	{H("v", "f", ""), APP("a", "", M("v", "/x")), "f/over is mounted"},
	{H("v", "f", ""), APP("a", "", M("v", "/x")), "recursive=false"},
	{H("v", "f/file/x", ""), APP("a", "", M("v", "/x")), "Not a directory"},
};

static void what_cannot_be_exported_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		struct err err = {0};
		struct pod p;
		struct volumes v = {0};
		pod_make(&p, refused[i].volumes, refused[i].apps);
		assert_int_equal(plan(&p.d, &v, &err), -1);
		if (!strstr(err_msg(&err), refused[i].says))
			fail_msg("row %zu: %s", i, err_msg(&err));
		err_done(&err);
		pod_done(&p);
	}
}

static void too_many_file_systems_are_refused(void **state)
{
	(void)state;
	struct err err = {0};
	struct pod p;
	struct volumes v = {0};
	for (int i = 0; i < SPEC_MAX_TREES; i++) {
		char path[64];
		snprintf(path, sizeof path, "many/%d", i);
		mountns_mkdir(path);
		mountns_tmpfs(path);
	}
	pod_make(&p, H("v", "many", ""), APP("a", "", M("v", "/x")));
	assert_fails(plan(&p.d, &v, &err), &err, ERR_UNSUPPORTED,
		"of volume v: give it recursive=false");
	pod_done(&p);
}

static void clones_are_what_was_looked_at(void **state)
{
	(void)state;
	struct err err = {0};
	struct pod p;
	struct volumes v = {0};
	struct handover h = HANDOVER_NONE;
	_cleanup_fd_ int pod = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	pod_make(&p,
		H("v", "d", "") "," H("w", "f/file", "") "," E(
			"e", ",\"mode\":\"1751\",\"uid\":7,\"gid\":8"),
		APP("a", "", M("v", "/x") "," M("w", "/w") "," M("e", "/e")));
	assert_ok(plan(&p.d, &v, &err), &err);
	assert_int_equal(rename("d", "moved"), 0);
	mountns_mkdir("d");
	umask(077);
	assert_ok(volumes_hand_over(&v, &p.d, pod, &h, &err), &err);
	umask(022);
	assert_int_equal(h.ntrees, volumes_count(&v));
	assert_int_equal(h.ntrees, 6);
	assert_int_equal(faccessat(h.trees[0], "m", F_OK, 0), 0);
	assert_int_equal(faccessat(h.trees[0], "m/n", F_OK, 0), -1);
	mountns_reads(h.trees[2], "deep", "deep");
	assert_int_equal(faccessat(h.trees[3], "below", F_OK, 0), -1);
	struct stat st;
	assert_int_equal(fstat(h.trees[4], &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(fstatat(h.trees[5], "e", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 01751);
	assert_int_equal(st.st_uid, 7);
	assert_int_equal(st.st_gid, 8);
	assert_int_equal(stat("sharedVolumes", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	handover_done(&h);
	volumes_done(&v);
	pod_done(&p);
	assert_int_equal(rmdir("d"), 0);
	assert_int_equal(rename("moved", "d"), 0);
}

/* What was there before is somebody's, and stays. */
static void what_was_made_can_be_undone(void **state)
{
	(void)state;
	for (int before = 0; before < 2; before++) {
		struct err err = {0};
		struct pod p;
		struct volumes v = {0};
		struct handover h = HANDOVER_NONE;
		mountns_mkdir("undo");
		if (before) {
			mountns_mkdir("undo/sharedVolumes");
			mountns_mkdir("undo/sharedVolumes/old");
			mountns_write("undo/sharedVolumes/old/file", "");
		}
		h.lock = open("undo", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		pod_make(&p, E("old", "") "," E("new", ""),
			APP("a", "", M("old", "/o") "," M("new", "/n")));
		assert_ok(plan(&p.d, &v, &err), &err);
		assert_ok(volumes_hand_over(&v, &p.d, h.lock, &h, &err), &err);
		mountns_write("undo/sharedVolumes/new/file", "");
		handover_undo(&h);
		assert_int_equal(access("undo/sharedVolumes/new", F_OK), -1);
		assert_int_equal(access("undo/sharedVolumes/old/file", F_OK), before ? 0 : -1);
		assert_int_equal(access("undo/sharedVolumes", F_OK), before ? 0 : -1);
		handover_done(&h);
		volumes_done(&v);
		pod_done(&p);
		assert_int_equal(rename("undo", before ? "undone1" : "undone0"), 0);
	}
}

static void assert_own(const char *source, const char *more, const char *says)
{
	struct err err = {0};
	struct pod p;
	struct volumes v = {0};
	char volume[256];
	snprintf(volume, sizeof volume,
		"{\"name\":\"v\",\"kind\":\"host\",\"source\":\"%s\",\"recursive\":false%s}",
		source, more);
	pod_make(&p, volume, APP("a", "", M("v", "/x")));
	if (says)
		assert_fails(plan(&p.d, &v, &err), &err, ERR_UNSUPPORTED, says);
	else
		assert_ok(plan(&p.d, &v, &err), &err);
	volumes_done(&v);
	pod_done(&p);
}

/* The host runs hooks from the pod directory and from the tree store (design, "Trees in"). */
static void what_the_host_runs_is_not_given_writable(void **state)
{
	(void)state;
	static const char *const own[] = {
		"/", "$", "$/data", "$/data/cas", "$/data/pods", ("$/" POD_DIR)};
	for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
		assert_own(own[i], "", "volume v: its source");
		assert_own(own[i], ",\"readOnly\":true", NULL);
	}
	assert_own("$/plain", "", NULL);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(the_list_is_the_contracts),
	cmocka_unit_test(what_cannot_be_exported_is_refused),
	cmocka_unit_test(too_many_file_systems_are_refused),
	cmocka_unit_test(clones_are_what_was_looked_at),
	cmocka_unit_test(what_was_made_can_be_undone),
	cmocka_unit_test(what_the_host_runs_is_not_given_writable),
};

UNIT_MAIN(tests, setup, mountns_teardown)
