/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes, mounts and mount points: see volume.h. */
#include "appc/volume.h"

#include <stdlib.h>
#include <string.h>

#include "appc/acname.h"
#include "appc/lenient.h"
#include "base/alloc.h"

#define MODE_DEFAULT 0755
#define ID_MAX       4294967294 /* (uid_t)-1 means "do not change" to the kernel */

void appc_volume_done(struct appc_volume *v)
{
	free(v->name);
	free(v->source);
	*v = (struct appc_volume){0};
}

void appc_volumes_done(struct appc_volumes *a)
{
	for (size_t i = 0; i < a->n; i++)
		appc_volume_done(&a->v[i]);
	free(a->v);
	*a = (struct appc_volumes){0};
}

void appc_mounts_done(struct appc_mounts *a)
{
	for (size_t i = 0; i < a->n; i++) {
		free(a->v[i].name);
		free(a->v[i].path);
		appc_volume_done(&a->v[i].volume);
	}
	free(a->v);
	*a = (struct appc_mounts){0};
}

void appc_mount_points_done(struct appc_mount_points *a)
{
	for (size_t i = 0; i < a->n; i++) {
		free(a->v[i].name);
		free(a->v[i].path);
	}
	free(a->v);
	*a = (struct appc_mount_points){0};
}

void appc_volume_init_empty(struct appc_volume *ret, const char *name)
{
	*ret = (struct appc_volume){
		.name = xstrdup(name),
		.source = xstrdup(""),
		.recursive = true,
		.mode = MODE_DEFAULT,
	};
}

/* ---- parts ------------------------------------------------------------------------------------- */

static int read_name(const json_t *o, const char *key, char **ret, struct err *err)
{
	const char *name;
	if (lenient_str(o, key, &name, err) < 0)
		return -1;
	if (!acname_valid(name))
		return err_set(
			err, ERR_INVALID, "\"%s\" is \"%s\", which is not a valid name", key, name);
	*ret = xstrdup(name);
	return 0;
}

/* As Go's path.Clean does to an absolute path: no "//", ".", "..", no slash at the end. */
static char *clean(const char *path)
{
	char *out = xmalloc(strlen(path) + 2);
	size_t n = 0;
	while (*path) {
		size_t len = strcspn(path, "/");
		if (len == 2 && !strncmp(path, "..", 2)) {
			while (n && out[--n] != '/')
				;
		} else if (len && !(len == 1 && *path == '.')) {
			out[n++] = '/';
			memcpy(out + n, path, len);
			n += len;
		}
		path += len + (path[len] == '/');
	}
	if (!n)
		out[n++] = '/';
	out[n] = '\0';
	return out;
}

static int read_path(const json_t *o, char **ret, struct err *err)
{
	const char *path;
	if (lenient_str(o, "path", &path, err) < 0)
		return -1;
	if (*path != '/')
		return err_set(
			err, ERR_INVALID, "\"path\" must be an absolute path, not \"%s\"", path);
	*ret = clean(path);
	if (!strcmp(*ret, "/"))
		return err_set(
			err, ERR_INVALID, "\"path\" is %s: the app's root is its image's", path);
	return 0;
}

/* ---- volumes ----------------------------------------------------------------------------------- */

static int read_mode(const json_t *o, mode_t *ret, struct err *err)
{
	const char *text;
	char *end;
	if (lenient_str(o, "mode", &text, err) < 0)
		return -1;
	if (!lenient_get(o, "mode"))
		return 0;
	unsigned long v = strtoul(text, &end, 8);
	if (!*text || strspn(text, "01234567") != strlen(text) || v > 07777)
		return err_set(err, ERR_INVALID,
			"\"mode\" is \"%s\", not octal digits up to \"7777\"", text);
	*ret = (mode_t)v;
	return 0;
}

static int read_id(const json_t *o, const char *key, uint32_t *ret, struct err *err)
{
	int64_t v;
	if (lenient_int(o, key, &v, err) < 0)
		return -1;
	if (v < 0 || v > ID_MAX)
		return err_set(
			err, ERR_INVALID, "\"%s\" is %lld, which no %s is", key, (long long)v, key);
	*ret = (uint32_t)v;
	return 0;
}

static int read_host(const json_t *o, const struct appc_volume *v, struct err *err)
{
	static const char *const foreign[] = {"mode", "uid", "gid"};
	for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++)
		if (lenient_get(o, foreign[i]))
			return err_set(err, ERR_INVALID,
				"\"%s\" is for volumes of kind empty; the source has its own",
				foreign[i]);
	if (*v->source != '/')
		return err_set(err, ERR_INVALID, "\"source\" must be an absolute path, not \"%s\"",
			v->source);
	return 0;
}

static int read_empty(const json_t *o, struct appc_volume *v, struct err *err)
{
	if (*v->source)
		return err_set(err, ERR_INVALID,
			"it is of kind empty and has the \"source\" %s; kind host is meant?",
			v->source);
	if (read_mode(o, &v->mode, err) < 0 || read_id(o, "uid", &v->uid, err) < 0)
		return -1;
	return read_id(o, "gid", &v->gid, err);
}

static int read_kind(const json_t *o, struct appc_volume *v, struct err *err)
{
	const char *kind;
	const char *source;
	if (lenient_str(o, "kind", &kind, err) < 0 || lenient_str(o, "source", &source, err) < 0)
		return -1;
	free(v->source);
	v->source = xstrdup(source);
	v->host = !strcmp(kind, "host");
	if (v->host)
		return read_host(o, v, err);
	if (!strcmp(kind, "empty"))
		return read_empty(o, v, err);
	return err_set(err, ERR_INVALID, "\"kind\" is \"%s\", neither host nor empty", kind);
}

static int read_volume(const json_t *o, struct appc_volume *v, struct err *err)
{
	char *name = NULL;
	if (read_name(o, "name", &name, err) < 0)
		return -1;
	appc_volume_init_empty(v, name);
	free(name);
	v->says_read_only = lenient_get(o, "readOnly") != NULL;
	if (lenient_bool(o, "readOnly", &v->read_only, err) < 0 || read_kind(o, v, err) < 0)
		return err_wrap(err, "volume %s", v->name);
	if (lenient_get(o, "recursive") && lenient_bool(o, "recursive", &v->recursive, err) < 0)
		return err_wrap(err, "volume %s", v->name);
	return 0;
}

int appc_volumes_read(const json_t *o, struct appc_volumes *ret, struct err *err)
{
	json_t *a;
	size_t i;
	json_t *e;
	if (lenient_array(o, "volumes", &a, err) < 0)
		return -1;
	ret->v = xcalloc(json_array_size(a) + 1, sizeof *ret->v);
	json_array_foreach (a, i, e) {
		if (read_volume(e, &ret->v[ret->n++], err) < 0)
			return err_wrap(err, "\"volumes\"");
		for (size_t k = 0; k < i; k++)
			if (!strcmp(ret->v[k].name, ret->v[i].name))
				return err_set(err, ERR_INVALID, "two volumes are named %s",
					ret->v[i].name);
	}
	return 0;
}

/* ---- mounts ------------------------------------------------------------------------------------ */

static int read_mount(const json_t *o, struct appc_mount *m, struct err *err)
{
	json_t *own;
	if (read_name(o, "volume", &m->name, err) < 0 || lenient_obj(o, "appVolume", &own, err) < 0)
		return -1;
	m->own = own != NULL;
	if (read_path(o, &m->path, err) < 0)
		return err_wrap(err, "volume %s", m->name);
	return own && read_volume(own, &m->volume, err) < 0 ? err_wrap(err, "\"appVolume\"") : 0;
}

int appc_mounts_read(const json_t *o, struct appc_mounts *ret, struct err *err)
{
	json_t *a;
	size_t i;
	json_t *e;
	if (lenient_array(o, "mounts", &a, err) < 0)
		return -1;
	ret->v = xcalloc(json_array_size(a) + 1, sizeof *ret->v);
	json_array_foreach (a, i, e) {
		if (read_mount(e, &ret->v[ret->n++], err) < 0)
			return err_wrap(err, "\"mounts\"");
	}
	return 0;
}

static int read_mount_point(const json_t *o, struct appc_mount_point *m, struct err *err)
{
	if (read_name(o, "name", &m->name, err) < 0)
		return -1;
	if (read_path(o, &m->path, err) < 0 || lenient_bool(o, "readOnly", &m->read_only, err) < 0)
		return err_wrap(err, "%s", m->name);
	return 0;
}

int appc_mount_points_read(const json_t *o, struct appc_mount_points *ret, struct err *err)
{
	json_t *a;
	size_t i;
	json_t *e;
	if (lenient_array(o, "mountPoints", &a, err) < 0)
		return -1;
	ret->v = xcalloc(json_array_size(a) + 1, sizeof *ret->v);
	json_array_foreach (a, i, e) {
		if (read_mount_point(e, &ret->v[ret->n++], err) < 0)
			return err_wrap(err, "\"mountPoints\"");
	}
	return 0;
}
