/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A vchan client for tests of xenpod-init, without supervisor or hooks:
 *   guestclient DOMID UUID GENERATION streams DIR [slow]
 *       frames as lines on stdout; output bytes to DIR/APP.1 and DIR/APP.2; stdin of app 0 from
 *       our stdin when it is not a terminal and DIR/stdin exists; `slow`: 20 ms before each read
 *   guestclient DOMID UUID GENERATION enter APP|- [-t ROWSxCOLS] [-s SIGNO] [-e K=V]... CMD...
 *       as the command would: its output, its exit code (128 + signal); -s: that signal after 1 s
 *   guestclient DOMID UUID GENERATION raw
 *       our stdin as raw bytes; prints the frames that come back
 * Exit code 99: no session; 98: the guest sent ERROR (its text on stderr).
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>
#include <libxenvchan.h>
#include <xenstore.h>

#include "base/json.h"
#include "proto/gstate.h"
#include "proto/stream.h"

struct client {
	struct libxenvchan *chan;
	const char *dir;
	bool slow;
	bool enter;
	bool send_stdin;
	size_t credit;
	int signo;
	json_t *names;
	int files[64][2];
};

static void die(int code, const char *text)
{
	fprintf(stderr, "guestclient: %s\n", text);
	exit(code);
}

static struct libxenvchan *connect_once(struct xs_handle *xs, int domid)
{
	char path[128];
	unsigned len = 0;
	uint32_t n = 0;
	snprintf(path, sizeof(path), "/local/domain/%d/" GSTATE_DIR "/next", domid);
	char *value = xs_read(xs, XBT_NULL, path, &len);
	if (!value || gstate_parse_next(value, len, &n) < 0)
		return NULL;
	free(value);
	snprintf(path, sizeof(path), "/local/domain/%d/" GSTATE_RING_FMT, domid, n);
	return libxenvchan_client_init(NULL, domid, path);
}

static struct libxenvchan *connect_guest(int domid)
{
	struct xs_handle *xs = xs_open(0);
	if (!xs)
		die(99, "no xenstore");
	for (int i = 0; i < 300; i++) {
		struct libxenvchan *chan = connect_once(xs, domid);
		if (chan) {
			chan->blocking = -1; /* one signed bit */
			xs_close(xs);
			return chan;
		}
		usleep(100000);
	}
	die(99, "no ring is offered");
	return NULL;
}

static void send_frame(struct client *c, int type, int stream, const void *data, size_t len)
{
	struct stream_header h = {(enum stream_type)type, (uint8_t)stream, 0, (uint32_t)len};
	uint8_t buf[STREAM_HEADER_SIZE + STREAM_PAYLOAD_MAX];
	stream_header_put(&h, buf);
	if (len)
		memcpy(buf + STREAM_HEADER_SIZE, data, len);
	if (libxenvchan_send(c->chan, buf, STREAM_HEADER_SIZE + len) < 0)
		die(99, "the session has closed");
}

/* In pieces, to exercise that as well. */
static void send_hello(struct client *c, json_t *hello)
{
	char *text = json_text(hello);
	size_t left = strlen(text);
	for (const char *p = text; left;) {
		size_t n = left > 100 ? 100 : left;
		send_frame(c, STREAM_HELLO, left > n, p, n);
		p += n;
		left -= n;
	}
	free(text);
}

static void put_data(struct client *c, const struct stream_header *h, const uint8_t *data)
{
	if (c->enter) {
		if (write(h->stream, data, h->length) < 0)
			die(99, "write");
		return;
	}
	int *fd = &c->files[h->app][h->stream - 1];
	if (!*fd) {
		char path[512];
		snprintf(path, sizeof(path), "%s/%s.%d", c->dir,
			json_string_value(json_array_get(c->names, h->app)), h->stream);
		*fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);
	}
	if (write(*fd, data, h->length) < 0)
		die(99, "write");
}

static void say_error(const uint8_t *data, size_t len)
{
	fprintf(stderr, "guestclient: ERROR %.*s\n", (int)len, (const char *)data);
	exit(98);
}

static void take_frame(struct client *c, const struct stream_header *h, const uint8_t *data)
{
	uint32_t first = h->length >= 4 ? stream_get_u32(data) : 0;
	uint32_t second = h->length >= 8 ? stream_get_u32(data + 4) : 0;
	struct err err = {0};
	switch (h->type) {
	case STREAM_WELCOME:
		if (!c->enter)
			printf("WELCOME %.*s\n", (int)h->length, (const char *)data);
		json_t *j = json_parse((const char *)data, h->length, "WELCOME", &err);
		c->names = json_incref(json_object_get(j, "apps"));
		break;
	case STREAM_ERROR:
		say_error(data, h->length);
		break;
	case STREAM_DATA:
		put_data(c, h, data);
		break;
	case STREAM_EOF:
		if (!c->enter)
			printf("EOF %d %d\n", h->app, h->stream);
		break;
	case STREAM_ACK:
		c->credit += first;
		break;
	case STREAM_APP:
		printf("APP %d %s %u\n", h->app, gstate_kind_name((enum gstate_kind)first), second);
		break;
	case STREAM_EXIT:
		exit(first == GSTATE_KILLED ? 128 + (int)second : (int)second);
	case STREAM_END:
		printf("END %u\n", first);
		exit(0);
	default:
		printf("FRAME %d\n", h->type);
	}
	fflush(stdout);
}

static void read_frame(struct client *c)
{
	uint8_t buf[STREAM_HEADER_SIZE + STREAM_PAYLOAD_MAX];
	struct stream_header h;
	if (c->slow)
		usleep(20000);
	if (libxenvchan_recv(c->chan, buf, STREAM_HEADER_SIZE) < 0)
		die(99, "the session has closed");
	if (stream_header_get(buf, &h) < 0)
		die(99, "the guest sent nonsense");
	if (h.length && libxenvchan_recv(c->chan, buf + STREAM_HEADER_SIZE, h.length) < 0)
		die(99, "the session has closed");
	take_frame(c, &h, buf + STREAM_HEADER_SIZE);
}

static void forward_stdin(struct client *c)
{
	uint8_t buf[4096];
	size_t want = c->credit < sizeof(buf) ? c->credit : sizeof(buf);
	ssize_t n = read(0, buf, want);
	if (n <= 0) {
		send_frame(c, STREAM_EOF, STREAM_STDIN, NULL, 0);
		c->send_stdin = false;
		return;
	}
	send_frame(c, STREAM_DATA, STREAM_STDIN, buf, (size_t)n);
	c->credit -= (size_t)n;
}

static void relay(struct client *c)
{
	time_t start = time(NULL);
	for (;;) {
		struct pollfd fds[] = {
			{.fd = libxenvchan_fd_for_select(c->chan), .events = POLLIN},
			{.fd = c->send_stdin && c->credit ? 0 : -1, .events = POLLIN},
		};
		while (libxenvchan_data_ready(c->chan) >= STREAM_HEADER_SIZE)
			read_frame(c);
		if (!libxenvchan_is_open(c->chan))
			die(99, "the session has closed");
		poll(fds, 2, 500);
		if (fds[0].revents)
			libxenvchan_wait(c->chan);
		if (fds[1].revents)
			forward_stdin(c);
		if (c->signo && time(NULL) > start) {
			uint8_t payload[4];
			stream_put_u32(payload, (uint32_t)c->signo);
			send_frame(c, STREAM_SIGNAL, 0, payload, 4);
			c->signo = 0;
		}
	}
}

static void do_raw(struct client *c)
{
	uint8_t buf[4096];
	ssize_t n;
	while ((n = read(0, buf, sizeof(buf))) > 0) {
		if (libxenvchan_send(c->chan, buf, (size_t)n) < 0)
			break;
	}
	relay(c);
}

static void add_tty(json_t *hello, const char *size)
{
	int rows = 0;
	int cols = 0;
	if (sscanf(size, "%dx%d", &rows, &cols) != 2)
		die(2, "ROWSxCOLS");
	json_object_set_new(hello, "tty", json_make("{s:i,s:i}", "rows", rows, "cols", cols));
}

static void enter_options(struct client *c, json_t *hello, int argc, char **argv)
{
	json_t *env = json_array();
	json_t *command = json_array();
	int opt;
	if (argc > 0 && strcmp(argv[0], "-") != 0)
		json_object_set_new(hello, "app", json_string(argv[0]));
	while ((opt = getopt(argc, argv, "+t:s:e:")) != -1) {
		if (opt == 't')
			add_tty(hello, optarg);
		else if (opt == 's')
			c->signo = atoi(optarg);
		else if (opt == 'e')
			json_array_append_new(env, json_string(optarg));
	}
	for (int i = optind; i < argc; i++)
		json_array_append_new(command, json_string(argv[i]));
	json_object_set_new(hello, "argv", command);
	json_object_set_new(hello, "env", env);
	c->enter = true;
	c->send_stdin = true;
}

int main(int argc, char **argv)
{
	struct client c = {.credit = STREAM_CREDIT};
	if (argc < 5)
		die(2, "usage: guestclient DOMID UUID GENERATION streams|enter|raw ...");
	json_t *hello = json_make("{s:i,s:s,s:i,s:s}", "version", STREAM_VERSION, "uuid", argv[2],
		"generation", atoi(argv[3]), "kind", argv[4]);
	if (strcmp(argv[4], "enter") == 0) {
		enter_options(&c, hello, argc - 5, argv + 5);
	} else if (argc > 5) {
		struct stat st;
		char path[512];
		c.dir = argv[5];
		snprintf(path, sizeof(path), "%s/stdin", c.dir);
		c.send_stdin = stat(path, &st) == 0;
		c.slow = argc > 6;
	}
	c.chan = connect_guest(atoi(argv[1]));
	if (strcmp(argv[4], "raw") == 0)
		do_raw(&c);
	send_hello(&c, hello);
	relay(&c);
}
