/* SPDX-License-Identifier: Apache-2.0 */
/* What jansson lacks: errors that name the thing, and reading that is strict about types. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define _cleanup_json_ __attribute__((cleanup(json_decrefp)))

/* Parses `len` bytes; `what` names the text in errors ("pod manifest"). Returns NULL on error. */
json_t *json_parse(const char *text, size_t len, const char *what, struct err *err);

/* Compact text; caller frees. */
char *json_text(const json_t *j);

/*
 * Members of an object: ERR_INVALID naming the key when it is missing or of another type. The _opt
 * forms return `dflt` then; use them on what was checked before, or where a default is right.
 */
int json_get_str(const json_t *o, const char *key, const char **ret, struct err *err);
int json_get_int(const json_t *o, const char *key, int64_t *ret, struct err *err);
int json_get_bool(const json_t *o, const char *key, bool *ret, struct err *err);
int json_get_obj(const json_t *o, const char *key, json_t **ret, struct err *err);   /* borrowed */
int json_get_array(const json_t *o, const char *key, json_t **ret, struct err *err); /* borrowed */

const char *json_str_opt(const json_t *o, const char *key, const char *dflt);
int64_t json_int_opt(const json_t *o, const char *key, int64_t dflt);
bool json_bool_opt(const json_t *o, const char *key, bool dflt);

/*
 * Walks over the members of the object that begins at *at, without parsing their values: for text
 * that json_text() has made, of which little is wanted. At first *at is the object's '{'. False: there
 * are no more, and *at is behind the object; or it is no such text, and *at is NULL.
 */
struct json_member {
	const char *key, *value; /* the key without its quotes, the value raw; both into the text */
	size_t key_len, value_len;
};
bool json_member_next(const char **at, struct json_member *ret);

/* json_pack that aborts on a programmer's error instead of returning NULL. */
json_t *json_make(const char *fmt, ...) __attribute__((returns_nonnull));

#endif
