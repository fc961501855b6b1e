/* SPDX-License-Identifier: Apache-2.0 */
/* Device models: processes that hold the pod's lock as long as they live. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "sim/sim_int.h"

int64_t qemu_new(struct sim *sim, const char *uuid, int lock_fd)
{
	struct qemu *q = xcalloc(1, sizeof(*q));
	q->pid = sim->next_pid++;
	q->start = sim->now / (10 * MS); /* clock ticks of 10 ms */
	q->lock_fd = lock_fd;
	memcpy(q->uuid, uuid, sizeof(q->uuid));
	q->next = sim->qemus;
	sim->qemus = q;
	return q->pid;
}

struct qemu *qemu_find(const struct sim *sim, int64_t pid)
{
	struct qemu *q = sim->qemus;
	while (q && q->pid != pid)
		q = q->next;
	return q;
}

static void ends(struct sim *sim, const struct event *ev)
{
	struct qemu **at = &sim->qemus;
	while (*at && (*at)->pid != ev->id)
		at = &(*at)->next;
	struct qemu *q = *at;
	if (!q)
		return;
	*at = q->next;
	fd_close(&q->lock_fd);
	if (sim->events.qemu_exit)
		sim->events.qemu_exit(sim->events.ctx, q->uuid, q->pid);
	free(q);
}

void qemu_hup(struct sim *sim, int64_t pid)
{
	struct qemu *q = qemu_find(sim, pid);
	if (!q || q->stuck)
		return;
	int64_t in = latency(sim, SIM_LAT_QEMU);
	switch ((int)fault_strikes(sim, SIM_AT_QEMU, NULL)) {
	case SIM_KIND_HANG:
		q->stuck = true;
		return;
	case SIM_KIND_SLOW:
		in *= SLOW_FACTOR;
		break;
	default:
		break;
	}
	later(sim, in, NEED_NOTHING, ends, pid, 0, NULL);
}

void sim_qemu_kill(struct sim *sim, int64_t pid)
{
	later(sim, latency(sim, SIM_LAT_KILL), NEED_NOTHING, ends, pid, 0, NULL);
}

void qemu_kill_all(struct sim *sim, const char *uuid)
{
	for (struct qemu *q = sim->qemus; q; q = q->next)
		if (!strcmp(q->uuid, uuid))
			later(sim, 0, NEED_NOTHING, ends, q->pid, 0, NULL);
}

bool sim_qemu_alive(const struct sim *sim, int64_t pid)
{
	return qemu_find(sim, pid) != NULL;
}

int64_t sim_qemu_start(const struct sim *sim, int64_t pid)
{
	const struct qemu *q = qemu_find(sim, pid);
	return q ? q->start : 0;
}

void qemus_free(struct sim *sim)
{
	while (sim->qemus) {
		struct qemu *q = sim->qemus;
		sim->qemus = q->next;
		fd_close(&q->lock_fd);
		free(q);
	}
}
