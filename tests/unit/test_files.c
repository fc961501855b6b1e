/* SPDX-License-Identifier: Apache-2.0 */
/* The files that apps are given, and --dns-conf-mode (contract 3.5, 5.6), with an /etc of our own. */
/* LINK: stage1 appc proto base */
#include "unit.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "fdcount.h"
#include "mountns.h"
#include "proto/spec.h"
#include "stage1/files.h"

static int setup(void **state)
{
	if (mountns_setup(state) < 0)
		return -1;
	mountns_tmpfs("/etc");
	mountns_mkdir("stage1");
	mountns_mkdir("stage1/rootfs");
	mountns_mkdir("stage1/rootfs/etc");
	return 0;
}

static void write_inputs(void)
{
	mountns_write(FILES_HOST_RESOLV, "nameserver 192.0.2.1\n");
	mountns_write(FILES_HOST_HOSTS, "127.0.0.1 localhost\n192.0.2.9 host\n");
	mountns_write(FILES_STAGE0_RESOLV, "# rkt\n\nsearch example.org\n");
	mountns_write(FILES_STAGE0_HOSTS, "192.0.2.7 x\n127.0.0.1\tlocalhost lo # us\n::1 lo6");
	mountns_write(FILES_FALLBACK_HOSTS, "127.0.0.1 localhost\n");
}

static int setup_one(void **state)
{
	write_inputs();
	return fd_count_setup(state);
}

/* ---- --dns-conf-mode --------------------------------------------------------------------------- */

static void modes_are_read(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		struct dns want;
	} rows[] = {
		{"resolv=default,hosts=default", {DNS_DEFAULT, DNS_DEFAULT}},
		{"resolv=none,hosts=host", {DNS_NONE, DNS_HOST}},
		{"resolv=host,hosts=stage0", {DNS_HOST, DNS_STAGE0}},
		{"hosts=host,resolv=stage0", {DNS_STAGE0, DNS_HOST}},
		{"resolv=host", {DNS_HOST, DNS_DEFAULT}},
		{"hosts=stage0", {DNS_DEFAULT, DNS_STAGE0}},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct err err = {0};
		struct dns got = {DNS_MAX_, DNS_MAX_};
		assert_ok(dns_parse(rows[i].text, &got, &err), &err);
		if (got.resolv != rows[i].want.resolv || got.hosts != rows[i].want.hosts)
			fail_msg("%s: %d %d", rows[i].text, (int)got.resolv, (int)got.hosts);
	}
}

static void other_modes_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		const char *part; /* what is wrong with it */
	} rows[] = {
		{"", ""},
		{"host", "host"},
		{"resolv", "resolv"},
		{"resolv=", "resolv="},
		{"hosts=", "hosts="},
		{"hosts=none", "hosts=none"},
		{"resolv=Host", "resolv=Host"},
		{"resolv=hosts", "resolv=hosts"},
		{"resolv=host ,hosts=host", "resolv=host "},
		{"resolv=host, hosts=host", " hosts=host"},
		{"resolv=host,", ""},
		{",hosts=host", ""},
		{"resolv=host,search=x", "search=x"},
		{"Resolv=host", "Resolv=host"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct err err = {0};
		struct dns got = {DNS_MAX_, DNS_MAX_};
		_cleanup_free_ char *says = xasprintf("flag --dns-conf-mode: \"%s\" is none of "
						      "resolv=default|none|host|stage0, "
						      "hosts=default|host|stage0",
			rows[i].part);
		assert_fails(dns_parse(rows[i].text, &got, &err), &err, ERR_INVALID, says);
		assert_int_equal(got.resolv, DNS_MAX_);
		assert_int_equal(got.hosts, DNS_MAX_);
	}
}

/* ---- hosts ------------------------------------------------------------------------------------- */

static void the_name_joins_localhost(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		const char *want;
	} rows[] = {
		{"", "127.0.0.1\tpod\n"},
		{"::1 lo", "::1 lo\n127.0.0.1\tpod\n"},
		{"::1 lo\n", "::1 lo\n127.0.0.1\tpod\n"},
		{"127.0.0.1 localhost", "127.0.0.1 localhost pod"},
		{"127.0.0.1\tlocalhost\n", "127.0.0.1\tlocalhost pod\n"},
		{"\n  127.0.0.1 lo\n", "\n  127.0.0.1 lo pod\n"},
		{"127.0.0.1 lo \t\n::1 lo\n", "127.0.0.1 lo pod \t\n::1 lo\n"},
		{"127.0.0.1 lo # us\n", "127.0.0.1 lo pod # us\n"},
		{"127.0.0.1 # us\n", "127.0.0.1 pod # us\n"},
		{"127.0.0.1 a\n127.0.0.1 b\n", "127.0.0.1 a pod\n127.0.0.1 b\n"},
		{"#127.0.0.1 lo\n", "#127.0.0.1 lo\n127.0.0.1\tpod\n"},
		{"127.0.0.11 lo\n", "127.0.0.11 lo\n127.0.0.1\tpod\n"},
		{"127.0.0.1\n", "127.0.0.1\n127.0.0.1\tpod\n"},
		{"x 127.0.0.1 lo\n", "x 127.0.0.1 lo\n127.0.0.1\tpod\n"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		_cleanup_free_ char *got = files_add_name(rows[i].text, "pod");
		assert_string_equal(got, rows[i].want);
	}
}

/* ---- what apps get ----------------------------------------------------------------------------- */

static json_t *guest_make(void)
{
	return json_make("{s:s, s:s, s:[{s:s}, {s:s}]}", "hostname", "pod", "machine_id",
		"0123456789abcdef0123456789abcdef", "apps", "name", "a", "name", "b");
}

/* "path=text;" of each, with a ? where it is only for who has none. */
static void render(const json_t *app, char *ret, size_t size)
{
	size_t i;
	json_t *o;
	size_t n = 0;
	json_array_foreach (json_object_get(app, "files"), i, o) {
		n += (size_t)snprintf(ret + n, size - n, "%s%s=%s;", json_str_opt(o, "path", ""),
			json_bool_opt(o, "if_absent", true) ? "?" : "",
			json_str_opt(o, "text", ""));
	}
}

#define OWN  "/etc/hostname=pod\n;/etc/machine-id=0123456789abcdef0123456789abcdef\n;"
#define DFLT "/etc/hosts?=127.0.0.1 localhost\n127.0.0.1\tpod\n;"

static void files_are_the_contracts(void **state)
{
	(void)state;
	static const struct {
		struct dns dns;
		const char *want;
	} rows[] = {
		{{0}, OWN DFLT},
		{{DNS_NONE, DNS_DEFAULT}, OWN DFLT},
		{{DNS_HOST, DNS_DEFAULT}, OWN "/etc/resolv.conf=nameserver 192.0.2.1\n;" DFLT},
		{{DNS_STAGE0, DNS_DEFAULT},
			OWN "/etc/resolv.conf=# rkt\n\nsearch example.org\n;" DFLT},
		{{DNS_NONE, DNS_HOST}, OWN "/etc/hosts=127.0.0.1 localhost\n192.0.2.9 host\n;"},
		{{DNS_NONE, DNS_STAGE0},
			OWN "/etc/hosts=192.0.2.7 x\n127.0.0.1\tlocalhost lo pod # us\n::1 lo6;"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct err err = {0};
		_cleanup_json_ json_t *guest = guest_make();
		assert_ok(files_describe(&rows[i].dns, guest, &err), &err);
		for (size_t app = 0; app < 2; app++) {
			char got[1024] = "";
			render(json_array_get(json_object_get(guest, "apps"), app), got,
				sizeof got);
			assert_string_equal(got, rows[i].want);
		}
	}
}

static const struct input {
	struct dns dns;
	const char *path;
	const char *mode;
} inputs[] = {
	{{DNS_HOST, DNS_DEFAULT}, FILES_HOST_RESOLV, "resolv=host"},
	{{DNS_STAGE0, DNS_DEFAULT}, FILES_STAGE0_RESOLV, "resolv=stage0"},
	{{DNS_DEFAULT, DNS_DEFAULT}, FILES_FALLBACK_HOSTS, "hosts=default"},
	{{DNS_DEFAULT, DNS_HOST}, FILES_HOST_HOSTS, "hosts=host"},
	{{DNS_DEFAULT, DNS_STAGE0}, FILES_STAGE0_HOSTS, "hosts=stage0"},
};

/* Each input is needed by its own mode; apps are not given half of their files. */
static void refused(const struct input *in, enum err_code code, const char *says)
{
	struct err err = {0};
	_cleanup_json_ json_t *guest = guest_make();
	_cleanup_json_ json_t *before = json_deep_copy(guest);
	_cleanup_free_ char *start = xasprintf("--dns-conf-mode: %s: ", in->mode);
	assert_int_equal(files_describe(&in->dns, guest, &err), -1);
	assert_int_equal(strncmp(err_msg(&err), start, strlen(start)), 0);
	assert_non_null(strstr(err_msg(&err), in->path));
	assert_null(strchr(err_msg(&err), '\n'));
	assert_err(&err, code, says);
	assert_true(json_equal(guest, before));
}

static void a_missing_input_is_one_clear_error(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
		assert_int_equal(unlink(inputs[i].path), 0);
		refused(&inputs[i], ERR_NOTFOUND, "No such file or directory");
		write_inputs();
	}
}

static void what_nobody_asked_for_may_be_missing(void **state)
{
	(void)state;
	struct err err = {0};
	const struct dns dns = {DNS_DEFAULT, DNS_DEFAULT};
	_cleanup_json_ json_t *guest = guest_make();
	assert_int_equal(unlink(FILES_HOST_RESOLV), 0);
	assert_int_equal(unlink(FILES_STAGE0_RESOLV), 0);
	assert_int_equal(unlink(FILES_HOST_HOSTS), 0);
	assert_int_equal(unlink(FILES_STAGE0_HOSTS), 0);
	assert_ok(files_describe(&dns, guest, &err), &err);
}

static void only_text_is_taken(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
		mountns_write(inputs[i].path, "127.0.0.1 caf\xe9\n");
		refused(&inputs[i], ERR_INVALID, "is not UTF-8 text");
		_cleanup_fd_ int fd = open(inputs[i].path, O_WRONLY | O_TRUNC | O_CLOEXEC);
		assert_int_equal(write(fd, "a\0b\n", 4), 4);
		refused(&inputs[i], ERR_INVALID, "is not UTF-8 text");
		write_inputs();
	}
}

/* As the guest would, but by its name. */
static void large_files_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
		_cleanup_free_ char *text = xmalloc(SPEC_FILE_MAX + 2);
		memset(text, '#', SPEC_FILE_MAX + 1);
		text[SPEC_FILE_MAX + 1] = '\0';
		mountns_write(inputs[i].path, text);
		refused(&inputs[i], ERR_FULL, "is larger than");
		write_inputs();
	}
}

#define files_test(f) cmocka_unit_test_setup_teardown(f, setup_one, fd_count_teardown)

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(modes_are_read),
	cmocka_unit_test(other_modes_are_refused),
	cmocka_unit_test(the_name_joins_localhost),
	files_test(files_are_the_contracts),
	files_test(a_missing_input_is_one_clear_error),
	files_test(what_nobody_asked_for_may_be_missing),
	files_test(only_text_is_taken),
	files_test(large_files_are_refused),
};

UNIT_MAIN(tests, setup, mountns_teardown)
