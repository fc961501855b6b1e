/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The supervisor's API server: varlink on two unix sockets (proto/api.h, docs/API.md). Owns the
 * connections; asks the engine for everything else.
 */
#ifndef DAEMON_API_H
#define DAEMON_API_H

#include "daemon/engine.h"
#include "daemon/loop.h"
#include "daemon/orphans.h"
#include "daemon/runner.h"
#include "daemon/sensors.h"

struct api;

struct api_config {
	struct loop *loop;
	struct engine *engine;
	struct sensors *sensors;
	struct orphans *orphans;
	struct runners *runners;
	const char *run_dir;
	/* Fills the Health answer with what the daemon itself knows. */
	void (*health)(void *ctx, json_t *ret);
	/* A start's descriptors came (again): what waited for them may go on. */
	void (*reconnected)(void *ctx, struct pod *p);
	void *ctx;
};

struct api *api_new(const struct api_config *cfg);
void api_free(struct api *a);

/* Takes over a listening socket. */
void api_listen(struct api *a, int sock, bool admin);
/* Makes <run_dir>/admin (0600) and <run_dir>/status (0660, group xenpod when there is one). */
int api_listen_default(struct api *a, struct err *err);

/* The engine's hooks that concern clients. */
void api_on_turn(struct api *a, const struct turn_record *t);
void api_on_history(struct api *a, const struct history_row *h); /* of no turn */
void api_on_unmap(struct api *a, struct pod *p);
void api_on_evict(struct api *a, struct pod *p);
void api_on_tell(struct api *a, struct pod *p);
void api_on_forget(struct api *a, struct pod *p);

/* Is there a live `run` connection for the pod? */
bool api_has_run(const struct api *a, const struct pod *p);
size_t api_connections(const struct api *a);

#endif
