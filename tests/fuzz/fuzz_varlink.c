/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client's bytes in pieces of any size: however they are cut, the same messages come out. The
 * first byte of the input chooses the size of the pieces.
 */
/* LINK: base */
#include "fuzz.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/varlink.h"

#define INPUT_MAX 65536 /* less than a socket holds: one thread is both sides */

/* A number that stands for all answers of varlink_next in their order. */
static uint64_t drain(struct varlink *v, uint64_t sum)
{
	for (;;) {
		_cleanup_json_ json_t *j = NULL;
		_cleanup_err_ struct err err = {0};
		int r = varlink_next(v, &j, &err);
		if (r == 0)
			return sum;
		must((r < 0) == (err.msg != NULL));
		must((r < 0) == (j == NULL));
		must(!j || json_is_object(j));
		sum = sum * 31 + (r < 0 ? 1 : 2 + json_object_size(j));
	}
}

static bool readable(int sock)
{
	char byte;
	return recv(sock, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
}

static uint64_t feed(const uint8_t *data, size_t size, size_t piece)
{
	uint64_t sum = 0;
	int sv[2];
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, sv) == 0);
	_cleanup_varlink_ struct varlink *v = varlink_new(sv[0]);
	for (size_t at = 0; at < size; at += piece) {
		size_t n = size - at < piece ? size - at : piece;
		must(write(sv[1], data + at, n) == (ssize_t)n);
		do {
			must(varlink_fill(v, NULL) == 1);
			sum = drain(v, sum);
		} while (readable(sv[0]));
	}
	close(sv[1]);
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2 || size > INPUT_MAX)
		return 0;
	size_t piece = (size_t)data[0] * 16 + 1;
	must(feed(data + 1, size - 1, piece) == feed(data + 1, size - 1, size));
	return 0;
}
