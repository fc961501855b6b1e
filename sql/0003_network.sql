-- SPDX-License-Identifier: Apache-2.0
-- What the pod's networks turned out to be: addresses, routes, plugins' results. Kept until the pod is
-- removed, because the plugins are told of it again when the network is given back.

-- Apart from pods for the same reason as requests: written once. No row: no network was made.
CREATE TABLE networks (
	uuid TEXT PRIMARY KEY NOT NULL REFERENCES pods (uuid) ON DELETE CASCADE,
	nets TEXT NOT NULL CHECK (json_valid(nets))
) STRICT;
