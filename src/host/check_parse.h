/* SPDX-License-Identifier: Apache-2.0 */
/* What kernel, Xen and its tools write, taken apart. Knows neither files nor programs. */
#ifndef HOST_CHECK_PARSE_H
#define HOST_CHECK_PARSE_H

#include <stdbool.h>
#include <stddef.h>

/* "xen_caps               : a b": the value of a line of `xl info`; NULL: there is none. Caller frees. */
char *xl_info_value(const char *info, const char *key);
/* The same as a number; -1: there is none. */
long xl_info_number(const char *info, const char *key);

/* Has a list with spaces that word, or one that begins with it ("hvm-" of "hvm-3.0-x86_32")? */
bool list_has(const char *list, const char *word);
bool list_has_begin(const char *list, const char *begin);

/*
 * Of a command line as /proc has it (words that end with NUL): what follows the word `option`, or stands
 * behind "option=" in its own word; NULL. Borrowed.
 */
const char *words_value(const char *words, size_t len, const char *option);

/* The value of `key` in xl.conf ("autoballoon=\"off\""), without quotes; NULL. Caller frees. */
char *conf_value(const char *text, const char *key);

/* /proc/modules, lines that begin with a name; "-" and "_" are one letter for the kernel. */
bool modules_loaded(const char *text, const char *name);
/*
 * modules.dep and modules.builtin: lines that begin with a path, "kernel/drivers/xen/xen-evtchn.ko.xz: ...".
 * The path; NULL: it has none of that name. Caller frees.
 */
char *modules_path(const char *text, const char *name);

/* The "4.17" of "libxenlight.so.4.17" in a program's bytes; NULL: it is not linked with it. Caller frees. */
char *wanted_libxl(const char *program, size_t len);

/* Is the version at least that one? */
bool version_at_least(int major, int minor, int want_major, int want_minor);

/* Does /proc/net/unix have a listening socket of that path? */
bool unix_listens(const char *text, const char *path);

/* Does /proc/net/fib_trie have that IPv4 address as one of this host's own? */
bool fib_is_local(const char *text, const char *address);

/* The first address of "10.1.1.0/24": host-local's gateway when none is said. NULL: no IPv4. Caller frees. */
char *subnet_first(const char *subnet);

#endif
