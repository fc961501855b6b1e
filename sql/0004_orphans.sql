-- SPDX-License-Identifier: Apache-2.0
-- Domains with this store's marker that no pod accounts for and whose end is decided. The row is written
-- before the first of what is done to the domain and goes when all is done: what is there at a start is
-- done again. Not the outbox, because there is no pod for it to belong to.

CREATE TABLE orphans (
	uuid TEXT NOT NULL
		CHECK (uuid GLOB '????????-????-????-????-????????????'
			AND uuid NOT GLOB '*[^0-9a-f-]*'),
	generation INTEGER NOT NULL CHECK (generation >= 0),
	domid INTEGER NOT NULL CHECK (domid > 0),
	boot_id TEXT NOT NULL,
	since INTEGER NOT NULL,
	why TEXT NOT NULL,
	PRIMARY KEY (uuid, generation, domid)
) STRICT, WITHOUT ROWID;
