/* SPDX-License-Identifier: Apache-2.0 */
/* Go-lenient JSON: see lenient.h. */
#include "appc/lenient.h"

#include <string.h>
#include <strings.h>

json_t *lenient_parse(const char *text, size_t len, const char *what, struct err *err)
{
	json_error_t je;
	json_t *j = json_loadb(text, len, 0, &je);
	if (!j) {
		err_set(err, ERR_INVALID, "%s is not valid JSON: line %d column %d: %s", what,
			je.line, je.column, je.text);
		return NULL;
	}
	if (!json_is_object(j)) {
		json_decref(j);
		err_set(err, ERR_INVALID, "%s is not a JSON object", what);
		return NULL;
	}
	return j;
}

/* jansson iterates in the order of insertion, so the last match is the last in the text. */
json_t *lenient_get(const json_t *o, const char *key)
{
	json_t *found = NULL;
	if (!json_is_object(o))
		return NULL;
	json_t *obj = (json_t *)(uintptr_t)o; /* jansson's iterators take no const */
	for (void *it = json_object_iter(obj); it; it = json_object_iter_next(obj, it)) {
		json_t *v = json_object_iter_value(it);
		if (!strcasecmp(json_object_iter_key(it), key) && !json_is_null(v))
			found = v;
	}
	return found;
}

void lenient_set(json_t *o, const char *key, json_t *value)
{
	const char *k;
	json_t *v;
	void *tmp;
	json_object_foreach_safe (o, tmp, k, v) {
		if (!strcasecmp(k, key))
			json_object_del(o, k);
	}
	if (value)
		json_object_set_new(o, key, value);
}

static int wrong(struct err *err, const char *key, const char *want)
{
	return err_set(err, ERR_INVALID, "\"%s\" must be %s", key, want);
}

int lenient_str(const json_t *o, const char *key, const char **ret, struct err *err)
{
	const json_t *v = lenient_get(o, key);
	if (v && !json_is_string(v))
		return wrong(err, key, "a string");
	*ret = v ? json_string_value(v) : "";
	return 0;
}

int lenient_bool(const json_t *o, const char *key, bool *ret, struct err *err)
{
	const json_t *v = lenient_get(o, key);
	if (v && !json_is_boolean(v))
		return wrong(err, key, "true or false");
	*ret = v && json_is_true(v);
	return 0;
}

int lenient_int(const json_t *o, const char *key, int64_t *ret, struct err *err)
{
	const json_t *v = lenient_get(o, key);
	if (v && !json_is_integer(v))
		return wrong(err, key, "an integer");
	*ret = v ? json_integer_value(v) : 0;
	return 0;
}

int lenient_obj(const json_t *o, const char *key, json_t **ret, struct err *err)
{
	json_t *v = lenient_get(o, key);
	if (v && !json_is_object(v))
		return wrong(err, key, "an object");
	*ret = v;
	return 0;
}

int lenient_array(const json_t *o, const char *key, json_t **ret, struct err *err)
{
	json_t *v = lenient_get(o, key);
	if (v && !json_is_array(v))
		return wrong(err, key, "an array");
	*ret = v;
	return 0;
}

int lenient_filled(const json_t *o, const char *key, json_t **ret, struct err *err)
{
	json_t *a;
	if (lenient_array(o, key, &a, err) < 0)
		return -1;
	*ret = json_array_size(a) ? a : NULL;
	return 0;
}

json_t *lenient_pair(const json_t *pairs, const char *name)
{
	json_t *found = NULL;
	size_t i;
	json_t *p;
	json_array_foreach (pairs, i, p) {
		const json_t *n = lenient_get(p, "name");
		if (json_is_string(n) && !strcmp(json_string_value(n), name))
			found = lenient_get(p, "value");
	}
	return found;
}

const char *lenient_pair_str(const json_t *pairs, const char *name)
{
	return json_string_value(lenient_pair(pairs, name));
}
