/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where our own files are: beside the running program, so that an installation works in whatever
 * directory it was unpacked. Only what is not there is looked for where it was built for.
 */
#ifndef BASE_SELF_H
#define BASE_SELF_H

#define SELF_LIBDIR "../lib/xenpod" /* from bin/ and sbin/ */

/* The real path of `rel` as seen from the program's directory; NULL: nothing is there. Caller frees. */
char *self_beside(const char *rel);

/*
 * A file of lib/xenpod: beside the program (as in a build, or in lib/xenpod itself), in SELF_LIBDIR, or, be
 * it there or not, in the directory that `make` was given. Caller frees; never NULL.
 */
char *self_lib(const char *name);

/* The directory of that file. Caller frees; never NULL. */
char *self_libdir(const char *name);

/* The directory that `make` was given for lib/xenpod: for messages. */
const char *self_built_for(void);

#endif
