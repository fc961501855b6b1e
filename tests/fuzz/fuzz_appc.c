/* SPDX-License-Identifier: Apache-2.0 */
/* Image and pod manifests of strangers: read or refused with a text, the isolators as well. */
/* LINK: appc base */
#include "fuzz.h"

#include "appc/image.h"
#include "appc/pod.h"
#include "base/cleanup.h"

static void limits(const struct appc_app *app)
{
	const struct appc_isolators *i = &app->isolators;
	must(i->memory_bytes >= 0 && i->cpu_milli >= 0 && i->cpu_shares >= 0);
	must((i->caps.kind == APPC_SET_NONE) == (i->caps.names == NULL));
	must((i->seccomp.kind == APPC_SET_NONE) == (i->seccomp.names == NULL));
	must(!app->pre_start || app->pre_start[0]);
	must(!app->post_stop || app->post_stop[0]);
}

static void image(const char *text, size_t len)
{
	_cleanup_err_ struct err err = {0};
	struct appc_image im = {0};
	int r = appc_image_parse(text, len, &im, &err);
	must((r < 0) == (err.msg != NULL));
	if (r == 0) {
		must(im.name != NULL);
		(void)appc_image_label(&im, "version");
		(void)appc_image_annotation(&im, "x");
		if (im.has_app)
			limits(&im.app);
	}
	appc_image_done(&im);
}

static void pod(const char *text, size_t len)
{
	_cleanup_err_ struct err err = {0};
	struct appc_pod p = {0};
	int r = appc_pod_parse(text, len, &p, &err);
	must((r < 0) == (err.msg != NULL));
	for (size_t i = 0; r == 0 && i < p.napps; i++) {
		must(p.apps[i].name != NULL);
		(void)appc_pod_app_annotation(&p.apps[i], "x");
		if (p.apps[i].has_app)
			limits(&p.apps[i].app);
	}
	appc_pod_done(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	image((const char *)data, size);
	pod((const char *)data, size);
	return 0;
}
