/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An app that has turned against its host: as root of its domain it makes itself the guest's way to
 * xenstore and speaks there in xenpod-init's name (docs/GUEST-PROTOCOL.md, threats). For
 * tests/lab/scenarios/44-hostile.sh.
 *
 * usage: hostile MODE
 *   garbage   nonsense in every node that Dom-0 reads, again and again, and none at all
 *   flood     the app's node, as fast as xenstored takes it, without end
 *   many      as many nodes as the quota allows
 *   ring      a rendezvous ring of its own; who binds it gets frames that are none, without end
 *   forge     tells the pod's end, with code 0
 *   fill      its root, and with it the file system of its host: to the last block, again and again
 *   console   talks to its domain's console without end
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <libxenvchan.h>
#include <xenstore.h>

#define DIR "data/xenpod"

/* Misc devices have minors of the moment; /proc/misc tells them. */
static void make_device(const char *name)
{
	char line[128];
	char path[64];
	snprintf(path, sizeof path, "/dev/xen/%s", name);
	FILE *f = fopen("/proc/misc", "re");
	while (f && fgets(line, sizeof line, f)) {
		unsigned minor = 0;
		char found[64] = "";
		if (sscanf(line, "%u xen/%63s", &minor, found) == 2 && strcmp(found, name) == 0)
			(void)mknod(path, S_IFCHR | 0600, makedev(10, minor));
	}
	if (f)
		fclose(f);
}

static struct xs_handle *open_xenstore(void)
{
	static const char *const names[] = {"xenbus", "gntalloc", "evtchn"};
	(void)mkdir("/dev/xen", 0755);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		make_device(names[i]);
	setenv("XENSTORED_PATH", "/dev/xen/xenbus", 1);
	struct xs_handle *xs = xs_open(0);
	if (!xs) {
		perror("hostile: xenstore");
		exit(1);
	}
	return xs;
}

static bool put(struct xs_handle *xs, const char *node, const void *value, size_t len)
{
	char path[128];
	snprintf(path, sizeof path, DIR "/%s", node);
	return xs_write(xs, XBT_NULL, path, value, (unsigned)len);
}

static void garbage(struct xs_handle *xs)
{
	static const char *const nodes[] = {"pod", "app/0", "next", "app/-1", "app/99999999999"};
	static const char *const values[] = {"", "0", "4294967295 done 0x",
		"99999999999999 running", "7 failed \x1b[2J\xff\xfe", "1 done 256", "next", "-1",
		"18446744073709551616"};
	static char large[2000];
	memset(large, '9', sizeof large);
	for (int round = 0; round < 50; round++) {
		for (size_t n = 0; n < sizeof nodes / sizeof nodes[0]; n++) {
			for (size_t v = 0; v < sizeof values / sizeof values[0]; v++)
				if (n || !strstr(values[v], "failed")) /* would be an end */
					put(xs, nodes[n], values[v], strlen(values[v]));
			put(xs, nodes[n], large, sizeof large);
			put(xs, nodes[n], large, 1 + (size_t)round);
		}
		xs_rm(xs, XBT_NULL, DIR);
	}
	puts("hostile: garbage is out");
}

static void flood(struct xs_handle *xs)
{
	for (unsigned long i = 1;; i++) {
		char value[64];
		int len = snprintf(value, sizeof value, "%lu running", i);
		put(xs, "app/0", value, (size_t)len);
		if (i == 1000)
			puts("hostile: floods");
	}
}

static void many(struct xs_handle *xs)
{
	unsigned made = 0;
	for (unsigned i = 0; i < 5000; i++) {
		char node[64];
		snprintf(node, sizeof node, "x/%u/%u", i % 50, i);
		made += put(xs, node, "x", 1);
	}
	printf("hostile: %u nodes\n", made);
}

/* Again and again: xenpod-init announces its own whenever somebody has come. */
static void offer(struct xs_handle *xs)
{
	for (;;) {
		put(xs, "next", "777777", 6);
		usleep(100000);
	}
}

static void ring(struct xs_handle *xs)
{
	static const unsigned char nonsense[4096] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f};
	struct libxenvchan *c = libxenvchan_server_init(NULL, 0, DIR "/s/777777", 16384, 16384);
	if (!c) {
		perror("hostile: ring");
		exit(1);
	}
	c->blocking = -1; /* a signed bit */
	put(xs, "next", "777777", 6);
	if (fork() == 0)
		offer(open_xenstore());
	puts("hostile: offers a ring");
	while (libxenvchan_write(c, nonsense, sizeof nonsense) > 0)
		;
}

/* Until there is no room for one byte more. */
static bool fill_file(const char *path)
{
	static char block[1 << 16];
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno == ENOSPC;
	bool full = false;
	for (size_t size = sizeof block; size;)
		if (write(fd, block, size) <= 0) {
			full |= errno == ENOSPC;
			size /= 2;
		}
	full |= fsync(fd) < 0 && errno == ENOSPC;
	close(fd);
	return full;
}

/* What somebody gives back is taken as well. */
static void fill(void)
{
	bool told = false;
	for (unsigned n = 0;; n++) {
		char path[32];
		snprintf(path, sizeof path, "/filler.%u", n % 100);
		bool full = fill_file(path);
		if (full && !told)
			puts("hostile: it is full");
		told |= full;
		usleep(100000);
	}
}

static void console(void)
{
	static char line[128];
	memset(line, 'x', sizeof line - 1);
	line[sizeof line - 1] = '\n';
	(void)mknod("/dev/hvc0", S_IFCHR | 0600, makedev(229, 0));
	int fd = open("/dev/hvc0", O_WRONLY | O_NOCTTY | O_CLOEXEC);
	if (fd < 0) {
		perror("hostile: console");
		exit(1);
	}
	for (unsigned n = 1; write(fd, line, sizeof line) > 0; n++)
		if (n == 1000)
			puts("hostile: talks");
}

int main(int argc, char **argv)
{
	const char *mode = argc == 2 ? argv[1] : "";
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (strcmp(mode, "fill") == 0)
		fill();
	else if (strcmp(mode, "console") == 0)
		console();
	struct xs_handle *xs = open_xenstore();
	if (strcmp(mode, "garbage") == 0)
		garbage(xs);
	else if (strcmp(mode, "flood") == 0)
		flood(xs);
	else if (strcmp(mode, "many") == 0)
		many(xs);
	else if (strcmp(mode, "ring") == 0)
		ring(xs);
	else if (strcmp(mode, "forge") == 0)
		put(xs, "pod", "4000000000 done 0", 17);
	for (;;)
		pause();
}
