/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a static program gets in place of glibc's name services (linked by -u, see the Makefile).
 * libnl can look up the names of hosts and protocols; nobody here asks it to, and glibc's own would
 * load shared libraries, which the guest has not.
 */
#include <netdb.h>
#include <stddef.h>

const char noresolver[] = "no name services";
extern const char noresolver[];

int getaddrinfo(
	const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **ret)
{
	(void)node;
	(void)service;
	(void)hints;
	(void)ret;
	return EAI_FAIL;
}

void freeaddrinfo(struct addrinfo *list)
{
	(void)list;
}

int getnameinfo(const struct sockaddr *addr, socklen_t addrlen, char *host, socklen_t hostlen,
	char *serv, socklen_t servlen, int flags)
{
	(void)addr;
	(void)addrlen;
	(void)host;
	(void)hostlen;
	(void)serv;
	(void)servlen;
	(void)flags;
	return EAI_FAIL;
}

struct protoent *getprotobyname(const char *name)
{
	(void)name;
	return NULL;
}

struct protoent *getprotobynumber(int number)
{
	(void)number;
	return NULL;
}
