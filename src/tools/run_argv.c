/* SPDX-License-Identifier: Apache-2.0 */
/* Flags of `run`: see run_argv.h. */
#include "tools/run_argv.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "base/json.h"
#include "base/log.h"
#include "tools/run_dns.h"
#include "tools/run_net.h"
#include "tools/stage1.h"
#include "tools/values.h"

#define FILE_NAME "run-flags" /* beside rkt's own files */
#define FILE_MAX  65536

void run_argv_done(struct run_argv *a)
{
	while (a->n)
		free(a->v[--a->n]);
}

static void add(struct run_argv *a, char *arg)
{
	a->v[a->n++] = arg;
}

static void add_late(const struct run_args *args, int version, struct run_argv *ret)
{
	const struct run_dns *dns = &args->dns;
	if (args->hostname && version >= 2)
		add(ret, xasprintf("--hostname=%s", args->hostname));
	else if (args->hostname)
		log_warning("this stage1 (interface version %d) knows no --hostname", version);
	if (!run_dns_is_default(dns) && version >= 4)
		add(ret, xasprintf("--dns-conf-mode=resolv=%s,hosts=%s", dns->resolv,
				 dns->hosts_mode));
	else if (!run_dns_is_default(dns))
		log_warning("this stage1 (interface version %d) knows no --dns-conf-mode", version);
	if (args->insecure && version < 3)
		log_warning(
			"this stage1 (interface version %d) knows no --disable-* flags", version);
	if (version < 3)
		return;
	if (args->insecure & INSECURE_CAPABILITIES)
		add(ret, xstrdup("--disable-capabilities-restriction"));
	if (args->insecure & INSECURE_PATHS)
		add(ret, xstrdup("--disable-paths"));
	if (args->insecure & INSECURE_SECCOMP)
		add(ret, xstrdup("--disable-seccomp"));
}

/* The order of contract 1.2; nothing is emitted that the interface version does not know. */
int run_argv_make(
	struct run_argv *ret, const struct run_args *args, const struct pod *p, struct err *err)
{
	int version;
	if (stage1_interface_version(p, &version, err) < 0)
		return -1;
	if (args->debug)
		add(ret, xstrdup("--debug"));
	_cleanup_free_ char *net = run_net_flag(&args->net);
	add(ret, xasprintf("--net=%s", net));
	if (args->interactive)
		add(ret, xstrdup("--interactive"));
	if (*args->local_config)
		add(ret, xasprintf("--local-config=%s", args->local_config));
	add_late(args, version, ret);
	return 0;
}

/* ---- kept ----------------------------------------------------------------------------------- */

int run_argv_save(const struct run_argv *a, const struct pod *p, struct err *err)
{
	_cleanup_json_ json_t *list = json_array();
	for (size_t i = 0; i < a->n; i++)
		json_array_append_new(list, json_string(a->v[i]));
	_cleanup_free_ char *text = json_text(list);
	return file_write_atomic_at(p->fd, FILE_NAME, text, strlen(text), 0600, err);
}

int run_argv_load(struct run_argv *ret, const struct pod *p, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	if (file_read_at(p->fd, FILE_NAME, FILE_MAX, &text, &len, err) < 0)
		return err_wrap(err, "pod %s was not run with --restart", p->uuid);
	_cleanup_json_ json_t *list = json_loadb(text, len, 0, NULL);
	size_t i;
	json_t *flag;
	if (!json_is_array(list) || json_array_size(list) >= RUN_ARGV_MAX)
		return err_set(
			err, ERR_INVALID, "pod %s: " FILE_NAME " is no list of flags", p->uuid);
	json_array_foreach (list, i, flag) {
		if (json_is_string(flag))
			add(ret, xstrdup(json_string_value(flag)));
	}
	return 0;
}

/* ---- executed ------------------------------------------------------------------------------- */

static int set_env(const struct pod *p, struct err *err)
{
	_cleanup_free_ char *fd = xasprintf("%d", p->fd);
	if (setenv("RKT_LOCK_FD", fd, 1) < 0 || setenv("RKT_SELINUX_CONTEXT", "", 1) < 0 ||
		setenv("RKT_SELINUX_MOUNT_CONTEXT", "", 1) < 0)
		return err_sys(err, "set environment");
	return 0;
}

int run_become(const struct pod *p, const char *path, const struct run_argv *a, struct err *err)
{
	_cleanup_free_ char *entry = NULL;
	if (stage1_entrypoint(p, "run", &entry, err) < 0)
		return -1;
	_cleanup_free_ char *program = xasprintf("%s/stage1/rootfs%s", path, entry);
	_cleanup_free_ char *uuid = xstrdup(p->uuid);
	char *argv[RUN_ARGV_MAX + 3] = {program};
	memcpy(argv + 1, a->v, a->n * sizeof *argv);
	argv[a->n + 1] = uuid;
	if (set_env(p, err) < 0)
		return -1;
	if (chdir(path) < 0)
		return err_sys(err, "change to %s", path);
	if (fd_set_cloexec(p->fd, 0, err) < 0)
		return -1;
	execv(program, argv);
	return err_sys(err, "execute %s", program);
}
