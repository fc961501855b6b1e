/* SPDX-License-Identifier: Apache-2.0 */
/* The newc writer: see cpio.h. */
#include "act/cpio.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"

#define HEADER_LEN 110
#define ALIGN      4

void cpio_done(struct cpio *c)
{
	free(c->data);
	*c = (struct cpio){0};
}

static void append(struct cpio *c, const void *data, size_t len)
{
	if (c->len + len > c->cap) {
		c->cap = (c->len + len) * 2;
		c->data = xreallocarray(c->data, c->cap, 1);
	}
	if (len)
		memcpy(c->data + c->len, data, len);
	c->len += len;
}

static void pad(struct cpio *c)
{
	static const char zeros[ALIGN];
	append(c, zeros, (ALIGN - c->len % ALIGN) % ALIGN);
}

static void entry(
	struct cpio *c, const char *name, unsigned ino, mode_t mode, const void *data, size_t len)
{
	char header[HEADER_LEN + 1];
	unsigned links = S_ISDIR(mode) ? 2 : 1;
	size_t namesize = strlen(name) + 1;
	/* magic ino mode uid gid nlink mtime filesize devmajor devminor rdevmajor rdevminor
	 * namesize check */
	snprintf(header, sizeof header,
		"070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X", ino, (unsigned)mode,
		0U, 0U, links, 0U, (unsigned)len, 0U, 0U, 0U, 0U, (unsigned)namesize, 0U);
	append(c, header, HEADER_LEN);
	append(c, name, namesize);
	pad(c);
	append(c, data, len);
	pad(c);
}

void cpio_add_dir(struct cpio *c, const char *name, mode_t mode)
{
	entry(c, name, ++c->inode, S_IFDIR | mode, NULL, 0);
}

void cpio_add_file(struct cpio *c, const char *name, mode_t mode, const void *data, size_t len)
{
	entry(c, name, ++c->inode, S_IFREG | mode, data, len);
}

void cpio_end(struct cpio *c)
{
	entry(c, "TRAILER!!!", 0, 0, NULL, 0);
}
