/* SPDX-License-Identifier: Apache-2.0 */
/* Output that nobody reads: see unread.h. */
#include "guest/unread.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "guest/pod.h"

static void set_dropping(struct pod *pod, bool on)
{
	pod->dropping = on;
	for (size_t i = 0; i < pod->n_apps; i++)
		for (int k = 0; k < 2; k++)
			output_drop_old(&pod->apps[i].out[k], on);
}

static void nobody_came(struct loop_timer *t)
{
	set_dropping(container_of(t, struct pod, unread), true);
}

void unread_now(struct pod *pod)
{
	loop_timer_stop(&pod->unread);
	set_dropping(pod, true);
}

void unread_begin(struct pod *pod)
{
	/* Where nobody is expected, or the end has begun, no app waits even that long. */
	if (!pod->spec->streams || pod->phase == POD_STOPPING) {
		unread_now(pod);
		return;
	}
	pod->unread.fn = nobody_came;
	loop_timer_set(pod->loop, &pod->unread, UNREAD_MS);
}

void unread_end(struct pod *pod)
{
	loop_timer_stop(&pod->unread);
	set_dropping(pod, false);
	for (size_t i = 0; i < pod->n_apps; i++) {
		pod->apps[i].told_lost[0] = false;
		pod->apps[i].told_lost[1] = false;
	}
}

void unread_look(struct app *app, unsigned k)
{
	if (!app->out[k].lost || app->told_lost[k])
		return;
	app->told_lost[k] = true;
	log_warning("app %s: nobody reads its %s, so the oldest of it is thrown away",
		app->spec->name, k == 0 ? "stdout" : "stderr");
}
