/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The doctor: a table of things that pods need of a host. Each is looked at by a probe that ends within a
 * deadline whatever it asks. A check whose prerequisite is not fulfilled is not made: so a broken host
 * shows its one cause, and not all that follows from it.
 */
#ifndef HOST_CHECK_H
#define HOST_CHECK_H

#include <stddef.h>
#include <sys/types.h>

#include "host/host.h"

enum finding_state {
	FINDING_OK,
	FINDING_WARN, /* pods run, but not all, or not as well */
	FINDING_FAIL, /* pods do not run */
	FINDING_SKIP, /* not looked at: see `needs` */
};

struct finding {
	enum finding_state state;
	char *text;        /* what is so */
	char *todo;        /* what to do about it; NULL: nothing */
	const char *needs; /* the check that has failed, of those that this one needs; NULL */
};

/* What checks share; a check that needs another one may use what that has found. */
struct doctor {
	const struct host *host;
	int timeout_ms;      /* of each thing that is asked */
	char *xl_info;       /* what `xl info` says: from check "xl" on */
	struct cni_net *net; /* networks of this host: from check "networks" on */
	size_t nets;
	pid_t xenconsoled; /* from check "xenconsoled" on */
};

struct check {
	const char *name;
	const char *needs; /* names of checks before it, with spaces; NULL: none */
	void (*probe)(struct doctor *d, struct finding *ret);
};

/* In the order in which they are made. Ends with {0}. */
extern const struct check CHECKS[];
#define CHECKS_MAX 32

/* Makes them all: ret[i] is of CHECKS[i]. Returns how many there are. */
size_t checks_make(struct doctor *d, struct finding ret[CHECKS_MAX]);
void doctor_done(struct doctor *d);
void finding_done(struct finding *f);

const char *finding_state_name(enum finding_state state);

/* ---- for probes -------------------------------------------------------------------------------------- */

void finding_ok(struct finding *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void finding_bad(struct finding *f, enum finding_state state, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* What to do: one command line, or a sentence with it. */
void finding_todo(struct finding *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The content of a file of the host; NULL: it is not there, no regular one, or cannot be read. */
char *doctor_read(const struct doctor *d, const char *path);
/* Is there anything of that name? */
bool doctor_has(const struct doctor *d, const char *path);
/* The command that starts one of Xen's services, as this host does it; caller frees. */
char *doctor_start_of(const struct doctor *d, const char *service);
/* The command that installs a package; caller frees. */
/* Does systemd have a unit of that name, which is not masked? Without its ".service". */
bool doctor_has_unit(const struct doctor *d, const char *unit);
char *doctor_install_of(const struct doctor *d, const char *debian, const char *fedora);

struct process {
	pid_t pid;
	char state; /* proc(5): 'T' has been stopped */
};
/*
 * The first process with one of these names (/proc/PID/comm; NULL-terminated) whose command line has the
 * words `arg` and after it `value` ("-xen-domid", "0"; NULL: any).
 */
bool doctor_process(const struct doctor *d, const char *const *names, const char *arg,
	const char *value, struct process *ret);

/* One of our own programs, by path: beside this one, or in ../lib/xenpod of it. NULL: not there. */
char *doctor_own_program(const char *name);

/* ---- the probes, by file ------------------------------------------------------------------------------- */

/* check_xen.c */
void check_root(struct doctor *d, struct finding *f);
void check_xen(struct doctor *d, struct finding *f);
void check_dom0(struct doctor *d, struct finding *f);
void check_secure_boot(struct doctor *d, struct finding *f);
void check_libxl(struct doctor *d, struct finding *f);
/* check_kernel.c */
void check_devices(struct doctor *d, struct finding *f);
void check_net_modules(struct doctor *d, struct finding *f);
void check_cgroup(struct doctor *d, struct finding *f);
void check_selinux(struct doctor *d, struct finding *f);
/* check_services.c */
void check_xenstored(struct doctor *d, struct finding *f);
void check_init_dom0(struct doctor *d, struct finding *f);
void check_xenconsoled(struct doctor *d, struct finding *f);
void check_console_log(struct doctor *d, struct finding *f);
void check_disk_backend(struct doctor *d, struct finding *f);
/* check_toolstack.c */
void check_xl(struct doctor *d, struct finding *f);
void check_cpu(struct doctor *d, struct finding *f);
void check_memory(struct doctor *d, struct finding *f);
void check_autoballoon(struct doctor *d, struct finding *f);
void check_qemu(struct doctor *d, struct finding *f);
/* check_network.c */
void check_networks(struct doctor *d, struct finding *f);
void check_cni_plugins(struct doctor *d, struct finding *f);
void check_bridges(struct doctor *d, struct finding *f);
void check_forwarding(struct doctor *d, struct finding *f);
/* check_xenpod.c */
void check_manager(struct doctor *d, struct finding *f);
void check_supervisor(struct doctor *d, struct finding *f);
void check_rkt(struct doctor *d, struct finding *f);

#endif
