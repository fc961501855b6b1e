/* SPDX-License-Identifier: Apache-2.0 */
/* JSON helpers over jansson: see json.h. */
#include "base/json.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

json_t *json_parse(const char *text, size_t len, const char *what, struct err *err)
{
	json_error_t je;
	json_t *j = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &je);
	if (!j)
		err_set(err, ERR_INVALID, "%s is not valid JSON: line %d column %d: %s", what,
			je.line, je.column, je.text);
	return j;
}

char *json_text(const json_t *j)
{
	char *s = json_dumps(j, JSON_COMPACT | JSON_ENCODE_ANY);
	return s ? s : xstrdup("null");
}

static int wrong(struct err *err, const char *key, const json_t *v, const char *want)
{
	return err_set(
		err, ERR_INVALID, v ? "\"%s\" must be %s" : "\"%s\" is missing (%s)", key, want);
}

int json_get_str(const json_t *o, const char *key, const char **ret, struct err *err)
{
	const json_t *v = json_object_get(o, key);
	if (!json_is_string(v))
		return wrong(err, key, v, "a string");
	*ret = json_string_value(v);
	return 0;
}

int json_get_int(const json_t *o, const char *key, int64_t *ret, struct err *err)
{
	const json_t *v = json_object_get(o, key);
	if (!json_is_integer(v))
		return wrong(err, key, v, "an integer");
	*ret = json_integer_value(v);
	return 0;
}

int json_get_bool(const json_t *o, const char *key, bool *ret, struct err *err)
{
	const json_t *v = json_object_get(o, key);
	if (!json_is_boolean(v))
		return wrong(err, key, v, "true or false");
	*ret = json_is_true(v);
	return 0;
}

int json_get_obj(const json_t *o, const char *key, json_t **ret, struct err *err)
{
	json_t *v = json_object_get(o, key);
	if (!json_is_object(v))
		return wrong(err, key, v, "an object");
	*ret = v;
	return 0;
}

int json_get_array(const json_t *o, const char *key, json_t **ret, struct err *err)
{
	json_t *v = json_object_get(o, key);
	if (!json_is_array(v))
		return wrong(err, key, v, "an array");
	*ret = v;
	return 0;
}

const char *json_str_opt(const json_t *o, const char *key, const char *dflt)
{
	const json_t *v = json_object_get(o, key);
	return json_is_string(v) ? json_string_value(v) : dflt;
}

int64_t json_int_opt(const json_t *o, const char *key, int64_t dflt)
{
	const json_t *v = json_object_get(o, key);
	return json_is_integer(v) ? json_integer_value(v) : dflt;
}

bool json_bool_opt(const json_t *o, const char *key, bool dflt)
{
	const json_t *v = json_object_get(o, key);
	return json_is_boolean(v) ? json_is_true(v) : dflt;
}

/* Behind the string whose opening quote is at `s`; NULL: it does not end. */
static const char *skip_string(const char *s)
{
	const char *end = s;
	while ((end = strchr(end + 1, '"'))) {
		size_t escapes = 0;
		while (end[-1 - (ptrdiff_t)escapes] == '\\')
			escapes++;
		if (escapes % 2 == 0)
			return end + 1;
	}
	return NULL;
}

/* Behind the value at `s`: at the comma or bracket that ends it on its own level. */
static const char *skip_value(const char *s)
{
	int depth = 0;
	while (s && *s) {
		if (*s == '"') {
			s = skip_string(s);
			continue;
		}
		bool closes = *s == '}' || *s == ']';
		if (!depth && (closes || *s == ','))
			return s;
		depth += (*s == '{' || *s == '[') - closes;
		s++;
	}
	return NULL;
}

bool json_member_next(const char **at, struct json_member *ret)
{
	const char *s = *at;
	bool over = s && ((s[0] == '{' && s[1] == '}') || s[0] == '}');
	*at = over ? s + (*s == '{' ? 2 : 1) : NULL;
	if (over || !s || (*s != '{' && *s != ',') || s[1] != '"')
		return false;
	const char *end = skip_string(s + 1);
	if (!end || *end != ':')
		return false;
	*ret = (struct json_member){.key = s + 2, .value = end + 1};
	ret->key_len = (size_t)(end - s) - 3;
	s = skip_value(ret->value);
	if (!s || *s == ']' || s == ret->value)
		return false;
	ret->value_len = (size_t)(s - ret->value);
	*at = s;
	return true;
}

json_t *json_make(const char *fmt, ...)
{
	json_error_t je;
	va_list ap;
	va_start(ap, fmt);
	json_t *j = json_vpack_ex(&je, 0, fmt, ap);
	va_end(ap);
	if (!j) {
		fprintf(stderr, "xenpod: json_make(\"%s\"): %s\n", fmt, je.text);
		abort();
	}
	return j;
}
