/* SPDX-License-Identifier: Apache-2.0 */
/* Ports of the host that the pod manifest forwards (contract 5.5). */
#ifndef STAGE1_PORTS_H
#define STAGE1_PORTS_H

#include <jansson.h>

#include "stage1/poddir.h"

/*
 * [{protocol, host_ip, host_port, port}] for spec.h's "network", the apps' ports looked up by name;
 * NULL when none are forwarded. Refused: a port of no app or of two, two forwards of one host port,
 * one that a program of this host listens on (it would lose its callers).
 */
int ports_plan(const struct poddir *d, json_t **ret, struct err *err);

#endif
