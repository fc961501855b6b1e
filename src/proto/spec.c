/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks pod specs: see spec.h. The supervisor checks what a client sends, xenpod-init what the
 * supervisor stored; both refuse before anything is done, naming the member that is wrong.
 */
#include "proto/spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/uuid.h"
#include "proto/api.h"
#include "proto/spec_int.h"

#define FILTER_STEP 8 /* sizeof(struct sock_filter), which is the kernel's ABI */

static int check_uuid(const json_t *o, struct err *err)
{
	const char *v = NULL;
	if (json_get_str(o, "uuid", &v, err) < 0)
		return -1;
	return uuid_valid(v) ? 0 : spec_bad(err, "uuid", "a UUID in lower case, 8-4-4-4-12");
}

static int check_apps(const json_t *guest, struct err *err)
{
	json_t *apps = NULL;
	size_t i = 0;
	json_t *app = NULL;
	if (json_get_array(guest, "apps", &apps, err) < 0)
		return -1;
	if (json_array_size(apps) > SPEC_MAX_APPS)
		return err_set(err, ERR_INVALID, "\"apps\": %zu apps, at most %d are possible",
			json_array_size(apps), SPEC_MAX_APPS);
	if (json_array_size(apps) == 0)
		return spec_bad(err, "apps", "at least one app");
	size_t filters = json_array_size(json_object_get(guest, "filters"));
	json_array_foreach (apps, i, app) {
		if (spec_check_app(app, filters, err) < 0)
			return -1;
	}
	return spec_check_unique(apps, "apps", "name", err);
}

static int check_filters(const json_t *guest, struct err *err)
{
	json_t *a = NULL;
	size_t i = 0;
	json_t *v = NULL;
	if (!json_object_get(guest, "filters"))
		return 0;
	if (json_get_array(guest, "filters", &a, err) < 0)
		return -1;
	json_array_foreach (a, i, v) {
		_cleanup_free_ uint8_t *bytes = NULL;
		size_t len = 0;
		const char *text = json_string_value(v);
		if (!text || base64_decode(text, &bytes, &len) < 0 || len == 0 ||
			len % FILTER_STEP || len / FILTER_STEP > SPEC_FILTER_MAX)
			return spec_bad(err, "filters", "an array of seccomp programs in base64");
	}
	return 0;
}

bool spec_hostname_valid(const char *name)
{
	size_t len = strlen(name);
	return len > 0 && len <= SPEC_NAME_MAX && strspn(name, SPEC_TAG_ALPHABET) == len;
}

/* The kernel's limit is 64 (HOST_NAME_MAX); what is in it goes to sethostname(2) as it is. */
static int check_hostname(const json_t *guest, struct err *err)
{
	const char *v = NULL;
	if (json_get_str(guest, "hostname", &v, err) < 0)
		return -1;
	if (!spec_hostname_valid(v))
		return err_set(err, ERR_INVALID, "\"hostname\" is \"%.*s\", which is not a name",
			SPEC_NAME_MAX, v);
	return 0;
}

static int check_machine_id(const json_t *guest, struct err *err)
{
	const char *v = NULL;
	if (json_get_str(guest, "machine_id", &v, err) < 0)
		return -1;
	if (strlen(v) != 32 || strspn(v, "0123456789abcdef") != 32)
		return spec_bad(err, "machine_id", "32 hexadecimal digits in lower case");
	return 0;
}

int spec_check_guest(const json_t *guest, struct err *err)
{
	if (!json_is_object(guest))
		return err_set(err, ERR_INVALID, "the spec must be a JSON object");
	if (spec_check_int(guest, "version", SPEC_VERSION, SPEC_VERSION, err) < 0 ||
		check_uuid(guest, err) < 0 || check_hostname(guest, err) < 0 ||
		check_machine_id(guest, err) < 0 || spec_check_bool_opt(guest, "debug", err) < 0 ||
		spec_check_bool_opt(guest, "streams", err) < 0 ||
		spec_check_int(guest, "grace_ms", 0, SPEC_GRACE_MAX_MS, err) < 0 ||
		check_filters(guest, err) < 0 || spec_check_interfaces(guest, err) < 0)
		return -1;
	/* Absent in a request: the supervisor has not set it yet. */
	if (json_object_get(guest, "generation") &&
		spec_check_int(guest, "generation", 1, INT64_MAX, err) < 0)
		return -1;
	return check_apps(guest, err);
}

static int check_tree(const json_t *tree, struct err *err)
{
	const char *file = json_str_opt(tree, "file", NULL);
	if (!json_is_object(tree))
		return spec_bad(err, "trees", "an array of objects");
	if (spec_check_name(tree, "tag", SPEC_TAG_ALPHABET, err) < 0 ||
		spec_check_bool_opt(tree, "read_only", err) < 0 ||
		spec_check_bool_opt(tree, "recursive", err) < 0 ||
		spec_check_bool_opt(tree, "host", err) < 0)
		return -1;
	if (json_string_length(json_object_get(tree, "tag")) > SPEC_TAG_MAX)
		return err_set(err, ERR_INVALID, "\"tag\" is longer than %d", SPEC_TAG_MAX);
	if (json_object_get(tree, "file") && (!file || !spec_is_entry(file)))
		return spec_bad(err, "file", "the name of a file");
	return 0;
}

static int check_trees(const json_t *request, struct err *err)
{
	json_t *trees = NULL;
	size_t i = 0;
	json_t *tree = NULL;
	if (json_get_array(request, "trees", &trees, err) < 0)
		return -1;
	if (json_array_size(trees) > SPEC_MAX_TREES)
		return err_set(err, ERR_INVALID, "\"trees\": %zu trees, at most %d are possible",
			json_array_size(trees), SPEC_MAX_TREES);
	json_array_foreach (trees, i, tree) {
		if (check_tree(tree, err) < 0)
			return err_wrap(err, "tree %zu", i);
	}
	return spec_check_unique(trees, "trees", "tag", err);
}

static bool tree_has_tag(const json_t *trees, const char *tag)
{
	size_t i = 0;
	json_t *tree = NULL;
	json_array_foreach (trees, i, tree) {
		if (strcmp(json_str_opt(tree, "tag", ""), tag) == 0)
			return true;
	}
	return false;
}

static int check_tags_of(const json_t *trees, const json_t *app, struct err *err)
{
	const char *tag = json_str_opt(app, "tag", "");
	size_t i = 0;
	json_t *mount = NULL;
	if (!tree_has_tag(trees, tag))
		return err_set(err, ERR_INVALID, "no tree has its tag \"%s\"", tag);
	json_array_foreach (json_object_get(app, "mounts"), i, mount) {
		tag = json_str_opt(mount, "tag", "");
		if (!tree_has_tag(trees, tag))
			return err_set(
				err, ERR_INVALID, "mounts %zu: no tree has the tag \"%s\"", i, tag);
	}
	return 0;
}

/* Whatever an app mounts must be among the trees: a guest could only fail later, less clearly. */
static int check_tags(const json_t *request, const json_t *guest, struct err *err)
{
	const json_t *trees = json_object_get(request, "trees");
	size_t i = 0;
	json_t *app = NULL;
	json_array_foreach (json_object_get(guest, "apps"), i, app) {
		if (check_tags_of(trees, app, err) < 0)
			return err_wrap(err, "app \"%s\"", json_str_opt(app, "name", ""));
	}
	return 0;
}

/* Descriptors are told apart by their place alone, so their names must be exactly these. */
static int check_fds(const json_t *request, struct err *err)
{
	static const char *const fixed[] = {
		API_FD_LOCK, API_FD_STATUS, API_FD_KERNEL, API_FD_RAMDISK};
	size_t trees = json_array_size(json_object_get(request, "trees"));
	json_t *fds = NULL;
	if (json_get_array(request, "fds", &fds, err) < 0)
		return -1;
	if (json_array_size(fds) != ARRAY_SIZE(fixed) + trees)
		return err_set(err, ERR_INVALID, "\"fds\" names %zu descriptors, not %zu",
			json_array_size(fds), ARRAY_SIZE(fixed) + trees);
	for (size_t i = 0; i < json_array_size(fds); i++) {
		char tree[32];
		snprintf(tree, sizeof(tree), "tree/%zu", i - ARRAY_SIZE(fixed));
		const char *want = i < ARRAY_SIZE(fixed) ? fixed[i] : tree;
		const char *got = json_string_value(json_array_get(fds, i));
		if (!got || strcmp(got, want) != 0)
			return err_set(
				err, ERR_INVALID, "\"fds\": number %zu must be \"%s\"", i, want);
	}
	return 0;
}

static int check_guest_of(const json_t *request, struct err *err)
{
	json_t *guest = NULL;
	if (json_get_obj(request, "guest", &guest, err) < 0)
		return -1;
	if (spec_check_guest(guest, err) < 0)
		return err_wrap(err, "guest");
	if (strcmp(json_str_opt(guest, "uuid", ""), json_str_opt(request, "uuid", "")) != 0)
		return err_set(err, ERR_INVALID, "guest: \"uuid\" is another than the request's");
	size_t size = json_dumpb(guest, NULL, 0, JSON_COMPACT);
	size_t max = SPEC_SIZE_MAX;
	if (json_object_get(request, "network"))
		max -= SPEC_NET_SIZE_MAX;
	if (size > max)
		return err_set(err, ERR_FULL,
			"the pod is %zu KiB as text, at most %zu KiB are possible; shorten "
			"environments or hosts files, or make it two pods",
			size / 1024, max / 1024);
	return check_tags(request, guest, err);
}

static int check_size(const json_t *request, struct err *err)
{
	if (spec_check_int(request, "memory_kib", SPEC_MEMORY_MIN_KIB, SPEC_MEMORY_MAX_KIB, err) <
			0 ||
		spec_check_int(request, "vcpus", 1, SPEC_VCPUS_MAX, err) < 0)
		return -1;
	if (json_int_opt(request, "memory_kib", 0) % SPEC_MEMORY_STEP_KIB)
		return spec_bad(err, "memory_kib", "whole MiB, a multiple of 1024");
	return 0;
}

static int check_restart(const json_t *request, struct err *err)
{
	static const char *const policies[] = {"never", "on-failure", "always", NULL};
	json_t *restart = NULL;
	if (!json_object_get(request, "restart"))
		return 0;
	if (json_get_obj(request, "restart", &restart, err) < 0)
		return -1;
	if (strcmp(json_str_opt(request, "owner", ""), "xenpod") != 0)
		return err_set(err, ERR_UNSUPPORTED,
			"restart policies are for pods of xenpod run only: who has prepared this "
			"pod has to start it again");
	if (spec_check_word(restart, "policy", policies, err) < 0)
		return err_wrap(err, "restart");
	static const char *const numbers[] = {"limit", "start"};
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if (json_object_get(restart, numbers[i]) &&
			spec_check_int(
				restart, numbers[i], 0, i ? INT32_MAX : SPEC_RESTARTS_MAX, err) < 0)
			return err_wrap(err, "restart");
	return 0;
}

int spec_check_request(const json_t *request, struct err *err)
{
	static const char *const owners[] = {"rkt", "xenpod", NULL};
	static const char *const types[] = {"auto", "pv", "pvh", NULL};
	if (!json_is_object(request))
		return err_set(err, ERR_INVALID, "the request must be a JSON object");
	if (check_uuid(request, err) < 0 || spec_check_text(request, "dir", err) < 0 ||
		spec_check_word(request, "owner", owners, err) < 0 ||
		spec_check_word(request, "type", types, err) < 0 ||
		spec_check_text(request, "net", err) < 0 || check_size(request, err) < 0 ||
		spec_check_network(request, err) < 0 || check_restart(request, err) < 0)
		return -1;
	if (check_trees(request, err) < 0 || check_fds(request, err) < 0)
		return -1;
	return check_guest_of(request, err);
}
