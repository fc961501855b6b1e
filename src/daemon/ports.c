/* SPDX-License-Identifier: Apache-2.0 */
/* Who has which port of the host: see ports.h. */
#include "daemon/ports.h"

#include "base/json.h"
#include "daemon/engine_int.h"
#include "proto/hostport.h"

struct search {
	const struct pod *pod;
	const struct pod *other;
	const json_t *port; /* of the new pod */
};

static const json_t *ports_of(const struct pod *p)
{
	return p->request && p->request->ports ? json_object_get(pod_network(p), "ports") : NULL;
}

static void look(void *ctx, struct pod *other)
{
	struct search *s = ctx;
	size_t i;
	size_t k;
	const json_t *mine;
	const json_t *theirs;
	if (s->other || other->core.state > POD_CLEARING)
		return;
	json_array_foreach (ports_of(other), i, theirs)
		json_array_foreach (ports_of(s->pod), k, mine)
			if (hostport_meet(mine, theirs)) {
				s->other = other;
				s->port = mine;
			}
}

int ports_check(struct engine *e, const struct pod *p, struct err *err)
{
	struct search s = {.pod = p};
	if (!json_array_size(ports_of(p)))
		return 0;
	pods_each(e->pods, look, &s);
	for (struct pod *o = e->fresh; o; o = o->fresh_next)
		look(&s, o);
	if (!s.other)
		return 0;
	return err_set(err, ERR_EXISTS,
		"port %s/%lld of this host is pod %s's; stop that, or take another",
		json_str_opt(s.port, "protocol", ""),
		(long long)json_int_opt(s.port, "host_port", 0), s.other->uuid);
}
