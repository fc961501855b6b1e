/* SPDX-License-Identifier: Apache-2.0 */
/* Varlink messages on a stream socket, queueing and clients' blocking calls: see varlink.h. */
#include "base/varlink.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fdpass.h"
#include "base/json.h"

#define ERROR_PREFIX "io.xenpod."

struct outmsg {
	struct outmsg *next;
	struct fds fds; /* dup'ed; sent with the first byte */
	size_t len;
	size_t sent;
	char text[];
};

struct varlink {
	int sock;
	char *in;
	size_t in_len;
	size_t in_cap;
	size_t scanned; /* bytes known to hold no NUL: keeps a slow sender linear */
	struct fds in_fds;
	struct outmsg *out;
	struct outmsg **out_tail;
	size_t out_bytes;
};

struct varlink *varlink_new(int sock)
{
	struct varlink *v = xcalloc(1, sizeof *v);
	v->sock = sock;
	v->out_tail = &v->out;
	return v;
}

static void outmsg_free(struct outmsg *m)
{
	fds_done(&m->fds);
	free(m);
}

void varlink_free(struct varlink *v)
{
	if (!v)
		return;
	while (v->out) {
		struct outmsg *m = v->out;
		v->out = m->next;
		outmsg_free(m);
	}
	fds_done(&v->in_fds);
	fd_close(&v->sock);
	free(v->in);
	free(v);
}

void varlink_freep(struct varlink **v)
{
	varlink_free(*v);
	*v = NULL;
}

int varlink_fd(const struct varlink *v)
{
	return v->sock;
}

/* Its unit starts nothing on a host that Xen has not booted; elsewhere one is of the simulated world. */
static int not_there(const char *path, struct err *err)
{
	if (!strncmp(path, "/run/", strlen("/run/")) && access("/proc/xen", F_OK) < 0)
		return err_set(err, ERR_UNAVAILABLE,
			"the supervisor does not answer at %s: this host does not run under Xen "
			"(see: "
			"xenpod host check)",
			path);
	return err_set(err, ERR_UNAVAILABLE,
		"the supervisor does not answer at %s; start it: systemctl start xenpodd", path);
}

struct varlink *varlink_connect(const char *path, struct err *err)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof sa.sun_path) {
		err_set(err, ERR_INVALID, "socket path %s is too long", path);
		return NULL;
	}
	memcpy(sa.sun_path, path, strlen(path));
	_cleanup_fd_ int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s < 0) {
		err_sys(err, "socket");
		return NULL;
	}
	if (connect(s, (struct sockaddr *)&sa, sizeof sa) == 0)
		return varlink_new(TAKE_FD(s));
	if (errno == EACCES || errno == EPERM)
		err_set(err, ERR_DENIED, "not permitted to talk to the supervisor at %s", path);
	else if (errno == ENOENT || errno == ECONNREFUSED)
		not_there(path, err);
	else
		err_sys(err, "connect to the supervisor at %s", path);
	return NULL;
}

int varlink_fill(struct varlink *v, struct err *err)
{
	if (v->in_len > VARLINK_MAX)
		return err_set(err, ERR_FULL, "message over the limit of %d bytes", VARLINK_MAX);
	if (v->in_cap - v->in_len < 4096) {
		v->in_cap = v->in_cap ? v->in_cap * 2 : 8192;
		v->in = xreallocarray(v->in, v->in_cap, 1);
	}
	int flags = 0;
	ssize_t n = fdpass_recv(
		v->sock, v->in + v->in_len, v->in_cap - v->in_len, &v->in_fds, &flags, 0);
	if (n < 0 && errno == EAGAIN)
		return FRAME_AGAIN;
	if (n == 0 || (n < 0 && errno == ECONNRESET))
		return 0;
	if (n < 0)
		return err_sys(err, "receive");
	if (flags & MSG_CTRUNC)
		return err_set(err, ERR_FULL, "descriptors were lost: too many at once, or open");
	v->in_len += (size_t)n;
	return 1;
}

int varlink_next(struct varlink *v, json_t **ret, struct err *err)
{
	char *end = v->in_len > v->scanned
			    ? memchr(v->in + v->scanned, '\0', v->in_len - v->scanned)
			    : NULL;
	if (!end) {
		v->scanned = v->in_len;
		return 0;
	}
	size_t len = (size_t)(end - v->in);
	json_t *j = json_parse(v->in, len, "message", err);
	v->in_len -= len + 1;
	memmove(v->in, end + 1, v->in_len);
	v->scanned = 0;
	if (!j)
		return -1;
	if (!json_is_object(j)) {
		json_decref(j);
		return err_set(err, ERR_INVALID, "message is not a JSON object");
	}
	*ret = j;
	return 1;
}

int varlink_take_fd(struct varlink *v)
{
	if (!v->in_fds.n)
		return -1;
	int fd = v->in_fds.fd[0];
	v->in_fds.n--;
	memmove(v->in_fds.fd, v->in_fds.fd + 1, v->in_fds.n * sizeof(int));
	return fd;
}

void varlink_queue(struct varlink *v, const json_t *msg, const int *fds, size_t nfds)
{
	_cleanup_free_ char *text = json_text(msg);
	size_t len = strlen(text) + 1;
	struct outmsg *m = xcalloc(1, sizeof *m + len);
	memcpy(m->text, text, len);
	m->len = len;
	for (size_t i = 0; i < nfds && i < FRAME_MAX_FDS; i++)
		m->fds.fd[m->fds.n++] = fcntl(fds[i], F_DUPFD_CLOEXEC, 3);
	*v->out_tail = m;
	v->out_tail = &m->next;
	v->out_bytes += len;
	(void)varlink_flush(v); /* a dead peer shows at the next read */
}

static void pop_sent(struct varlink *v)
{
	struct outmsg *m = v->out;
	v->out = m->next;
	if (!v->out)
		v->out_tail = &v->out;
	outmsg_free(m);
}

int varlink_flush(struct varlink *v)
{
	while (v->out) {
		struct outmsg *m = v->out;
		size_t nfds = m->sent ? 0 : m->fds.n;
		ssize_t n = fdpass_send(
			v->sock, m->text + m->sent, m->len - m->sent, m->fds.fd, nfds, 0);
		if (n < 0 && errno == EAGAIN)
			return FRAME_AGAIN;
		if (n < 0)
			return -1;
		m->sent += (size_t)n;
		v->out_bytes -= (size_t)n;
		if (m->sent == m->len)
			pop_sent(v);
	}
	return 0;
}

bool varlink_pending(const struct varlink *v)
{
	return v->out != NULL;
}

size_t varlink_queued_bytes(const struct varlink *v)
{
	return v->out_bytes;
}

/* ---- clients ----------------------------------------------------------------------------------
 */

int varlink_call(struct varlink *v, const char *method, json_t *params, bool more, const int *fds,
	size_t nfds, struct err *err)
{
	_cleanup_json_ json_t *msg = json_make(
		"{s:s, s:o}", "method", method, "parameters", params ? params : json_object());
	if (more)
		json_object_set_new(msg, "more", json_true());
	varlink_queue(v, msg, fds, nfds);
	if (varlink_flush(v) < 0)
		return err_set(err, ERR_UNAVAILABLE, "the supervisor closed the connection");
	return 0;
}

/* Waits until readable; 0, or -1 on time-out. */
static int wait_readable(int fd, int64_t deadline_ms, struct err *err)
{
	for (;;) {
		int64_t left = deadline_ms < 0 ? -1 : deadline_ms - clock_ms();
		if (deadline_ms >= 0 && left < 0)
			left = 0;
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int r = poll(&p, 1, (int)left);
		if (r > 0)
			return 0;
		if (r == 0)
			return err_set(err, ERR_TIMEOUT, "the supervisor did not answer in time");
		if (errno != EINTR)
			return err_sys(err, "poll");
	}
}

static int error_from(const json_t *msg, struct err *err)
{
	const char *name = json_str_opt(msg, "error", "");
	const json_t *params = json_object_get(msg, "parameters");
	const char *text = json_str_opt(params, "message", name);
	if (!strncmp(name, ERROR_PREFIX, strlen(ERROR_PREFIX)))
		return err_set(err, err_code_from_name(name + strlen(ERROR_PREFIX)), "%s", text);
	return err_set(err, ERR_SYSTEM, "%s", text);
}

int varlink_reply(
	struct varlink *v, int timeout_ms, json_t **ret, bool *ret_continues, struct err *err)
{
	int64_t deadline = timeout_ms < 0 ? -1 : clock_ms() + timeout_ms;
	_cleanup_json_ json_t *msg = NULL;
	for (;;) {
		int r = varlink_next(v, &msg, err);
		if (r < 0)
			return err_wrap(err, "answer of the supervisor");
		if (r > 0)
			break;
		if (wait_readable(v->sock, deadline, err) < 0)
			return -1;
		r = varlink_fill(v, err);
		if (r < 0)
			return -1;
		if (r == 0)
			return err_set(
				err, ERR_UNAVAILABLE, "the supervisor closed the connection");
	}
	if (json_object_get(msg, "error"))
		return error_from(msg, err);
	json_t *params = json_object_get(msg, "parameters");
	*ret = params ? json_incref(params) : json_object();
	if (ret_continues)
		*ret_continues = json_bool_opt(msg, "continues", false);
	return 0;
}

int varlink_roundtrip(struct varlink *v, const char *method, json_t *params, int timeout_ms,
	json_t **ret, struct err *err)
{
	if (varlink_call(v, method, params, false, NULL, 0, err) < 0)
		return -1;
	return varlink_reply(v, timeout_ms, ret, NULL, err);
}

json_t *varlink_make_reply(json_t *params, bool continues)
{
	json_t *m = json_make("{s:o}", "parameters", params ? params : json_object());
	if (continues)
		json_object_set_new(m, "continues", json_true());
	return m;
}

json_t *varlink_make_error(const struct err *err)
{
	_cleanup_free_ char *name = xasprintf(ERROR_PREFIX "%s", err_code_name(err->code));
	return json_make("{s:s, s:{s:s}}", "error", name, "parameters", "message", err_msg(err));
}
