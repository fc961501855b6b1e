/* SPDX-License-Identifier: Apache-2.0 */
/* sd_notify(3) of `run`: path and abstract sockets, and nobody there. */
/* LINK: stage1 proto base */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "fdcount.h"
#include "stage1/notify.h"

static int listen_at(const char *path)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	size_t len = strlen(path);
	memcpy(sa.sun_path, path, len);
	if (*path == '@')
		sa.sun_path[0] = '\0';
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa,
				 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)),
		0);
	return fd;
}

static void told_at(const char *path)
{
	struct notify n = {0};
	char buf[32];
	_cleanup_fd_ int fd = listen_at(path);
	setenv("NOTIFY_SOCKET", path, 1);
	notify_open(&n);
	assert_null(getenv("NOTIFY_SOCKET")); /* not for what is started later */
	notify_send(&n, "READY=1");
	notify_send(&n, "STOPPING=1");
	assert_int_equal(recv(fd, buf, sizeof buf, MSG_DONTWAIT), 7);
	assert_memory_equal(buf, "READY=1", 7);
	assert_int_equal(recv(fd, buf, sizeof buf, MSG_DONTWAIT), 10);
	assert_memory_equal(buf, "STOPPING=1", 10);
	notify_done(&n);
}

static void both_kinds_of_address(void **state)
{
	(void)state;
	char dir[] = "/tmp/test_notify.XXXXXX";
	char path[64];
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/n", dir);
	told_at(path);
	unlink(path);
	rmdir(dir);
	snprintf(path, sizeof path, "@xenpod-test-notify-%d", (int)getpid());
	told_at(path);
}

static void nobody_and_nonsense_are_harmless(void **state)
{
	(void)state;
	char far[200];
	memset(far, '/', sizeof far - 1); /* longer than a socket's address can be */
	far[sizeof far - 1] = '\0';
	const char *const values[] = {"", "/nowhere/at/all", "relative", "vsock:2:1", far};
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		struct notify n = {0};
		setenv("NOTIFY_SOCKET", values[i], 1);
		notify_open(&n);
		notify_send(&n, "READY=1");
		notify_done(&n);
	}
	struct notify n = {0};
	notify_open(&n);
	assert_null(n.path);
	notify_send(&n, "READY=1");
}

/* A manager that does not read must not hold up the pod. */
static void a_full_socket_does_not_block(void **state)
{
	(void)state;
	char path[64];
	struct notify n = {0};
	snprintf(path, sizeof path, "@xenpod-test-full-%d", (int)getpid());
	_cleanup_fd_ int fd = listen_at(path);
	assert_true(fd >= 0);
	setenv("NOTIFY_SOCKET", path, 1);
	notify_open(&n);
	for (int i = 0; i < 5000; i++)
		notify_send(&n, "READY=1");
	notify_done(&n);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup_teardown(both_kinds_of_address, fd_count_setup, fd_count_teardown),
	cmocka_unit_test(nobody_and_nonsense_are_harmless),
	cmocka_unit_test(a_full_socket_does_not_block),
};
UNIT_MAIN(tests, NULL, NULL)
