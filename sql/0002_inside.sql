-- SPDX-License-Identifier: Apache-2.0
-- What ends inside a domain: apps killed for want of memory, why an app failed, and the last lines of
-- the domain's console.

INSERT INTO app_states (name) VALUES ('oom');
INSERT INTO pod_causes (name) VALUES ('oom');

ALTER TABLE apps ADD COLUMN message TEXT NOT NULL DEFAULT '';

-- Apart from pods for the same reason as requests: written once. No row: nothing was kept.
CREATE TABLE consoles (
	uuid TEXT PRIMARY KEY NOT NULL REFERENCES pods (uuid) ON DELETE CASCADE,
	text TEXT NOT NULL
) STRICT;
