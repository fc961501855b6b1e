/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file that Xen's EFI loader reads (Xen: docs/misc/efi.pandoc): sections, lines KEY=VALUE. Its options are
 * those of the walk-through (Xen: docs/misc/xen-command-line.pandoc).
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "host/efi.h"

#define CONSOLE  "vga,com1"
#define LOGLVL   "all"
#define DOM0_MEM "4096M,max:4096M"

static void append(char **text, const char *word, size_t len)
{
	char *more = xasprintf("%s%s%.*s", *text, **text ? " " : "", (int)len, word);
	free(*text);
	*text = more;
}

/* What a word sets: what stands before its '='. */
static size_t key_len(const char *word, size_t len)
{
	const char *eq = memchr(word, '=', len);
	return eq ? (size_t)(eq - word) : len;
}

/* The next word of *at, which is moved on; 0: there are no more. */
static size_t next_word(const char **at)
{
	*at += strspn(*at, " \t");
	return strcspn(*at, " \t");
}

static bool sets(const char *words, const char *key, size_t len)
{
	size_t n;
	for (; words && (n = next_word(&words)); words += n)
		if (key_len(words, n) == len && !strncmp(words, key, len))
			return true;
	return false;
}

char *efi_xen_options(const struct efi_ask *a)
{
	const char *console = a->console ? a->console : CONSOLE;
	_cleanup_free_ char *usual = xasprintf(
		"console=%s%s%s iommu=verbose ucode=scan flask=disabled conring_size=2097152 "
		"loglvl=%s autoballoon=0 dom0_mem=%s",
		console, strstr(console, "com1") ? " com1=115200,8n1" : "",
		strstr(console, "com2") ? " com2=115200,8n1" : "", a->loglvl ? a->loglvl : LOGLVL,
		a->dom0_mem ? a->dom0_mem : DOM0_MEM);
	char *text = xstrdup("");
	size_t n;
	for (const char *at = usual; (n = next_word(&at)); at += n)
		if (!sets(a->xen_args, at, key_len(at, n)))
			append(&text, at, n);
	for (const char *at = a->xen_args; at && (n = next_word(&at)); at += n)
		append(&text, at, n);
	return text;
}

char *efi_dom0_args(const char *args)
{
	static const char key[] = "console=";
	char *text = xstrdup("");
	size_t n;
	for (const char *at = args; (n = next_word(&at)); at += n)
		if (strncmp(at, key, strlen(key)) != 0)
			append(&text, at, n);
	append(&text, "console=hvc0 console=tty0", strlen("console=hvc0 console=tty0"));
	return text;
}

/* A line's end would begin another one; the rest of control characters no loader reads. From a '#' on Xen takes
 * the line for a comment, wherever it stands (Xen: common/efi/boot.c, pre_parse). */
static int plain(const char *what, const char *text, struct err *err)
{
	_cleanup_json_ json_t *utf8 = json_string(text);
	for (const char *c = text; *c && utf8; c++)
		if (iscntrl((unsigned char)*c)) {
			json_decref(utf8);
			utf8 = NULL;
			break;
		}
	if (utf8 && strchr(text, '#'))
		return err_set(err, ERR_INVALID,
			"%s cannot hold a \"#\": Xen's loader takes what follows for a comment",
			what);
	if (utf8)
		return 0;
	return err_set(err, ERR_INVALID,
		"control characters and what is no UTF-8 cannot stand in %s", what);
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

int efi_config(const char *options, const struct dom0 *d, char **ret, struct err *err)
{
	_cleanup_free_ char *args = efi_dom0_args(d->args);
	if (plain("Xen's options", options, err) < 0 || plain("Dom-0's arguments", args, err) < 0 ||
		plain("the kernel's name", d->kernel, err) < 0 ||
		plain("the ramdisk's name", d->ramdisk ? d->ramdisk : "", err) < 0)
		return -1;
	if (strpbrk(last_part(d->kernel), " ") ||
		(d->ramdisk && strpbrk(last_part(d->ramdisk), " ")))
		return err_set(err, ERR_INVALID,
			"%s: Xen's loader takes no names with blanks: copy it to another one",
			d->ramdisk && strchr(last_part(d->ramdisk), ' ') ? d->ramdisk : d->kernel);
	*ret = xasprintf("[global]\ndefault=xenpod\n\n[xenpod]\noptions=%s\nkernel=%s %s\n%s%s%s",
		options, last_part(d->kernel), args, d->ramdisk ? "ramdisk=" : "",
		d->ramdisk ? last_part(d->ramdisk) : "", d->ramdisk ? "\n" : "");
	return 0;
}
