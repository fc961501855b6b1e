/* SPDX-License-Identifier: Apache-2.0 */
/* The single checks that spec.c and spec_app.c are made of: each names the member that is wrong. */
#ifndef PROTO_SPEC_INT_H
#define PROTO_SPEC_INT_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/spec.h"

#define SPEC_APP_ALPHABET "abcdefghijklmnopqrstuvwxyz0123456789-" /* ACName, contract 3.1 */
#define SPEC_TAG_ALPHABET SPEC_APP_ALPHABET "ABCDEFGHIJKLMNOPQRSTUVWXYZ._"

int spec_bad(struct err *err, const char *member, const char *want);
int spec_check_int(const json_t *o, const char *member, int64_t min, int64_t max, struct err *err);
int spec_check_int_opt(
	const json_t *o, const char *member, int64_t min, int64_t max, struct err *err);
/* One of the words, which end with NULL; the _opt form may be absent. */
int spec_check_word(const json_t *o, const char *member, const char *const *words, struct err *err);
int spec_check_word_opt(
	const json_t *o, const char *member, const char *const *words, struct err *err);
int spec_check_text(const json_t *o, const char *member, struct err *err);
int spec_check_bool_opt(const json_t *o, const char *member, struct err *err);
/* Names become xenstore values, cgroups and directories of the guest: a closed alphabet. */
int spec_check_name(const json_t *o, const char *member, const char *alphabet, struct err *err);
/* No two objects of `a`, the array of that name, may have the same text in `member`. */
int spec_check_unique(const json_t *a, const char *array, const char *member, struct err *err);
/* One component of a path: not empty, no slash, neither "." nor "..". */
bool spec_is_entry(const char *name);

/* The guest's "net", when there is one. */
int spec_check_interfaces(const json_t *guest, struct err *err);
/* The request's "network", when there is one. */
int spec_check_network(const json_t *request, struct err *err);
/* An element of "apps"; n_filters: how many programs there are for "seccomp". */
int spec_check_app(const json_t *app, size_t n_filters, struct err *err);

#endif
