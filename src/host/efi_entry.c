/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Boot entries: load options as the firmware keeps them (UEFI 2.10, 3.1.3 and 10.3). They are made and removed
 * by efibootmgr(8), which knows how a disk is named there; what is there is read by ourselves.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "host/efi.h"
#include "host/exec.h"

/* Device path nodes: type, subtype, length with these four bytes. */
#define NODE_HEAD  4
#define NODE_MEDIA 0x04
#define NODE_DISK  0x01
#define NODE_FILE  0x04
#define NODE_END   0x7f
#define DISK_LEN   42

/* ---- reading ------------------------------------------------------------------------------------------- */

static size_t put_utf8(char *to, unsigned c)
{
	if (c < 0x80) {
		to[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		to[0] = (char)(0xc0 | c >> 6);
		to[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c >= 0xd800 && c < 0xe000) /* halves of a pair: no label of ours has them */
		c = 0xfffd;
	to[0] = (char)(0xe0 | c >> 12);
	to[1] = (char)(0x80 | (c >> 6 & 0x3f));
	to[2] = (char)(0x80 | (c & 0x3f));
	return 3;
}

/* UCS-2 up to its NUL; *ret_used: bytes with it. NULL: there is no NUL. */
static char *text_of(const uint8_t *data, size_t len, size_t *ret_used)
{
	_cleanup_free_ char *text = xmalloc(len / 2 * 3 + 1);
	size_t n = 0;
	for (size_t i = 0; i + 1 < len; i += 2) {
		unsigned c = data[i] | (unsigned)data[i + 1] << 8;
		if (!c) {
			text[n] = '\0';
			*ret_used = i + 2;
			return TAKE_PTR(text);
		}
		n += put_utf8(text + n, c);
	}
	return NULL;
}

/* A GUID as it lies in memory: its first three numbers little-endian (UEFI 2.10, appendix A). */
static char *guid_text(const uint8_t *g)
{
	return xasprintf("%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
		g[3], g[2], g[1], g[0], g[5], g[4], g[7], g[6], g[8], g[9], g[10], g[11], g[12],
		g[13], g[14], g[15]);
}

/* Of a hard drive node: of GPT its GUID; of MBR the disk's signature and the number, as blkid has it. */
static char *partition_of(const uint8_t *node)
{
	const uint8_t *sign = node + 24;
	if (node[41] == 2)
		return guid_text(sign);
	if (node[41] == 1)
		return xasprintf(
			"%02x%02x%02x%02x-%02x", sign[3], sign[2], sign[1], sign[0], node[4]);
	return xstrdup("");
}

static void read_node(const uint8_t *node, size_t len, struct load_option *o)
{
	size_t used;
	char *text;
	if (node[0] != NODE_MEDIA)
		return;
	if (node[1] == NODE_FILE && (text = text_of(node + NODE_HEAD, len - NODE_HEAD, &used))) {
		free(o->loader);
		o->loader = text;
	}
	if (node[1] == NODE_DISK && len >= DISK_LEN) {
		free(o->uuid);
		o->uuid = partition_of(node);
	}
}

static void read_path(const uint8_t *path, size_t len, struct load_option *o)
{
	while (len >= NODE_HEAD && path[0] != NODE_END) {
		size_t node = path[2] | (size_t)path[3] << 8;
		if (node < NODE_HEAD || node > len)
			break;
		read_node(path, node, o);
		path += node;
		len -= node;
	}
}

void load_option_done(struct load_option *o)
{
	free(o->label);
	free(o->loader);
	free(o->uuid);
	*o = (struct load_option){0};
}

int load_option_parse(const uint8_t *data, size_t len, struct load_option *ret)
{
	size_t used;
	if (len < 6)
		return -1;
	size_t paths = data[4] | (size_t)data[5] << 8;
	char *label = text_of(data + 6, len - 6, &used);
	if (!label)
		return -1;
	size_t left = len - 6 - used;
	*ret = (struct load_option){.label = label, .loader = xstrdup(""), .uuid = xstrdup("")};
	read_path(data + 6 + used, paths < left ? paths : left, ret);
	return 0;
}

bool boot_entry_name(const char *name)
{
	return !strncmp(name, "Boot", strlen("Boot")) &&
	       strspn(name + strlen("Boot"), "0123456789ABCDEF") == 4 && !name[strlen("Boot0000")];
}

static int entry_get(const struct host *h, const char *name, json_t **ret, struct err *err)
{
	_cleanup_free_ uint8_t *data = NULL;
	_cleanup_(load_option_done) struct load_option o = {0};
	size_t len;
	if (!boot_entry_name(name))
		return err_set(err, ERR_INVALID, "\"%s\" is no name of a boot entry", name);
	if (efivar_read(h, name, &data, &len, NULL, err) < 0)
		return -1;
	if (!data)
		return 0;
	if (load_option_parse(data, len, &o) < 0)
		*ret = json_make("{s:s,s:s,s:s}", "label", "?", "loader", "", "uuid", "");
	else
		*ret = json_make(
			"{s:s,s:s,s:s}", "label", o.label, "loader", o.loader, "uuid", o.uuid);
	return 0;
}

/* "": udev does not know it. */
static bool partition_same(const json_t *now, const json_t *want)
{
	const char *uuid = json_str_opt(want, "uuid", "");
	return !*uuid || !strcasecmp(json_str_opt(now, "uuid", ""), uuid);
}

/* Number, label, partition and path make it ours. FAT and firmware care for no case. */
static bool entry_same(const json_t *now, const json_t *want)
{
	return !strcmp(json_str_opt(now, "label", ""), json_str_opt(want, "label", "")) &&
	       !strcasecmp(json_str_opt(now, "loader", ""), json_str_opt(want, "loader", "")) &&
	       partition_same(now, want);
}

/* ---- changing ------------------------------------------------------------------------------------------ */

/* libefivar's own way to say where the variables are: another root must not reach this machine's. */
static void point_to(const struct host *h)
{
	_cleanup_free_ char *at = xasprintf("%s" EFI_VARS "/", h->root);
	if (*h->root)
		setenv("EFIVARFS_PATH", at, 1);
}

static int drop(const struct host *h, const char *name, struct err *err)
{
	point_to(h);
	const char *const argv[] = {"efibootmgr", "-q", "-b", name + strlen("Boot"), "-B", NULL};
	return exec_run(&(struct exec){.argv = argv}, NULL, NULL, err);
}

static int make(const struct host *h, const char *name, const json_t *value, struct err *err)
{
	_cleanup_free_ char *part = xasprintf("%d", (int)json_int_opt(value, "part", 0));
	point_to(h);
	const char *const argv[] = {"efibootmgr", "-q", "-C", "-b", name + strlen("Boot"), "-d",
		json_str_opt(value, "disk", ""), "-p", part, "-L", json_str_opt(value, "label", ""),
		"-l", json_str_opt(value, "loader", ""), NULL};
	return exec_run(&(struct exec){.argv = argv}, NULL, NULL, err);
}

/* The boot order stays: efibootmgr takes what it removes out of it, and firmware may put in what is new. */
static int put(
	const struct host *h, const char *name, const json_t *value, bool there, struct err *err)
{
	_cleanup_json_ json_t *order = NULL;
	_cleanup_json_ json_t *after = NULL;
	if (thing_efivar.get(h, "BootOrder", &order, err) < 0 ||
		(there && drop(h, name, err) < 0) || make(h, name, value, err) < 0 ||
		thing_efivar.get(h, "BootOrder", &after, err) < 0)
		return -1;
	if ((!order && !after) || json_equal(order, after))
		return 0;
	if (!order)
		order = json_null();
	return thing_efivar.set(h, "BootOrder", order, err);
}

/* A boot that BootNext would still make of it (a kexec has used up none) is made no more. */
static int forget_next(const struct host *h, const char *name, struct err *err)
{
	_cleanup_free_ uint16_t *next = NULL;
	_cleanup_json_ json_t *none = json_null();
	size_t n;
	if (efivar_get_numbers(h, "BootNext", &next, &n, err) < 0)
		return -1;
	if (n != 1 || next[0] != strtoul(name + strlen("Boot"), NULL, 16))
		return 0;
	return thing_efivar.set(h, "BootNext", none, err);
}

static int entry_set(const struct host *h, const char *name, const json_t *value, struct err *err)
{
	_cleanup_json_ json_t *now = NULL;
	if (entry_get(h, name, &now, err) < 0)
		return -1;
	if (now && strcmp(json_str_opt(now, "label", ""), EFI_LABEL) != 0)
		return err_set(err, ERR_EXISTS, "boot entry %s is \"%s\", not of xenpod", name,
			json_str_opt(now, "label", ""));
	if (json_is_null(value))
		return now && (forget_next(h, name, err) < 0 || drop(h, name, err) < 0) ? -1 : 0;
	return put(h, name, value, now != NULL, err);
}

const struct thing thing_boot_entry = {.kind = "boot-entry",
	.get = entry_get,
	.set = entry_set,
	.same = entry_same,
	.only_new = true};
