/* SPDX-License-Identifier: Apache-2.0 */
/* `xenpod-metrics`: the supervisor's metrics for Prometheus, on stdout, in a file, or over HTTP. */
#include <fcntl.h>
#include <getopt.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "base/json.h"
#include "base/log.h"
#include "tools/metrics_text.h"
#include "tools/options.h"

#define EXIT_UNREACHABLE 4
#define CLIENT_TIMEOUT_S 30 /* also how long one may be silent */
#define CLIENTS_MAX      8
#define SOCKETS_MAX      16

enum { OPT_TEXTFILE = 256, OPT_VERSION };

static const struct option options[] = {
	{"textfile", required_argument, NULL, OPT_TEXTFILE},
	{"version", no_argument, NULL, OPT_VERSION},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static void help(void)
{
	puts("Usage: xenpod-metrics [--textfile=FILE]\n"
	     "Print what the supervisor counts in the text format of Prometheus. Members of the\n"
	     "group xenpod may ask.\n"
	     "\n"
	     "  --textfile=FILE  write to FILE, whole or not at all: for node_exporter's\n"
	     "                   textfile collector, from a timer\n"
	     "  --version        show the version\n"
	     "  --help           show this\n"
	     "\n"
	     "Started by systemd with sockets (xenpod-metrics.socket) it serves /metrics over "
	     "HTTP.\n"
	     "Then, and with --textfile, a supervisor that does not answer is told as xenpod_up "
	     "0.\n"
	     "\n"
	     "Exit status:\n"
	     "  0    printed, written, or served until it was told to end\n"
	     "  4    the supervisor does not answer\n"
	     "  254  wrong usage, or xenpod-metrics itself failed");
}

/* One that does not answer is a fact to be told; `up` is whether it does. */
static char *take(bool *up, struct err *err)
{
	_cleanup_json_ json_t *families = NULL;
	*up = metrics_ask(&families, err) == 0;
	return metrics_text(families);
}

/* ---- over HTTP ------------------------------------------------------------------------------------ */

static enum MHD_Result answer(struct MHD_Connection *c, unsigned status, char *text /* stolen */)
{
	struct MHD_Response *r =
		MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE);
	if (!r) {
		free(text);
		return MHD_NO;
	}
	MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, METRICS_TEXT_TYPE);
	enum MHD_Result queued = MHD_queue_response(c, status, r);
	MHD_destroy_response(r);
	return queued;
}

static enum MHD_Result serve(void *ctx, struct MHD_Connection *c, const char *url,
	const char *method, const char *version, const char *data, size_t *size, void **call)
{
	(void)ctx;
	(void)version;
	(void)data;
	(void)size;
	(void)call;
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return answer(c, MHD_HTTP_METHOD_NOT_ALLOWED, xstrdup("only GET\n"));
	if (strcmp(url, "/metrics") != 0)
		return answer(c, MHD_HTTP_NOT_FOUND, xstrdup("metrics are at /metrics\n"));
	_cleanup_err_ struct err err = {0};
	bool up;
	char *text = take(&up, &err);
	if (!up)
		log_warning("%s", err_msg(&err));
	return answer(c, MHD_HTTP_OK, text);
}

/* Each socket has a thread; ours waits for the signal that ends us. */
static int serve_all(int sockets, struct err *err)
{
	if (sockets > SOCKETS_MAX)
		return err_set(err, ERR_INVALID, "more than %d sockets", SOCKETS_MAX);
	for (int i = 0; i < sockets; i++)
		if (!MHD_start_daemon(MHD_USE_AUTO_INTERNAL_THREAD, 0, NULL, NULL, serve, NULL,
			    MHD_OPTION_LISTEN_SOCKET, SD_LISTEN_FDS_START + i,
			    MHD_OPTION_CONNECTION_LIMIT, CLIENTS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
			    CLIENT_TIMEOUT_S, MHD_OPTION_END))
			return err_set(err, ERR_SYSTEM, "HTTP cannot be served on socket %d", i);
	(void)sd_notify(0, "READY=1");
	for (;;)
		pause();
}

/* ---- what it was started for ------------------------------------------------------------------------ */

static int write_file(const char *path, struct err *err)
{
	_cleanup_err_ struct err why = {0};
	bool up;
	_cleanup_free_ char *text = take(&up, &why);
	if (!up)
		log_warning("%s", err_msg(&why));
	return file_write_atomic_at(AT_FDCWD, path, text, strlen(text), 0644, err);
}

static int print(void)
{
	_cleanup_err_ struct err err = {0};
	bool up;
	_cleanup_free_ char *text = take(&up, &err);
	if (!up) {
		log_err("%s", err_msg(&err));
		return EXIT_UNREACHABLE;
	}
	fputs(text, stdout);
	return fflush(stdout) == 0 ? 0 : XENPOD_EXIT_FAILURE;
}

static int run(const char *textfile)
{
	_cleanup_err_ struct err err = {0};
	int sockets = sd_listen_fds(1);
	int r = 0;
	if (textfile)
		r = write_file(textfile, &err);
	else if (sockets > 0)
		r = serve_all(sockets, &err);
	else
		return print();
	if (r < 0)
		log_err("%s", err_msg(&err));
	return r < 0 ? XENPOD_EXIT_FAILURE : 0;
}

int main(int argc, char **argv)
{
	_cleanup_err_ struct err err = {0};
	const char *textfile = NULL;
	int id;
	log_set_prefix("xenpod-metrics");
	optind = 0;
	while ((id = option_next(argc, argv, options, &err)) > OPTION_END) {
		if (id == 'h') {
			help();
			return 0;
		}
		if (id == OPT_VERSION) {
			puts("xenpod-metrics " XENPOD_VERSION);
			return 0;
		}
		textfile = optarg;
	}
	if (id == OPTION_END && optind < argc)
		id = err_set(&err, ERR_INVALID,
			"\"%s\": xenpod-metrics takes no arguments, see --help", argv[optind]);
	if (id != OPTION_END) {
		log_err("%s", err_msg(&err));
		return XENPOD_EXIT_FAILURE;
	}
	return run(textfile);
}
