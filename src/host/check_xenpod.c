/* SPDX-License-Identifier: Apache-2.0 */
/* Ours: the supervisor, what starts it, and rkt beside it. */
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "host/check.h"
#include "host/check_parse.h"
#include "host/exec.h"
#include "proto/api.h"

void check_manager(struct doctor *d, struct finding *f)
{
	if (doctor_has(d, "/run/systemd/system"))
		finding_ok(f, "systemd");
	else if (doctor_has(d, "/etc/service"))
		finding_ok(f, "runit: xenpodd needs a service there, units are not used");
	else
		finding_ok(f, "not systemd: xenpodd has to be started otherwise");
}

static char *todo_of(const struct doctor *d)
{
	const bool systemd = doctor_has(d, "/run/systemd/system");
	if (doctor_has(d, "/etc/service/xenpodd"))
		return xstrdup("sv start xenpodd");
	if (systemd && doctor_has_unit(d, "xenpodd"))
		return xstrdup("systemctl enable --now xenpod-admin.socket xenpod-status.socket "
			       "xenpodd.service");
	if (systemd || doctor_has(d, "/etc/service"))
		return xstrdup("xenpod host services setup --xenpodd");
	return xstrdup("start xenpodd as root");
}

/* Asked of xenpod-status, which ends when it is told to: a stopped supervisor keeps its socket. */
static int health(const struct doctor *d, json_t **ret, struct err *err)
{
	_cleanup_free_ char *own =
		exec_exists("xenpod-status") ? NULL : doctor_own_program("xenpod-status");
	const char *const argv[] = {own ? own : "xenpod-status", "--health", "--json", NULL};
	const struct exec e = {.argv = argv, .timeout_ms = d->timeout_ms};
	_cleanup_free_ char *text = NULL;
	if (exec_run(&e, &text, NULL, err) < 0)
		return -1;
	*ret = json_parse(text, strlen(text), "xenpod-status --health", err);
	return *ret ? 0 : -1;
}

static void judge(struct finding *f, const json_t *h)
{
	const char *store = json_str_opt(h, "store_error", "");
	const char *version =
		json_str_opt(json_object_get(h, "supervisor"), "version", "of no version");
	if (*store) {
		finding_bad(f, FINDING_FAIL, "it cannot write its database: %s", store);
		finding_todo(f, "df -h " API_STATE_DIR "; xenpod fsck");
	} else if (!json_bool_opt(h, "xen_seen", false)) {
		finding_bad(f, FINDING_FAIL, "it does not see Xen: %s",
			json_str_opt(h, "degraded", "it does not say why"));
		finding_todo(f, "journalctl -u xenpodd -n 50");
	} else {
		finding_ok(f, "xenpodd %s answers and sees Xen", version);
	}
}

static void not_there(struct doctor *d, struct finding *f)
{
	_cleanup_free_ char *sockets = doctor_read(d, "/proc/net/unix");
	bool listens = sockets && unix_listens(sockets, API_SOCKET_STATUS);
	_cleanup_free_ char *todo = todo_of(d);
	if (listens) {
		finding_bad(f, FINDING_WARN, "it does not run; the first request starts it");
		finding_todo(f, "systemctl start xenpodd");
	} else {
		finding_bad(f, FINDING_FAIL, "it does not run, and nobody listens for it");
		finding_todo(f, "%s", todo);
	}
}

void check_supervisor(struct doctor *d, struct finding *f)
{
	static const char *const names[] = {"xenpodd", NULL};
	_cleanup_err_ struct err err = {0};
	_cleanup_json_ json_t *h = NULL;
	struct process p;
	if (!doctor_process(d, names, NULL, NULL, &p)) {
		not_there(d, f);
	} else if (p.state == 'T') {
		finding_bad(f, FINDING_FAIL, "process %d has been stopped", (int)p.pid);
		finding_todo(f, "kill -CONT %d", (int)p.pid);
	} else if (health(d, &h, &err) == 0) {
		judge(f, h);
	} else {
		finding_bad(f, FINDING_FAIL, "it runs, but does not answer: %s", err_msg(&err));
		finding_todo(
			f, "journalctl -u xenpodd -n 50; systemctl restart xenpodd (pods go on)");
	}
}

void check_rkt(struct doctor *d, struct finding *f)
{
	(void)d;
	finding_ok(f, exec_exists("rkt") ? "in $PATH" : "not there; xenpod run needs none");
}
