/* SPDX-License-Identifier: Apache-2.0 */
/* One run of one plugin: what it is given, how it may misbehave, what is told of its failure. */
/* LINK: cni base */
/* VALGRIND: no, valgrind does not know pidfd_open(2), by which a plugin is waited for */
#include "unit.h"

#include <signal.h>

#include "base/clock.h"
#include "base/json.h"
#include "cni/plugin.h"
#include "cni/words.h"
#include "cnikit.h"
#include "fdcount.h"

static const struct cni_call plain = {
	.command = "ADD",
	.container = "6b4b8a6c-0d0c-4d1e-8f5e-0a1b2c3d4e5f",
	.netns = "/run/netns/x",
	.ifname = "eth0",
	.dirs = cnikit_dirs,
	.version = CNI_0_4_0,
	.timeout_ms = 20000,
};

static int run_with(const char *body, const struct cni_call *call, char **ret, struct err *err)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_json_ json_t *conf = json_make("{s:s}", "name", "net \"1\"");
	cnikit_plugin("p", body);
	*ret = NULL;
	assert_ok(cni_plugin_find(cnikit_dirs, "p", &path, err), err);
	return cni_plugin_run(path, conf, call, ret, err);
}

static void prints(const char *body, const char *want)
{
	struct err err = {0};
	_cleanup_free_ char *out = NULL;
	assert_ok(run_with(body, &plain, &out, &err), &err);
	assert_string_equal(out, want);
}

static void fails(const char *body, enum err_code code, const char *says)
{
	struct err err = {0};
	_cleanup_free_ char *out = NULL;
	int r = run_with(body, &plain, &out, &err);
	assert_null(strchr(err_msg(&err), '\n'));
	assert_null(strchr(err_msg(&err), '\033'));
	assert_fails(r, &err, code, says);
	assert_null(out);
}

static void the_environment_is_the_specs_and_no_more(void **state)
{
	(void)state;
	struct err err = {0};
	_cleanup_free_ char *out = NULL;
	_cleanup_free_ char *want = xasprintf(
		"CNI_ARGS=IgnoreUnknown=1;IP=1.2.3.4;A=b c\nCNI_COMMAND=DEL\n"
		"CNI_CONTAINERID=6b4b8a6c-0d0c-4d1e-8f5e-0a1b2c3d4e5f\nCNI_IFNAME=eth0\n"
		"CNI_NETNS=\nCNI_PATH=/nonexistent:%s\nCNI_VERSION=0.1.0\n"
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\nPWD=/\n",
		cnikit_dir);
	struct cni_call call = plain;
	call.command = "DEL";
	call.netns = NULL;
	call.args = "IP=1.2.3.4;A=b c";
	call.version = CNI_0_1_0;
	assert_int_equal(setenv("LEAKED", "1", 1), 0);
	/* PWD is the shell's own. */
	assert_ok(run_with("env | grep -v '^_=' | sort", &call, &out, &err), &err);
	assert_string_equal(out, want);
	free(TAKE_PTR(out));
	assert_ok(run_with("env | grep CNI_VERSION || :", &plain, &out, &err), &err);
	assert_string_equal(out, "");
}

static void it_reads_the_conf_and_has_three_descriptors(void **state)
{
	(void)state;
	int leak = fcntl(0, F_DUPFD, 50); /* without CLOEXEC */
	prints("cat", "{\"name\":\"net \\\"1\\\"\"}");
	prints("cat /dev/stdin", "{\"name\":\"net \\\"1\\\"\"}");
	/* The fourth is the directory itself, as ls reads it. */
	prints("ls /proc/self/fd | tr '\\n' ' '", "0 1 2 3 ");
	prints("pwd", "/\n");
	close(leak);
}

/* Whoever ignores its input does not end us, and whoever closes everything is waited for. */
static void it_need_not_read_nor_hold_its_descriptors(void **state)
{
	(void)state;
	prints("exec <&-; echo {}", "{}\n");
	prints("echo {}; exec >&- 2>&-; sleep 0.05", "{}\n");
	fails("exec >&- 2>&- ; sleep 0.05; exit 3", ERR_SYSTEM, "exit status 3");
}

static void signals_are_as_a_fresh_process_has_them(void **state)
{
	(void)state;
	sigset_t set;
	sigset_t before;
	sigfillset(&set);
	signal(SIGPIPE, SIG_IGN);
	sigprocmask(SIG_SETMASK, &set, &before);
	/* posix_spawn of glibc ignores 32 and 33, its own, whatever one says. */
	prints("sed -n 's/180000000$/000000000/; /^Sig[BI]/p' /proc/self/status",
		"SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
	sigprocmask(SIG_SETMASK, &before, NULL);
	signal(SIGPIPE, SIG_DFL);
}

/* A long result comes whole: more than a pipe holds, and as much as is allowed. */
static void long_output_comes_whole(void **state)
{
	(void)state;
	struct err err = {0};
	_cleanup_free_ char *out = NULL;
	assert_ok(run_with("head -c 1048576 /dev/zero | tr '\\0' x", &plain, &out, &err), &err);
	assert_int_equal(strlen(out), CNI_OUTPUT_MAX);
}

static void too_much_output_ends_it(void **state)
{
	(void)state;
	int64_t before = clock_ms();
	fails("head -c 100000000 /dev/zero; touch $D/went-on", ERR_FULL,
		"printed more than 1048576 bytes and was ended");
	assert_true(clock_ms() - before < plain.timeout_ms);
	_cleanup_free_ char *path = xasprintf("%s/went-on", cnikit_dir);
	assert_int_equal(access(path, F_OK), -1);
}

/* The whole group is ended, or the child would hold the pod's namespace. */
static void a_hang_is_ended_with_its_children(void **state)
{
	(void)state;
	struct err err = {0};
	_cleanup_free_ char *out = NULL;
	struct cni_call call = plain;
	call.timeout_ms = 300;
	assert_fails(run_with("trap '' TERM INT HUP; sleep 1000 & echo $! >$D/pid; wait", &call,
			     &out, &err),
		&err, ERR_TIMEOUT, "did not end within 300 ms and was killed");
	_cleanup_free_ char *pid = cnikit_take("pid");
	assert_true(strtol(pid, NULL, 10) > 1);
	/* Killed: it dies when it gets its turn, and is a zombie until init reaps it. */
	_cleanup_free_ char *cmd = xasprintf("for i in $(seq 100); do grep -qs '^State:.[RSD]' "
					     "/proc/%ld/status || exit 0; sleep 0.05; done; exit 1",
		strtol(pid, NULL, 10));
	assert_int_equal(system(cmd), 0);
}

/* A daemon that a plugin leaves holds the pipes: its end is not waited for. */
static void what_it_leaves_running_is_not_waited_for(void **state)
{
	(void)state;
	int64_t before = clock_ms();
	prints("sleep 19 & echo $! >$D/pid; echo {}", "{}\n");
	assert_true(clock_ms() - before < 15000);
	_cleanup_free_ char *pid = cnikit_take("pid");
	assert_int_equal(kill((pid_t)strtol(pid, NULL, 10), SIGKILL), 0);
}

static void its_own_words_are_told_in_one_line(void **state)
{
	(void)state;
	static const struct {
		const char *body;
		enum err_code code;
		const char *says;
	} t[] = {
		{"echo '{\"code\":999,\"msg\":\"no range\",\"details\":\"full\"}'; exit 1",
			ERR_SYSTEM, "no range; full (code 999)"},
		{"echo '{\"cniVersion\":\"0.4.0\",\"code\":11,\"msg\":\"later\"}'; exit 2",
			ERR_SYSTEM, "later (code 11)"},
		{"echo '{\"code\":1,\"msg\":\"incompatible CNI versions\"}'; exit 1",
			ERR_UNSUPPORTED, "incompatible CNI versions (code 1)"},
		{"printf %s '{\"code\":7,\"msg\":\"a\\nb\\u001b[2Jc\\u009bd\"}'; exit 1",
			ERR_SYSTEM, "a b [2Jc  d (code 7)"},
		{"echo one >&2; printf 'two\\033[0m\\n\\n' >&2; exit 4", ERR_SYSTEM,
			"exit status 4: two [0m"},
		{"echo why >&2; echo garbage; exit 4", ERR_SYSTEM,
			"exit status 4, and what it printed is garbage, not a CNI error: why"},
		{"echo '{\"code\":7}'; exit 1", ERR_SYSTEM, "exit status 1, and what it printed"},
		{"echo '[]'; exit 1", ERR_SYSTEM, "exit status 1, and what it printed"},
		{"exit 255", ERR_SYSTEM, "exit status 255"},
		{"kill -TERM $$", ERR_SYSTEM, "ended by signal 15"},
		{"printf '{\"code\":3,\"msg\":\"%02000d\"}' 5; exit 1", ERR_SYSTEM,
			"00... (code 3)"},
	};
	for (size_t i = 0; i < sizeof t / sizeof *t; i++)
		fails(t[i].body, t[i].code, t[i].says);
}

static void of_much_stderr_the_end_is_kept(void **state)
{
	(void)state;
	fails("head -c 200001 /dev/zero | tr '\\0' x >&2; echo >&2; echo at last >&2; exit 1",
		ERR_SYSTEM, "exit status 1: at last");
	fails("head -c 200001 /dev/zero | tr '\\0' x >&2; exit 1", ERR_SYSTEM, "xxx...");
	/* In two reads, the second of which pushes out no more than it must. */
	fails("head -c 4090 /dev/zero >&2; printf '\\nthe ' >&2; sleep 0.1; echo reason >&2; exit "
	      "1",
		ERR_SYSTEM, "exit status 1: the reason");
	prints("head -c 200001 /dev/zero >&2; echo {}", "{}\n");
}

static void a_plugin_is_the_first_executable_file_of_its_name(void **state)
{
	(void)state;
	struct err err = {0};
	_cleanup_free_ char *path = NULL;
	_cleanup_free_ char *want = xasprintf("%s/q", cnikit_dir);
	_cleanup_free_ char *sub = xasprintf("%s/sub", cnikit_dir);
	_cleanup_free_ char *in_sub = xasprintf("%s/q", sub);
	const char *dirs[] = {sub, cnikit_dir, NULL};
	cnikit_plugin("q", "exit 0");
	assert_int_equal(mkdir(sub, 0755), 0);
	assert_int_equal(mkdir(in_sub, 0755), 0);
	assert_ok(cni_plugin_find(dirs, "q", &path, &err), &err);
	assert_string_equal(path, want);
	assert_int_equal(chmod(want, 0644), 0);
	assert_fails(cni_plugin_find(dirs, "q", &(char *){NULL}, &err), &err, ERR_NOTFOUND,
		"plugin \"q\" is in none of ");
	assert_fails(cni_plugin_find(cnikit_dirs, "absent", &(char *){NULL}, &err), &err,
		ERR_NOTFOUND, "containernetworking-plugins");
	assert_int_equal(rmdir(in_sub), 0);
	assert_int_equal(rmdir(sub), 0);
}

static void what_cannot_be_started_is_said(void **state)
{
	(void)state;
	struct err err = {0};
	char *out = NULL;
	_cleanup_json_ json_t *conf = json_object();
	assert_fails(cni_plugin_run("/nonexistent/p", conf, &plain, &out, &err), &err, ERR_NOTFOUND,
		"start /nonexistent/p: No such file");
}

static void words_are_made_harmless(void **state)
{
	(void)state;
	static const char *const t[][2] = {{"", ""}, {"abc", "abc"}, {"a\tb\r\n\177", "a b   "},
		{"\xc3\xa4", "\xc3\xa4"}, {"\xc2\x9b", "  "}, {"\xc2", "\xc2"},
		{"123456789", "12345678..."}};
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		_cleanup_free_ char *s = cni_harmless(t[i][0], strlen(t[i][0]), 8);
		assert_string_equal(s, t[i][1]);
	}
	size_t len = strlen("a\nbc\n\n ");
	const char *line = cni_last_line("a\nbc\n\n ", &len);
	assert_int_equal(len, 2);
	assert_memory_equal(line, "bc", 2);
	len = 0;
	assert_non_null(cni_last_line("", &len));
	assert_int_equal(len, 0);
}

static const struct CMUnitTest tests[] = {
	fd_counted(the_environment_is_the_specs_and_no_more),
	fd_counted(it_reads_the_conf_and_has_three_descriptors),
	fd_counted(it_need_not_read_nor_hold_its_descriptors),
	fd_counted(signals_are_as_a_fresh_process_has_them),
	fd_counted(long_output_comes_whole),
	fd_counted(too_much_output_ends_it),
	fd_counted(a_hang_is_ended_with_its_children),
	fd_counted(what_it_leaves_running_is_not_waited_for),
	fd_counted(its_own_words_are_told_in_one_line),
	fd_counted(of_much_stderr_the_end_is_kept),
	fd_counted(a_plugin_is_the_first_executable_file_of_its_name),
	fd_counted(what_cannot_be_started_is_said),
	cmocka_unit_test(words_are_made_harmless),
};

UNIT_MAIN(tests, cnikit_setup, cnikit_teardown)
