/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON read as Go's encoding/json reads it (contract 3): keys match without regard to case, the
 * last of several wins, null is the same as absent, unknown keys are nobody's business. Manifests
 * that users write come through stage0 byte for byte, so strict reading would refuse valid pods.
 */
#ifndef APPC_LENIENT_H
#define APPC_LENIENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Parses an object; duplicate keys are kept to the last. `what` names the text in errors. */
json_t *lenient_parse(const char *text, size_t len, const char *what, struct err *err);

/* The member, borrowed; NULL when absent or null. */
json_t *lenient_get(const json_t *o, const char *key);

/* Takes away every spelling of `key` and sets it; `value` is stolen, NULL only removes. */
void lenient_set(json_t *o, const char *key, json_t *value);

/*
 * Typed members. Absent or null: 0 and *ret is the zero value ("" / false / 0 / NULL). The wrong
 * type: ERR_INVALID naming the key. Strings, objects and arrays are borrowed.
 */
int lenient_str(const json_t *o, const char *key, const char **ret, struct err *err);
int lenient_bool(const json_t *o, const char *key, bool *ret, struct err *err);
int lenient_int(const json_t *o, const char *key, int64_t *ret, struct err *err);
int lenient_obj(const json_t *o, const char *key, json_t **ret, struct err *err);
int lenient_array(const json_t *o, const char *key, json_t **ret, struct err *err);
/* As lenient_array; one that is empty is absent. */
int lenient_filled(const json_t *o, const char *key, json_t **ret, struct err *err);

/* Looks `name` up in an array of {name, value}; the last one wins. Borrowed value, or NULL. */
json_t *lenient_pair(const json_t *pairs, const char *name);
/* As lenient_pair for values that are strings; NULL when absent or of another type. */
const char *lenient_pair_str(const json_t *pairs, const char *name);

#endif
