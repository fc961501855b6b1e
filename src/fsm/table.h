/* SPDX-License-Identifier: Apache-2.0 */
/* The table's shape: for the step itself, the property tests and the generator of docs/STATES.md.
 */
#ifndef FSM_TABLE_H
#define FSM_TABLE_H

#include "fsm/pod.h"

struct pod_row_def {
	bool listed;
	enum pod_state next;
	enum pod_effect effects[POD_EFFECTS_MAX];
};

extern const struct pod_row_def pod_table[POD_STATE_MAX_][EV_MAX_];

#endif
