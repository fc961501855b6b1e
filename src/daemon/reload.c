/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration, read again: see reload.h. */
#include "daemon/reload.h"

#include "base/cleanup.h"
#include "base/log.h"

#define SECOND INT64_C(1000000000)

void reload_config(const struct daemon_config *cfg, struct engine *e, struct orphans *o)
{
	_cleanup_err_ struct err err = {0};
	struct config now;
	if (config_read(cfg->config_file, cfg->vendor_dir, &now, &err) < 0) {
		log_err("the configuration stays as it was: %s", err_msg(&err));
		return;
	}
	config_override(&now, cfg->given);
	engine_set_limits(e, (int)now.MaxStarts, (int)now.MaxHelpers);
	orphans_set_grace(o, now.OrphanGraceSec * SECOND);
	log_set_max(now.Debug ? LOG_LVL_DEBUG : LOG_LVL_INFO);
	const char *later = config_needs_restart(cfg->config, &now);
	log_notice("the configuration was read again%s%s%s", later ? "; " : "", later ? later : "",
		later ? " needs a restart of xenpodd" : "");
	config_done(&now);
}
