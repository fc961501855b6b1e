/* SPDX-License-Identifier: Apache-2.0 */
/* Single checks of pod specs: see spec_int.h. */
#include "proto/spec_int.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"

int spec_bad(struct err *err, const char *member, const char *want)
{
	return err_set(err, ERR_INVALID, "\"%s\" must be %s", member, want);
}

int spec_check_int(const json_t *o, const char *member, int64_t min, int64_t max, struct err *err)
{
	int64_t v = 0;
	if (json_get_int(o, member, &v, err) < 0)
		return -1;
	if (v < min || v > max)
		return err_set(err, ERR_INVALID, "\"%s\" must be from %lld to %lld, not %lld",
			member, (long long)min, (long long)max, (long long)v);
	return 0;
}

int spec_check_int_opt(
	const json_t *o, const char *member, int64_t min, int64_t max, struct err *err)
{
	return json_object_get(o, member) ? spec_check_int(o, member, min, max, err) : 0;
}

int spec_check_word(const json_t *o, const char *member, const char *const *words, struct err *err)
{
	const char *v = NULL;
	if (json_get_str(o, member, &v, err) < 0)
		return -1;
	for (size_t i = 0; words[i]; i++) {
		if (strcmp(v, words[i]) == 0)
			return 0;
	}
	return err_set(err, ERR_INVALID, "\"%s\" is \"%s\", which is not known", member, v);
}

int spec_check_word_opt(
	const json_t *o, const char *member, const char *const *words, struct err *err)
{
	return json_object_get(o, member) ? spec_check_word(o, member, words, err) : 0;
}

int spec_check_text(const json_t *o, const char *member, struct err *err)
{
	const char *v = NULL;
	if (json_get_str(o, member, &v, err) < 0)
		return -1;
	return v[0] ? 0 : spec_bad(err, member, "a text that is not empty");
}

int spec_check_bool_opt(const json_t *o, const char *member, struct err *err)
{
	const json_t *v = json_object_get(o, member);
	return !v || json_is_boolean(v) ? 0 : spec_bad(err, member, "true or false");
}

int spec_check_name(const json_t *o, const char *member, const char *alphabet, struct err *err)
{
	const char *v = NULL;
	if (json_get_str(o, member, &v, err) < 0)
		return -1;
	size_t len = strlen(v);
	if (len == 0 || len > SPEC_NAME_MAX || strspn(v, alphabet) != len || v[0] == '-' ||
		v[0] == '.' || v[len - 1] == '-')
		return err_set(err, ERR_INVALID, "\"%s\" is \"%.*s\", which is not a name", member,
			SPEC_NAME_MAX, v);
	return 0;
}

bool spec_is_entry(const char *name)
{
	return name[0] && !strchr(name, '/') && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

int spec_check_unique(const json_t *a, const char *array, const char *member, struct err *err)
{
	_cleanup_json_ json_t *seen = json_object();
	size_t i = 0;
	json_t *o = NULL;
	json_array_foreach (a, i, o) {
		const char *v = json_string_value(json_object_get(o, member));
		if (json_object_get(seen, v))
			return err_set(err, ERR_INVALID, "\"%s\" has two with the %s \"%s\"", array,
				member, v);
		json_object_set_new(seen, v, json_true());
	}
	return 0;
}
