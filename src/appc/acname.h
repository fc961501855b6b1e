/* SPDX-License-Identifier: Apache-2.0 */
/* The two name types of the App Container specification (appc/spec, schema/types). */
#ifndef APPC_ACNAME_H
#define APPC_ACNAME_H

#include <stdbool.h>

/* AC Name (apps, volumes, ports): [a-z0-9-], neither first nor last a dash; "a--b" passes. */
bool acname_valid(const char *s);
/* AC Identifier (images, labels, annotations): as above with "._~/" allowed inside. */
bool acname_identifier_valid(const char *s);

/*
 * The app name that stage0 derives from an image's name: what follows the last "/", lower case,
 * other characters replaced by dashes. NULL when nothing is left. Caller frees.
 */
char *acname_from_image(const char *image_name);

#endif
