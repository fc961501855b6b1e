/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xenstore from inside a test guest, static and without a library: speaks the wire protocol
 * (xen/io/xs_wire.h) on /dev/xen/xenbus. Under the name "poweroff" it is what the kernel runs when
 * the toolstack asks for a shutdown.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <unistd.h>

#include <xen/io/xs_wire.h>

#define AHEAD 20

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void all(int fd, void *data, size_t len, int out)
{
	for (size_t at = 0; at < len;) {
		ssize_t n = out ? write(fd, (char *)data + at, len - at)
				: read(fd, (char *)data + at, len - at);
		if (n <= 0)
			die("xenbus");
		at += (size_t)n;
	}
}

static void request(int fd, const char *path, const char *value)
{
	char buf[sizeof(struct xsd_sockmsg) + XENSTORE_PAYLOAD_MAX];
	size_t plen = strlen(path) + 1;
	size_t vlen = strlen(value);
	struct xsd_sockmsg m = {.type = XS_WRITE, .len = (uint32_t)(plen + vlen)};
	memcpy(buf, &m, sizeof m);
	memcpy(buf + sizeof m, path, plen);
	memcpy(buf + sizeof m + plen, value, vlen);
	all(fd, buf, sizeof m + plen + vlen, 1);
}

static void reply(int fd)
{
	struct xsd_sockmsg m;
	char text[XENSTORE_PAYLOAD_MAX + 1];
	all(fd, &m, sizeof m, 0);
	all(fd, text, m.len, 0);
	if (m.type == XS_ERROR) {
		fprintf(stderr, "xenstore: %.*s\n", (int)m.len, text);
		exit(1);
	}
}

static int bus_open(void)
{
	int fd = open("/dev/xen/xenbus", O_RDWR);
	if (fd < 0)
		die("/dev/xen/xenbus");
	return fd;
}

/* "%d" in `format` counts from 1. Replies are waited for later, so that a flood is one. */
static void write_times(const char *path, const char *format, int times)
{
	char value[XENSTORE_PAYLOAD_MAX];
	int fd = bus_open();
	const char *count = strstr(format, "%d");
	for (int i = 1; i <= times; i++) {
		if (count)
			snprintf(value, sizeof value, "%.*s%d%s", (int)(count - format), format, i,
				count + 2);
		request(fd, path, count ? value : format);
		if (i > AHEAD)
			reply(fd);
	}
	for (int i = 0; i < times && i < AHEAD; i++)
		reply(fd);
}

int main(int argc, char **argv)
{
	const char *name = strrchr(argv[0], '/');
	if (strcmp(name ? name + 1 : argv[0], "poweroff") == 0) {
		write_times("data/xenpod/pod", "3 stopping", 1); /* its last word */
		reboot(RB_POWER_OFF);
		die("reboot");
	}
	if (argc != 4) {
		fputs("usage: worldguest PATH VALUE TIMES\n", stderr);
		return 1;
	}
	write_times(argv[1], argv[2], atoi(argv[3]));
	return 0;
}
