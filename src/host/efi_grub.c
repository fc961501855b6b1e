/* SPDX-License-Identifier: Apache-2.0 */
/* See efi_grub.h. The words of grub's language are taken apart in efi_words.c. */
#include "host/efi_grub.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "host/efi_words.h"

/* ---- variables ----------------------------------------------------------------------------------------- */

void grub_vars_done(struct grub_vars *v)
{
	for (size_t i = 0; i < v->n; i++)
		free(v->text[i]);
	free(v->text);
	*v = (struct grub_vars){0};
}

const char *grub_vars_get(const struct grub_vars *v, const char *name, size_t len)
{
	for (size_t i = 0; i + 1 < v->n; i += 2)
		if (strlen(v->text[i]) == len && !strncmp(v->text[i], name, len))
			return v->text[i + 1];
	return NULL;
}

static void add_var(struct grub_vars *v, const char *name, size_t len, char *value)
{
	v->text = xreallocarray(v->text, v->n + 2, sizeof(*v->text));
	v->text[v->n++] = xstrndup(name, len);
	v->text[v->n++] = value;
}

static void set_var(struct grub_vars *v, const char *name, size_t len, char *value)
{
	for (size_t i = 0; i + 1 < v->n; i += 2)
		if (strlen(v->text[i]) == len && !strncmp(v->text[i], name, len)) {
			free(v->text[i + 1]);
			v->text[i + 1] = value;
			return;
		}
	add_var(v, name, len, value);
}

/* A value up to the end of its line; "\\x" is x, the line's end too. Moves *at behind it. */
static char *env_value(const char **at)
{
	char *value = xmalloc(strlen(*at) + 1);
	size_t n = 0;
	for (; **at && **at != '\n'; ++*at) {
		if (**at == '\\' && (*at)[1])
			++*at;
		value[n++] = **at;
	}
	value[n] = '\0';
	return value;
}

void grub_vars_env(struct grub_vars *v, const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "=\n");
		if (*text != '#' && len && text[len] == '=') {
			const char *name = text;
			text += len + 1;
			set_var(v, name, len, env_value(&text));
		}
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
}

void grub_vars_cfg(struct grub_vars *v, const char *text)
{
	struct grub_words w = {0};
	while (grub_words_next(&w, &text, v)) {
		const char *assign = w.n == 2 && !strcmp(w.word[0], "set") ? w.word[1] : NULL;
		const char *eq = assign ? strchr(assign, '=') : NULL;
		if (eq && eq > assign && !grub_vars_get(v, assign, (size_t)(eq - assign)))
			add_var(v, assign, (size_t)(eq - assign), xstrdup(eq + 1));
	}
	grub_words_done(&w);
}

/* ---- entries ------------------------------------------------------------------------------------------- */

static void entry_done(struct boot_entry *e)
{
	free(e->id);
	free(e->title);
	free(e->kernel);
	free(e->ramdisk);
	free(e->args);
	free(e->version);
	*e = (struct boot_entry){0};
}

void boot_entries_done(struct boot_entries *e)
{
	for (size_t i = 0; i < e->n; i++)
		entry_done(&e->entry[i]);
	free(e->entry);
	*e = (struct boot_entries){0};
}

static void put(char **to, char *value)
{
	free(*to);
	*to = value;
}

/* What follows "vmlinuz-" in its last part: what uname(1) calls the release. */
static char *version_of(const char *kernel)
{
	const char *slash = strrchr(kernel, '/');
	const char *dash = strchr(slash ? slash : kernel, '-');
	return xstrdup(dash ? dash + 1 : "");
}

static bool has_word(const char *args, const char *word)
{
	size_t len = strlen(word);
	for (const char *at = args; (at = strstr(at, word)); at += len)
		if ((at == args || at[-1] == ' ') && (!at[len] || at[len] == ' '))
			return true;
	return false;
}

static bool is_rescue(const struct boot_entry *e)
{
	return strstr(e->kernel, "-rescue") || has_word(e->args, "single") ||
	       has_word(e->args, "recovery") || has_word(e->args, "emergency") ||
	       (e->title && strstr(e->title, "recovery mode"));
}

/* Takes it over when it has a kernel. */
static void add_entry(struct boot_entries *e, struct boot_entry *one)
{
	if (!one->kernel || one->others) {
		entry_done(one);
		return;
	}
	if (!one->args)
		one->args = xstrdup("");
	if (!one->version)
		one->version = version_of(one->kernel);
	one->rescue = is_rescue(one);
	e->entry = xreallocarray(e->entry, e->n + 1, sizeof(*e->entry));
	e->entry[e->n++] = *one;
	*one = (struct boot_entry){0};
}

static bool is_one_of(const char *word, const char *const *list)
{
	for (; *list; list++)
		if (!strcmp(word, *list))
			return true;
	return false;
}

static bool is_microcode(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	return strstr(name, "ucode") || strstr(name, "microcode");
}

/* Of several the first that holds no microcode is the system's: those behind it are laid over it. */
static void use_ramdisks(struct boot_entry *one, const struct grub_words *w)
{
	for (size_t i = 1; i < w->n && (!one->ramdisk || is_microcode(one->ramdisk)); i++)
		put(&one->ramdisk, xstrdup(w->word[i]));
}

/* os-prober(1) names its entries so. */
static bool is_probed(const struct grub_words *w)
{
	for (size_t i = 1; i < w->n; i++)
		if (!strncmp(w->word[i], "osprober-", strlen("osprober-")))
			return true;
	return false;
}

static void cfg_command(struct boot_entries *e, struct boot_entry *one, const struct grub_words *w)
{
	static const char *const linux_words[] = {"linux", "linux16", "linuxefi", NULL};
	static const char *const initrd_words[] = {"initrd", "initrd16", "initrdefi", NULL};
	if (!strcmp(w->word[0], "menuentry")) {
		add_entry(e, one);
		one->title = xstrdup(w->n > 1 ? w->word[1] : "");
		one->others = is_probed(w);
	} else if (w->n > 1 && is_one_of(w->word[0], linux_words)) {
		put(&one->kernel, xstrdup(w->word[1]));
		put(&one->args, grub_words_join(w, 2));
	} else if (w->n > 1 && is_one_of(w->word[0], initrd_words)) {
		use_ramdisks(one, w);
	}
}

void grub_cfg_entries(struct boot_entries *e, const char *text, const struct grub_vars *v)
{
	struct grub_words w = {0};
	struct boot_entry one = {0};
	while (grub_words_next(&w, &text, v))
		if (w.n && (one.title || !strcmp(w.word[0], "menuentry")))
			cfg_command(e, &one, &w);
	add_entry(e, &one);
	grub_words_done(&w);
}

/* A BLS line is a key, blanks, and a value that is no language but for its $variables. */
static void bls_line(struct boot_entry *one, const struct grub_words *w)
{
	const char *key = w->word[0];
	if (w->n < 2)
		return;
	if (!strcmp(key, "title")) {
		put(&one->title, grub_words_join(w, 1));
	} else if (!strcmp(key, "version")) {
		put(&one->version, xstrdup(w->word[1]));
	} else if (!strcmp(key, "linux")) {
		put(&one->kernel, xstrdup(w->word[1]));
	} else if (!strcmp(key, "initrd")) {
		use_ramdisks(one, w);
	} else if (!strcmp(key, "options")) {
		_cleanup_free_ char *more = grub_words_join(w, 1);
		put(&one->args, one->args ? xasprintf("%s %s", one->args, more) : TAKE_PTR(more));
	}
}

void bls_entry(struct boot_entries *e, const char *id, const char *text, const struct grub_vars *v)
{
	struct grub_words w = {.plain = true};
	struct boot_entry one = {0};
	while (grub_words_next(&w, &text, v))
		if (w.n)
			bls_line(&one, &w);
	one.id = xstrdup(id);
	if (!one.title)
		one.title = xstrdup(id);
	add_entry(e, &one);
	grub_words_done(&w);
}

/* As strverscmp(3), but 6.11~rc5 comes before 6.11 (BLS: the version format specification). */
static int compare(const char *a, const char *b)
{
	size_t i = 0;
	while (a[i] && a[i] == b[i])
		i++;
	if ((a[i] == '~') != (b[i] == '~'))
		return a[i] == '~' ? -1 : 1;
	return strverscmp(a, b);
}

const struct boot_entry *boot_entry_choose(const struct boot_entries *e, const char *saved)
{
	const struct boot_entry *best = NULL;
	for (size_t i = 0; i < e->n; i++) {
		const struct boot_entry *one = &e->entry[i];
		if (saved && one->id && !one->rescue && !strcmp(one->id, saved))
			return one;
		if (!best || (best->rescue && !one->rescue) ||
			(best->rescue == one->rescue && compare(one->version, best->version) > 0))
			best = one;
	}
	return best;
}
