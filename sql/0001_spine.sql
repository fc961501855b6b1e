-- SPDX-License-Identifier: Apache-2.0
-- The spine: pods, their apps, history, outbox, resource ledger, meta.
-- Everything is stored by name. Times named *_at are wall clock, ns since 1970, 0 = not yet.

CREATE TABLE meta (
	key TEXT PRIMARY KEY NOT NULL,
	value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Names that may be stored: a test compares them with the lists in src/fsm and src/proto. Tables and
-- not CHECK lists, so that a later migration adds a name with one INSERT.

CREATE TABLE pod_states (name TEXT PRIMARY KEY NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO pod_states (name) VALUES
	('accepted'), ('exporting'), ('networking'), ('creating'), ('unpausing'), ('booting'),
	('running'), ('pausing'), ('paused'), ('resuming'), ('stopping'), ('destroying'), ('dying'),
	('clearing'), ('collecting'), ('exited'), ('failed'), ('releasing'), ('gone');

CREATE TABLE pod_wants (name TEXT PRIMARY KEY NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO pod_wants (name) VALUES ('up'), ('down');

CREATE TABLE pod_causes (name TEXT PRIMARY KEY NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO pod_causes (name) VALUES
	(''), ('finished'), ('stopped'), ('killed'), ('run-lost'), ('shutdown'), ('destroyed'),
	('guest-reboot'), ('crashed'), ('host-reboot'), ('qemu-lost'), ('export-failed'),
	('network-failed'), ('create-failed'), ('start-failed'), ('boot-timeout'), ('guest-failed'),
	('store');

CREATE TABLE pod_effects (name TEXT PRIMARY KEY NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO pod_effects (name) VALUES
	('export'), ('network'), ('create'), ('watch'), ('go'), ('pause'), ('resume'), ('ready'),
	('shutdown'), ('destroy'), ('unmap'), ('evict'), ('clear'), ('collect'), ('tell'),
	('release'), ('forget');

-- What a guest can say of an app, and what it is before that.
CREATE TABLE app_states (name TEXT PRIMARY KEY NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO app_states (name) VALUES
	('waiting'), ('starting'), ('running'), ('exited'), ('killed'), ('failed');

CREATE TABLE ledger_kinds (name TEXT PRIMARY KEY NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO ledger_kinds (name) VALUES
	('domain'), ('exports'), ('cgroup'), ('qemu'), ('lock'), ('log'), ('network');

CREATE TABLE pods (
	uuid TEXT PRIMARY KEY NOT NULL
		CHECK (uuid GLOB '????????-????-????-????-????????????'
			AND uuid NOT GLOB '*[^0-9a-f-]*'),
	state TEXT NOT NULL REFERENCES pod_states (name),
	want TEXT NOT NULL REFERENCES pod_wants (name),
	seq INTEGER NOT NULL CHECK (seq >= 0),
	generation INTEGER NOT NULL CHECK (generation >= 0),
	domid INTEGER NOT NULL CHECK (domid >= -1),
	deadline_ns INTEGER NOT NULL CHECK (deadline_ns >= 0),
	boot_id TEXT NOT NULL,
	cause TEXT NOT NULL REFERENCES pod_causes (name),
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
	state TEXT NOT NULL REFERENCES app_states (name),
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
	effect TEXT NOT NULL REFERENCES pod_effects (name),
	UNIQUE (uuid, generation, seq, ord)
) STRICT;

CREATE TABLE ledger (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	uuid TEXT NOT NULL REFERENCES pods (uuid) ON DELETE CASCADE,
	generation INTEGER NOT NULL CHECK (generation >= 0),
	kind TEXT NOT NULL REFERENCES ledger_kinds (name),
	name TEXT NOT NULL,
	state TEXT NOT NULL CHECK (state IN ('intended', 'held', 'released')),
	UNIQUE (uuid, generation, kind, name)
) STRICT;
