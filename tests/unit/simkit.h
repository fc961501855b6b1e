/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the simulated world's tests share: one world, a log of all it said, one pod's requests.
 * kit_setup and kit_teardown make and free it around each test.
 */
#ifndef UNIT_SIMKIT_H
#define UNIT_SIMKIT_H

#include "unit.h"

#include <stdio.h>

#include "base/json.h"
#include "sim/sim.h"

#define UUID  "0f8a6e2c-5b1d-4e7f-9a3c-1d2e3f4a5b6c"
#define OTHER "11111111-2222-4333-8444-555555555555"
#define STORE "aaaabbbbccccddddeeeeffff00001111"
#define S     INT64_C(1000000000)
#define LONG  (600 * S)

/* What was heard, a line each, and the last numbers out of it. */
struct simkit {
	struct sim *sim;
	char *log;
	size_t len;
	FILE *f;
	bool inside; /* of a call that must not call back */
	int64_t domid, qemu;
	int64_t op;
	const char *kill_sensor_at; /* when this frame is heard; NULL: never */
	int fd;                     /* stands for lock, kernel, ramdisk, trees */
};

extern struct simkit w;
extern struct err err;
extern const struct sim_events events; /* they write the log */

int kit_setup(void **state);
int kit_teardown(void **state);
void kit_open(uint64_t seed);
void kit_close(void);
void kit_run(int64_t ns);

/* The log: "MS watch|act|exit(N)|... HANDLE FRAME", a line each. */
const char *kit_heard(void);
void kit_forget(void);
void assert_heard(const char *text);
void assert_not_heard(const char *text);
int kit_times_heard(const char *text);

/* Frames are taken. */
void kit_watch_send(json_t *frame);
void kit_watch_domain(int64_t domid);
json_t *kit_request(const char *t);
json_t *kit_create_request(const char *const *exec);
int64_t kit_act(json_t *req, size_t nfds);
void kit_go(int64_t handle);
/* A command, to its end. */
void kit_command(const char *t);
void kit_attach(void);
void kit_operate(enum sim_verb verb, const char *uuid);

#define EXEC(...) ((const char *const[]){__VA_ARGS__, NULL})

/* Exports, created, watched, gone on; runs one second after that. Returns create's handle. */
int64_t kit_start(const char *const *exec);
/* Destroy, clear, release: nothing may be left. */
void kit_end(void);
void assert_nothing_left(void);

#endif
