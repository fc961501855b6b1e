/* SPDX-License-Identifier: Apache-2.0 */
/* Image manifests: see image.h. */
#include "appc/image.h"

#include <stdlib.h>
#include <string.h>

#include "appc/acname.h"
#include "appc/lenient.h"
#include "base/alloc.h"

void appc_image_done(struct appc_image *image)
{
	appc_app_done(&image->app);
	free(image->name);
	json_decref(image->json);
	*image = (struct appc_image){0};
}

static int check_kind(const json_t *o, struct err *err)
{
	const char *kind;
	const char *version;
	if (lenient_str(o, "acKind", &kind, err) < 0 ||
		lenient_str(o, "acVersion", &version, err) < 0)
		return -1;
	if (strcmp(kind, "ImageManifest"))
		return err_set(
			err, ERR_INVALID, "\"acKind\" is \"%s\", not \"ImageManifest\"", kind);
	if (!*version)
		return err_set(err, ERR_INVALID, "\"acVersion\" is missing");
	return 0;
}

static int read_all(struct appc_image *image, struct err *err)
{
	const json_t *o = image->json;
	const char *name;
	json_t *app;
	if (check_kind(o, err) < 0 || lenient_str(o, "name", &name, err) < 0)
		return -1;
	if (!acname_identifier_valid(name))
		return err_set(err, ERR_INVALID, "\"%s\" is not a valid image name", name);
	image->name = xstrdup(name);
	if (lenient_array(o, "labels", &image->labels, err) < 0 ||
		lenient_array(o, "annotations", &image->annotations, err) < 0 ||
		lenient_filled(o, "dependencies", &image->dependencies, err) < 0 ||
		lenient_filled(o, "pathWhitelist", &image->path_whitelist, err) < 0 ||
		lenient_obj(o, "app", &app, err) < 0)
		return -1;
	if (app && appc_app_parse(app, &image->app, err) < 0)
		return err_wrap(err, "\"app\"");
	image->has_app = app != NULL;
	return 0;
}

int appc_image_parse(const char *text, size_t len, struct appc_image *ret, struct err *err)
{
	struct appc_image image = {.json = lenient_parse(text, len, "image manifest", err)};
	if (!image.json)
		return -1;
	if (read_all(&image, err) < 0) {
		appc_image_done(&image);
		return err_wrap(err, "image manifest");
	}
	*ret = image;
	return 0;
}

const char *appc_image_label(const struct appc_image *image, const char *name)
{
	return lenient_pair_str(image->labels, name);
}

const char *appc_image_annotation(const struct appc_image *image, const char *name)
{
	return lenient_pair_str(image->annotations, name);
}
