/* SPDX-License-Identifier: Apache-2.0 */
/* Base64 both ways; a text that another encoder would not have written is refused. */
/* LINK: base */
#include "unit.h"

#include "base/base64.h"
#include "base/cleanup.h"

/* RFC 4648, section 10 */
static const char *const vectors[][2] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"},
	{"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};

static void known_texts(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
		size_t len = strlen(vectors[i][0]);
		size_t back_len = 99;
		_cleanup_free_ char *text = base64_encode(vectors[i][0], len);
		_cleanup_free_ uint8_t *back = NULL;
		assert_string_equal(text, vectors[i][1]);
		assert_int_equal(base64_decode(text, &back, &back_len), 0);
		assert_int_equal(back_len, len);
		assert_memory_equal(back, vectors[i][0], len);
	}
}

static void all_bytes(void **state)
{
	(void)state;
	uint8_t bytes[256];
	size_t len = 0;
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(255 - i);
	_cleanup_free_ char *text = base64_encode(bytes, sizeof bytes);
	_cleanup_free_ uint8_t *back = NULL;
	assert_int_equal(base64_decode(text, &back, &len), 0);
	assert_int_equal(len, sizeof bytes);
	assert_memory_equal(back, bytes, sizeof bytes);
}

static void nonsense(void **state)
{
	(void)state;
	static const char *const texts[] = {"Z", "Zg",
		"Zg=", "Zg==Zg==", "Z===", "====", "=Zg=", "Zh==", "Zm9=", "Zm8 ", "Zm8\n", "Zm-_",
		"Z\xc3g="};
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		uint8_t *out = NULL;
		size_t len = 0;
		if (base64_decode(texts[i], &out, &len) == 0)
			fail_msg("taken: %s", texts[i]);
		assert_null(out);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(known_texts),
	cmocka_unit_test(all_bytes),
	cmocka_unit_test(nonsense),
};

UNIT_MAIN(tests, NULL, NULL)
