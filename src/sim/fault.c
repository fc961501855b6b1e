/* SPDX-License-Identifier: Apache-2.0 */
/* Faults: counters that strike at a point of the simulated world. */
#include <stdlib.h>

#include "base/alloc.h"
#include "sim/sim_int.h"

void sim_fault(struct sim *sim, enum sim_point point, unsigned after, unsigned times,
	enum sim_kind kind, const char *text)
{
	struct fault *f = xcalloc(1, sizeof(*f));
	*f = (struct fault){.point = point,
		.kind = kind,
		.after = after,
		.times = times,
		.text = text ? xstrdup(text) : NULL};
	struct fault **end = &sim->faults;
	while (*end)
		end = &(*end)->next;
	*end = f;
}

enum sim_kind fault_strikes(struct sim *sim, enum sim_point point, const char **ret_text)
{
	enum sim_kind kind = SIM_KIND_MAX_;
	if (ret_text)
		*ret_text = NULL;
	for (struct fault *f = sim->faults; f; f = f->next) {
		if (f->point != point)
			continue;
		unsigned n = f->seen++;
		if (kind != SIM_KIND_MAX_ || n < f->after || n - f->after >= f->times)
			continue;
		kind = f->kind;
		if (ret_text)
			*ret_text = f->text;
	}
	return kind;
}

void faults_free(struct sim *sim)
{
	while (sim->faults) {
		struct fault *f = sim->faults;
		sim->faults = f->next;
		free(f->text);
		free(f);
	}
}
