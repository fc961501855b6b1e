/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All SQL that is run again and again, on one page. Parameters are numbered in the order of the
 * column tables in pods.c, apps.c ...; the schema is sql/.
 */
#ifndef STORE_STATEMENTS_H
#define STORE_STATEMENTS_H

/* clang-format off */
#define STATEMENTS(X) \
	X(BEGIN, "BEGIN IMMEDIATE") \
	X(BEGIN_READ, "BEGIN DEFERRED") \
	X(COMMIT, "COMMIT") \
	X(SAVEPOINT, "SAVEPOINT turn") \
	X(SAVEPOINT_RELEASE, "RELEASE turn") \
	X(SAVEPOINT_ROLLBACK, "ROLLBACK TO turn") \
	\
	X(POD_INSERT, \
		"INSERT INTO pods (uuid, state, want, seq, generation, domid, deadline_ns, boot_id," \
		" cause, message, code, forced, qemu_pid, qemu_start, lock_dev, lock_ino," \
		" created_at, started_at, ended_at)" \
		" VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19)") \
	X(POD_UPDATE, \
		"UPDATE pods SET state=?2, want=?3, seq=?4, generation=?5, domid=?6, deadline_ns=?7," \
		" boot_id=?8, cause=?9, message=?10, code=?11, forced=?12, qemu_pid=?13," \
		" qemu_start=?14, lock_dev=?15, lock_ino=?16, created_at=?17, started_at=?18," \
		" ended_at=?19 WHERE uuid=?1 AND seq=?4-1") \
	X(POD_SEQ, "SELECT seq FROM pods WHERE uuid=?1") \
	X(POD_DELETE, "DELETE FROM pods WHERE uuid=?1") \
	X(POD_LIST, \
		"SELECT p.uuid, state, want, seq, generation, domid, deadline_ns, boot_id, cause," \
		" message, code, forced, qemu_pid, qemu_start, lock_dev, lock_ino, created_at," \
		" started_at, ended_at, request, coalesce(policy, 'never'), coalesce(burst, 0)," \
		" coalesce(lives, 0), coalesce(starts, 0), coalesce(tries, 0)," \
		" coalesce(given_up, 0), coalesce(running_ns, 0)" \
		" FROM pods p LEFT JOIN requests r ON r.uuid = p.uuid" \
		" LEFT JOIN restarts a ON a.uuid = p.uuid ORDER BY p.rowid") \
	X(RESTART_PUT, \
		"INSERT INTO restarts (uuid, policy, burst, lives, starts, tries, given_up," \
		" running_ns) VALUES (?1,?2,?3,?4,?5,?6,?7,?8) ON CONFLICT (uuid) DO UPDATE SET" \
		" policy=?2, burst=?3, lives=?4, starts=?5, tries=?6, given_up=?7, running_ns=?8") \
	X(REQUEST_PUT, \
		"INSERT INTO requests (uuid, request) VALUES (?1, ?2)" \
		" ON CONFLICT (uuid) DO UPDATE SET request=excluded.request") \
	\
	X(APP_PUT, \
		"INSERT INTO apps (uuid, idx, name, state, code, signal, seq, started_at, ended_at," \
		" message) VALUES (?10,?1,?2,?3,?4,?5,?6,?7,?8,?9) ON CONFLICT (uuid, idx) DO UPDATE" \
		" SET name=?2, state=?3, code=?4, signal=?5, seq=?6, started_at=?7, ended_at=?8," \
		" message=?9") \
	X(APP_LIST, \
		"SELECT idx, name, state, code, signal, seq, started_at, ended_at, message" \
		" FROM apps WHERE uuid=?1 ORDER BY idx") \
	X(APP_LIST_ALL, \
		"SELECT idx, name, state, code, signal, seq, started_at, ended_at, message, uuid" \
		" FROM apps ORDER BY uuid, idx") \
	\
	X(CONSOLE_PUT, \
		"INSERT INTO consoles (uuid, text) VALUES (?1, ?2)" \
		" ON CONFLICT (uuid) DO UPDATE SET text=excluded.text") \
	X(CONSOLE_GET, "SELECT text FROM consoles WHERE uuid=?1") \
	\
	X(NETWORKS_PUT, \
		"INSERT INTO networks (uuid, nets) VALUES (?1, ?2)" \
		" ON CONFLICT (uuid) DO UPDATE SET nets=excluded.nets") \
	X(NETWORKS_GET, "SELECT nets FROM networks WHERE uuid=?1") \
	\
	X(HISTORY_ADD, \
		"INSERT INTO history (uuid, at, event, from_state, to_state, cause, domid, generation)" \
		" VALUES (?2,?3,?4,?5,?6,?7,?8,?9)") \
	X(HISTORY_FIRST, \
		"INSERT INTO history (seq, uuid, at, event, from_state, to_state, cause, domid," \
		" generation) VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9)") \
	X(HISTORY_PRUNE, \
		"DELETE FROM history WHERE seq <= (SELECT max(seq) FROM history) - ?1") \
	X(HISTORY_LIST, \
		"SELECT seq, uuid, at, event, from_state, to_state, cause, domid, generation" \
		" FROM history WHERE seq > ?1 ORDER BY seq LIMIT ?2") \
	X(HISTORY_LIST_POD, \
		"SELECT seq, uuid, at, event, from_state, to_state, cause, domid, generation" \
		" FROM history WHERE seq > ?1 AND uuid=?3 ORDER BY seq LIMIT ?2") \
	X(HISTORY_BOUNDS, \
		"SELECT (SELECT min(seq) FROM history)," \
		" (SELECT seq FROM sqlite_sequence WHERE name='history')") \
	\
	X(OUTBOX_ADD, \
		"INSERT INTO outbox (uuid, generation, seq, ord, effect) VALUES (?2,?3,?4,?5,?6)") \
	X(OUTBOX_DELETE, "DELETE FROM outbox WHERE id=?1") \
	X(OUTBOX_CLEAR, "DELETE FROM outbox WHERE uuid=?1") \
	X(OUTBOX_LIST, \
		"SELECT id, uuid, generation, seq, ord, effect FROM outbox ORDER BY id") \
	\
	X(LEDGER_PUT, \
		"INSERT INTO ledger (uuid, generation, kind, name, state) VALUES (?1,?2,?3,?4,?5)" \
		" ON CONFLICT (uuid, generation, kind, name) DO UPDATE SET state=excluded.state") \
	X(LEDGER_NEW_LIFE, \
		"DELETE FROM ledger WHERE uuid=?1 AND (state='released' OR (generation > 0" \
		" AND kind='log'))") \
	X(LEDGER_LIST, \
		"SELECT id, uuid, generation, kind, name, state FROM ledger ORDER BY id") \
	X(LEDGER_LIST_POD, \
		"SELECT id, uuid, generation, kind, name, state FROM ledger WHERE uuid=?1 ORDER BY id") \
	\
	X(ORPHAN_PUT, \
		"INSERT INTO orphans (uuid, generation, domid, boot_id, since, why)" \
		" VALUES (?1,?2,?3,?4,?5,?6) ON CONFLICT (uuid, generation, domid) DO UPDATE" \
		" SET boot_id=?4, since=?5, why=?6") \
	X(ORPHAN_DELETE, \
		"DELETE FROM orphans WHERE uuid=?1 AND generation=?2 AND domid=?3") \
	X(ORPHAN_LIST, "SELECT uuid, generation, domid, boot_id, since, why FROM orphans") \
	\
	X(META_SET, \
		"INSERT INTO meta (key, value) VALUES (?1, ?2)" \
		" ON CONFLICT (key) DO UPDATE SET value=excluded.value") \
	X(META_GET, "SELECT value FROM meta WHERE key=?1")
/* clang-format on */

#endif
