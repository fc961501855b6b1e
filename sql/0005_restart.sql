-- SPDX-License-Identifier: Apache-2.0
-- Restart policies and the host's orderly shutdown.

INSERT INTO pod_states (name) VALUES ('backoff'), ('restarting');
INSERT INTO pod_wants (name) VALUES ('again');
INSERT INTO pod_causes (name) VALUES ('host-shutdown'), ('restart-failed');
INSERT INTO pod_effects (name) VALUES ('unlock'), ('spawn'), ('dismiss');

-- Apart from pods, because most have none, and most turns change nothing here. No row: never.
CREATE TABLE restarts (
	uuid TEXT PRIMARY KEY NOT NULL REFERENCES pods (uuid) ON DELETE CASCADE,
	policy TEXT NOT NULL CHECK (policy IN ('never', 'on-failure', 'always')),
	burst INTEGER NOT NULL CHECK (burst >= 0),
	lives INTEGER NOT NULL CHECK (lives >= 0),
	starts INTEGER NOT NULL CHECK (starts >= 0),
	tries INTEGER NOT NULL CHECK (tries >= 0),
	given_up INTEGER NOT NULL CHECK (given_up IN (0, 1)),
	running_ns INTEGER NOT NULL CHECK (running_ns >= 0)
) STRICT;
