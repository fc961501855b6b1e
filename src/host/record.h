/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The record of a plan: STATE/NAME.json, replaced whole, on disk when a call returns. Who changes it holds
 * the lock. Used by plan.c.
 */
#ifndef HOST_RECORD_H
#define HOST_RECORD_H

#include "base/json.h"
#include "host/host.h"

struct record {
	const char *of;
	int dir;     /* the directory of records; -1: not there, then there is no record */
	int lock;    /* -1: only read */
	json_t *doc; /* NULL: there is none */
};

/*
 * Takes the lock of all records, until the process ends: what is decided on what is there is decided before
 * anybody else changes it. Later calls of record_open() have it then. ERR_STATE as there.
 */
int record_hold(const struct host *h, struct err *err);
/* To look at it. */
int record_read(const struct host *h, const char *of, struct record *ret, struct err *err);
/* To change it: makes the directory. ERR_STATE: somebody else has it locked. */
int record_open(const struct host *h, const char *of, struct record *ret, struct err *err);
/* Writes `doc`; NULL removes the record. */
int record_save(struct record *r, struct err *err);
/* The step of that kind and name, borrowed; NULL. */
json_t *record_step(const struct record *r, const char *kind, const char *name);
json_t *record_steps(const struct record *r); /* borrowed; NULL: there is no record */
void record_done(struct record *r);

#endif
