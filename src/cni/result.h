/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a plugin says of an ADD that went well (CNI spec 1.0.0 section 5; 0.1.0 and 0.2.0 "Result" for
 * the shape with ip4 and ip6). Plugins are programs of others: everything is checked here, since it
 * goes into resolv.conf, net-info.json and the guest.
 */
#ifndef CNI_RESULT_H
#define CNI_RESULT_H

#include <jansson.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "cni/conf.h"

#define CNI_IPS_MAX     64
#define CNI_IFACES_MAX  64
#define CNI_ROUTES_MAX  1024
#define CNI_DNS_MAX     32  /* of each list */
#define CNI_DNS_TEXT    256 /* bytes of one word */
#define CNI_IP_TEXT_MAX (INET6_ADDRSTRLEN + 4)

struct cni_ip {
	bool v6;
	char address[CNI_IP_TEXT_MAX];  /* "172.16.28.2/24" */
	char ip[INET6_ADDRSTRLEN];      /* "172.16.28.2" */
	unsigned prefix;                /* 24 */
	char gateway[INET6_ADDRSTRLEN]; /* "" when there is none */
};

struct cni_result {
	enum cni_version version;
	json_t *raw;        /* as it came, with cniVersion: prevResult of later calls */
	struct cni_ip *ips; /* those of the pod's interface; none is fine (contract 5.2) */
	size_t n_ips;
	char mac[18]; /* of the pod's interface, "02:aa:.."; "" when it is not told */
	json_t *dns;  /* {nameservers?, domain?, search?, options?}, checked; NULL: none */
};

/*
 * Reads what a plugin printed. `version` is the conf's, for a result without cniVersion; ifname is the
 * pod's interface (several interfaces may be told: addresses of those outside the pod are left out).
 * ERR_INVALID, ERR_UNSUPPORTED (version), ERR_FULL. *ret is empty on failure.
 */
int cni_result_parse(const char *text, enum cni_version version, const char *ifname,
	struct cni_result *ret, struct err *err);
/* The same of JSON, as it was stored. */
int cni_result_read(const json_t *j, enum cni_version version, const char *ifname,
	struct cni_result *ret, struct err *err);

/* The first IPv4 address: what net-info.json shows (contract 5.3). NULL when there is none. */
const struct cni_ip *cni_result_ip4(const struct cni_result *r);
/* The mask of an IPv4 address as rkt writes it: "255.255.255.0". */
void cni_ip_mask(const struct cni_ip *ip, char ret[INET_ADDRSTRLEN]);

/* {addresses:[{address, gateway?}], mac?, dns?, ip, mask} ("" without IPv4). New reference. */
json_t *cni_result_summary(const struct cni_result *r);

/*
 * The same result as one of spec 1.0.0 with the one interface: a prevResult for a plugin chained to a
 * network of any version (portmap). `netns`: its path, as "sandbox". New reference.
 */
json_t *cni_result_current(const struct cni_result *r, const char *ifname, const char *netns);

void cni_result_done(struct cni_result *r);
#define _cleanup_cni_result_ __attribute__((cleanup(cni_result_done)))

#endif
