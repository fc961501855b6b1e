/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The floor that our streams are measured against: libxenvchan alone, with the rings that xenpod-init
 * offers, between a program in the domain and one in Dom-0.
 *
 * usage: vchanecho server NODE              in the domain; NODE below its own path; serves one client
 *        vchanecho client DOMID NODE ROUNDS MIB
 * The client first sends ROUNDS single bytes, each answered by one, then asks for MIB MiB at once.
 * It prints "round-trip-us N" (median) and "mib-per-s N".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <libxenvchan.h>

#include "proto/stream.h"

#define MIB   (1024UL * 1024)
#define BLOCK STREAM_PAYLOAD_MAX

static double now_us(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static void must(int ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "vchanecho: %s\n", what);
	exit(254);
}

/* 'e': a byte comes back; 'f' and eight bytes: so many bytes follow. Anything else ends. */
static int server(const char *node)
{
	static char block[BLOCK];
	struct libxenvchan *c =
		libxenvchan_server_init(NULL, 0, node, STREAM_RING_SIZE, STREAM_RING_SIZE);
	must(c != NULL, "no ring");
	c->blocking = -1; /* a signed bit */
	for (char what; libxenvchan_recv(c, &what, 1) == 1;) {
		uint64_t left = 0;
		if (what == 'e')
			must(libxenvchan_send(c, &what, 1) == 1, "echo");
		else
			must(libxenvchan_recv(c, &left, sizeof left) == sizeof left, "length");
		while (left) {
			int n = libxenvchan_write(c, block, left < BLOCK ? left : BLOCK);
			must(n > 0, "write");
			left -= (uint64_t)n;
		}
	}
	libxenvchan_close(c);
	return 0;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;
	return (x > y) - (x < y);
}

static void measure_round_trips(struct libxenvchan *c, size_t rounds)
{
	double *took = calloc(rounds, sizeof *took);
	must(took != NULL, "memory");
	for (size_t i = 0; i < rounds; i++) {
		char b = 'e';
		double began = now_us();
		must(libxenvchan_send(c, &b, 1) == 1 && libxenvchan_recv(c, &b, 1) == 1, "echo");
		took[i] = now_us() - began;
	}
	qsort(took, rounds, sizeof *took, compare);
	printf("round-trip-us %.0f\n", took[rounds / 2]);
	free(took);
}

static void measure_flow(struct libxenvchan *c, uint64_t mib)
{
	static char block[BLOCK];
	uint64_t left = mib * MIB;
	double began = now_us();
	must(libxenvchan_send(c, "f", 1) == 1, "ask");
	must(libxenvchan_send(c, &left, sizeof left) == sizeof left, "ask");
	while (left) {
		int n = libxenvchan_read(c, block, left < BLOCK ? left : BLOCK);
		must(n > 0, "read");
		left -= (uint64_t)n;
	}
	printf("mib-per-s %.1f\n", (double)mib / ((now_us() - began) / 1e6));
}

static int client(char **argv)
{
	char path[256];
	snprintf(path, sizeof path, "/local/domain/%d/%s", atoi(argv[0]), argv[1]);
	struct libxenvchan *c = libxenvchan_client_init(NULL, atoi(argv[0]), path);
	must(c != NULL, "the server offers no ring");
	c->blocking = -1; /* a signed bit */
	measure_round_trips(c, strtoul(argv[2], NULL, 10));
	measure_flow(c, strtoul(argv[3], NULL, 10));
	libxenvchan_close(c);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "server") == 0)
		return server(argv[2]);
	if (argc == 6 && strcmp(argv[1], "client") == 0)
		return client(argv + 2);
	fputs("usage: vchanecho server NODE | client DOMID NODE ROUNDS MIB\n", stderr);
	return 254;
}
