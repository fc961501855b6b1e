-- SPDX-License-Identifier: Apache-2.0
-- The spine: pods, their apps, history, outbox, resource ledger, meta.
-- Everything is stored by name. Times named *_at are wall clock, ns since 1970, 0 = not yet.

CREATE TABLE meta (
	key TEXT PRIMARY KEY NOT NULL,
	value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE pods (
	uuid TEXT PRIMARY KEY NOT NULL
		CHECK (uuid GLOB '????????-????-????-????-????????????'
			AND uuid NOT GLOB '*[^0-9a-f-]*'),
	state TEXT NOT NULL CHECK (state <> ''),
	want TEXT NOT NULL CHECK (want IN ('up', 'down', 'gone')),
	seq INTEGER NOT NULL CHECK (seq >= 0),
	generation INTEGER NOT NULL CHECK (generation >= 0),
	domid INTEGER NOT NULL CHECK (domid >= -1),
	deadline_ns INTEGER NOT NULL CHECK (deadline_ns >= 0),
	boot_id TEXT NOT NULL,
	cause TEXT NOT NULL,
	message TEXT NOT NULL,
	code INTEGER NOT NULL CHECK (code BETWEEN -1 AND 255),
	forced INTEGER NOT NULL CHECK (forced IN (0, 1)),
	qemu_pid INTEGER NOT NULL CHECK (qemu_pid >= 0),
	qemu_start INTEGER NOT NULL CHECK (qemu_start >= 0),
	lock_dev INTEGER NOT NULL,
	lock_ino INTEGER NOT NULL,
	created_at INTEGER NOT NULL,
	started_at INTEGER NOT NULL,
	ended_at INTEGER NOT NULL
) STRICT;

-- Apart from pods, because a turn rewrites its whole row and a request is long and never changes.
CREATE TABLE requests (
	uuid TEXT PRIMARY KEY NOT NULL REFERENCES pods (uuid) ON DELETE CASCADE,
	request TEXT NOT NULL CHECK (json_valid(request))
) STRICT;

CREATE TABLE apps (
	uuid TEXT NOT NULL REFERENCES pods (uuid) ON DELETE CASCADE,
	idx INTEGER NOT NULL CHECK (idx >= 0),
	name TEXT NOT NULL CHECK (name <> ''),
	state TEXT NOT NULL CHECK (state <> ''),
	code INTEGER NOT NULL CHECK (code BETWEEN -1 AND 255),
	signal INTEGER NOT NULL CHECK (signal BETWEEN -1 AND 255),
	seq INTEGER NOT NULL CHECK (seq >= 0),
	started_at INTEGER NOT NULL,
	ended_at INTEGER NOT NULL,
	PRIMARY KEY (uuid, idx)
) STRICT, WITHOUT ROWID;

-- Outlives its pod until pruned, so no foreign key. AUTOINCREMENT: a number is never used twice,
-- even after pruning, so whoever watches can resume from it.
CREATE TABLE history (
	seq INTEGER PRIMARY KEY AUTOINCREMENT,
	uuid TEXT NOT NULL,
	at INTEGER NOT NULL,
	event TEXT NOT NULL,
	from_state TEXT NOT NULL,
	to_state TEXT NOT NULL,
	cause TEXT NOT NULL,
	domid INTEGER NOT NULL CHECK (domid >= -1),
	generation INTEGER NOT NULL CHECK (generation >= 0)
) STRICT;
CREATE INDEX history_of_pod ON history (uuid, seq);

CREATE TABLE outbox (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	uuid TEXT NOT NULL REFERENCES pods (uuid) ON DELETE CASCADE,
	generation INTEGER NOT NULL CHECK (generation >= 0),
	seq INTEGER NOT NULL CHECK (seq >= 0),
	ord INTEGER NOT NULL CHECK (ord >= 0),
	effect TEXT NOT NULL CHECK (effect <> ''),
	UNIQUE (uuid, generation, seq, ord)
) STRICT;

-- A table and not a CHECK list: a later migration adds a kind with one INSERT.
CREATE TABLE ledger_kinds (
	name TEXT PRIMARY KEY NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO ledger_kinds (name) VALUES
	('domain'), ('exports'), ('cgroup'), ('qemu'), ('lock'), ('log'), ('network');

CREATE TABLE ledger (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	uuid TEXT NOT NULL REFERENCES pods (uuid) ON DELETE CASCADE,
	generation INTEGER NOT NULL CHECK (generation >= 0),
	kind TEXT NOT NULL REFERENCES ledger_kinds (name),
	name TEXT NOT NULL,
	state TEXT NOT NULL CHECK (state IN ('intended', 'held', 'released')),
	UNIQUE (uuid, generation, kind, name)
) STRICT;
