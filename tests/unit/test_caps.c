/* SPDX-License-Identifier: Apache-2.0 */
/* Capability names: the numbers are the kernel's own. */
/* LINK: proto base */
#include "unit.h"

#include <linux/capability.h>

#include "proto/caps.h"

static void numbers_are_the_kernels(void **state)
{
	(void)state;
	assert_int_equal(caps_from_name("CAP_CHOWN"), CAP_CHOWN);
	assert_int_equal(caps_from_name("CAP_SETPCAP"), CAP_SETPCAP);
	assert_int_equal(caps_from_name("CAP_SYS_ADMIN"), CAP_SYS_ADMIN);
	assert_int_equal(caps_from_name("CAP_MKNOD"), CAP_MKNOD);
	assert_int_equal(caps_from_name("CAP_SETFCAP"), CAP_SETFCAP);
	assert_int_equal(caps_from_name("CAP_AUDIT_READ"), CAP_AUDIT_READ);
	assert_int_equal(caps_from_name("CAP_CHECKPOINT_RESTORE"), CAP_CHECKPOINT_RESTORE);
	assert_int_equal(CAPS_LAST, CAP_LAST_CAP);
}

static void names_and_back(void **state)
{
	(void)state;
	for (int i = 0; i < CAPS_MAX_; i++)
		assert_int_equal(caps_from_name(caps_name(i)), i);
	assert_null(caps_name(CAPS_MAX_));
	assert_null(caps_name(-1));
	assert_int_equal(caps_from_name("cap_net_raw"), CAP_NET_RAW);
	assert_int_equal(caps_from_name("NET_RAW"), -1);
	assert_int_equal(caps_from_name(""), -1);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(numbers_are_the_kernels),
	cmocka_unit_test(names_and_back),
};

UNIT_MAIN(tests, NULL, NULL)
