/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The supervisor's metrics in the text format of Prometheus (prometheus.io/docs/instrumenting/
 * exposition_formats, version 0.0.4). Knows no metric by name but xenpod_up, its own.
 */
#ifndef TOOLS_METRICS_TEXT_H
#define TOOLS_METRICS_TEXT_H

#include <jansson.h>

#include "base/err.h"

#define METRICS_TEXT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* What the supervisor's Metrics answers ("families", docs/API.md). ERR_UNAVAILABLE: it does not. */
int metrics_ask(json_t **ret, struct err *err);

/* `families` as text; NULL: nobody answers, only xenpod_up 0. A new string. */
char *metrics_text(json_t *families);

#endif
