/* SPDX-License-Identifier: Apache-2.0 */
/* The guest's interfaces: loopback, until the network effector gives more. */
#ifndef GUEST_NET_H
#define GUEST_NET_H

#include "base/err.h"

int net_loopback_up(struct err *err);

#endif
