/* SPDX-License-Identifier: Apache-2.0 */
/* What pods have in the simulated Dom-0 beside domains and QEMU, and what is left of all of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "sim/sim_int.h"

static struct host **find(struct sim *sim, const char *uuid)
{
	struct host **at = &sim->hosts;
	while (*at && strcmp((*at)->uuid, uuid) != 0)
		at = &(*at)->next;
	return at;
}

struct host *host_get(struct sim *sim, const char *uuid)
{
	struct host **at = find(sim, uuid);
	if (!*at) {
		*at = xcalloc(1, sizeof(**at));
		memcpy((*at)->uuid, uuid, UUID_TEXT_SIZE);
	}
	return *at;
}

void host_tidy(struct sim *sim, const char *uuid)
{
	struct host **at = find(sim, uuid);
	struct host *h = *at;
	if (!h || h->exports || h->cgroup || h->logs || h->netns || h->leases || h->ports)
		return;
	*at = h->next;
	free(h);
}

void hosts_free(struct sim *sim)
{
	while (sim->hosts) {
		struct host *h = sim->hosts;
		sim->hosts = h->next;
		free(h);
	}
}

void sim_keep_files(struct sim *to, struct sim *from)
{
	for (const struct host *h = from->hosts; h; h = h->next) {
		struct host *kept = host_get(to, h->uuid);
		kept->logs = h->logs;
		kept->leases = h->leases;
		host_tidy(to, h->uuid);
	}
	to->next_address = from->next_address;
}

static void list_domains(const struct sim *sim, FILE *f)
{
	for (int64_t i = 0; i < sim->dom_top; i++) {
		const struct dom *d = sim->dom[i];
		if (d && d->store)
			fprintf(f, "domain %lld %s %s\n", (long long)d->domid, d->uuid,
				dom_state_name(d->state));
	}
}

char *sim_left(const struct sim *sim)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	if (!f)
		abort();
	list_domains(sim, f);
	for (const struct qemu *q = sim->qemus; q; q = q->next)
		fprintf(f, "qemu %lld %s\n", (long long)q->pid, q->uuid);
	for (const struct helper *h = sim->helpers; h; h = h->next)
		fprintf(f, "helper %lld %s\n", (long long)h->handle, h->uuid);
	for (const struct host *h = sim->hosts; h; h = h->next)
		fprintf(f, "host %s:%s%s%s%s%s%s\n", h->uuid, h->exports ? " exports" : "",
			h->cgroup ? " cgroup" : "", h->logs ? " logs" : "",
			h->netns ? " netns" : "", h->leases ? " leases" : "",
			h->ports ? " ports" : "");
	fclose(f);
	if (len)
		return text;
	free(text);
	return NULL;
}
