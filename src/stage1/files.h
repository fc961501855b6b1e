/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The small files that every app of a pod is given whatever its image has (contract 3.5, 5.6; "files"
 * in proto/spec.h): host name, machine id, and by --dns-conf-mode resolv.conf and hosts.
 */
#ifndef STAGE1_FILES_H
#define STAGE1_FILES_H

#include <jansson.h>

#include "base/err.h"
#include "stage1/dns.h"
#include "stage1/poddir.h"

#define FILES_HOST_RESOLV    "/etc/resolv.conf"
#define FILES_HOST_HOSTS     "/etc/hosts"
#define FILES_STAGE0_RESOLV  PODDIR_S1 "/etc/rkt-resolv.conf"
#define FILES_STAGE0_HOSTS   PODDIR_S1 "/etc/rkt-hosts"
#define FILES_FALLBACK_HOSTS PODDIR_S1 "/etc/hosts-fallback"

/* Adds "files" to each app of a guest's spec. Reads below the working directory. */
int files_describe(const struct dns *dns, json_t *guest, struct err *err);

/* `text` with `name` in its first line for 127.0.0.1, or in a new one. Caller frees. */
char *files_add_name(const char *text, const char *name);

#endif
