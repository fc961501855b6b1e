/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics as text: see metrics_text.h. */
#include "tools/metrics_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "proto/api.h"
#include "tools/supervisor.h"

int metrics_ask(json_t **ret, struct err *err)
{
	_cleanup_varlink_ struct varlink *v = supervisor_connect("status", err);
	if (!v)
		return -1;
	_cleanup_json_ json_t *answer = NULL;
	if (varlink_roundtrip(v, API_METRICS, NULL, SUPERVISOR_ANSWER_MS, &answer, err) < 0)
		return -1;
	json_t *families = json_object_get(answer, "families");
	if (!json_is_array(families))
		return err_set(
			err, ERR_INVALID, "the supervisor's answer has no families of metrics");
	*ret = json_incref(families);
	return 0;
}

/* A help text ends with its line; a label's value with its quote. */
static void put_escaped(FILE *to, const char *text, bool quoted)
{
	for (; *text; text++) {
		if (*text == '\n')
			fputs("\\n", to);
		else if (*text == '\\' || (quoted && *text == '"'))
			fprintf(to, "\\%c", *text);
		else
			fputc(*text, to);
	}
}

/* {a="x",le="0.5"}, or nothing; `le` may be NULL. */
static void put_labels(FILE *to, json_t *labels, const char *le)
{
	const char *name;
	json_t *value;
	const char *before = "{";
	json_object_foreach (labels, name, value) {
		fprintf(to, "%s%s=\"", before, name);
		put_escaped(to, json_string_value(value) ? json_string_value(value) : "", true);
		fputc('"', to);
		before = ",";
	}
	if (le) {
		fprintf(to, "%sle=\"%s\"", before, le);
		before = ",";
	}
	if (*before == ',')
		fputc('}', to);
}

static void put_number(FILE *to, const json_t *n)
{
	if (json_is_real(n))
		fprintf(to, " %.9g\n", json_real_value(n));
	else
		fprintf(to, " %" JSON_INTEGER_FORMAT "\n", json_integer_value(n));
}

static void put_bucket(FILE *to, const char *name, json_t *labels, const char *le, const json_t *n)
{
	fprintf(to, "%s_bucket", name);
	put_labels(to, labels, le);
	put_number(to, n);
}

static void put_histogram(FILE *to, const char *name, const json_t *bounds, const json_t *s)
{
	json_t *labels = json_object_get(s, "labels");
	const json_t *buckets = json_object_get(s, "buckets");
	for (size_t i = 0; i < json_array_size(bounds); i++) {
		char le[32];
		snprintf(le, sizeof le, "%.9g", json_number_value(json_array_get(bounds, i)));
		put_bucket(to, name, labels, le, json_array_get(buckets, i));
	}
	put_bucket(to, name, labels, "+Inf", json_object_get(s, "count"));
	fprintf(to, "%s_sum", name);
	put_labels(to, labels, NULL);
	put_number(to, json_object_get(s, "sum"));
	fprintf(to, "%s_count", name);
	put_labels(to, labels, NULL);
	put_number(to, json_object_get(s, "count"));
}

static void put_head(FILE *to, const char *name, const char *type, const char *help)
{
	fprintf(to, "# HELP %s ", name);
	put_escaped(to, help, false);
	fprintf(to, "\n# TYPE %s %s\n", name, type);
}

static void put_family(FILE *to, const json_t *f)
{
	const char *name = json_str_opt(f, "name", "");
	const char *type = json_str_opt(f, "type", "untyped");
	size_t i;
	json_t *s;
	put_head(to, name, type, json_str_opt(f, "help", ""));
	json_array_foreach (json_object_get(f, "samples"), i, s) {
		if (!strcmp(type, "histogram")) {
			put_histogram(to, name, json_object_get(f, "le"), s);
			continue;
		}
		fputs(name, to);
		put_labels(to, json_object_get(s, "labels"), NULL);
		put_number(to, json_object_get(s, "value"));
	}
}

char *metrics_text(json_t *families)
{
	char *text = NULL;
	size_t size = 0;
	size_t i;
	json_t *f;
	FILE *to = open_memstream(&text, &size);
	if (!to)
		abort();
	put_head(to, "xenpod_up", "gauge", "1: the supervisor answers");
	fprintf(to, "xenpod_up %d\n", families != NULL);
	json_array_foreach (families, i, f)
		put_family(to, f);
	if (fclose(to) != 0)
		abort();
	return text;
}
