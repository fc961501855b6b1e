/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/messages.h"

const char *message_id(enum message m)
{
	static const char *const ids[] = {
#define X(name, id) [MSG_##name] = (id),
		MESSAGES(X)
#undef X
	};
	return ids[m];
}

const char *message_id_of_end(enum pod_cause cause)
{
	static const char *const ids[CAUSE_MAX_] = {
#define X(name, id) [CAUSE_##name] = (id),
		END_MESSAGES(X)
#undef X
	};
	return ids[cause];
}
