/* SPDX-License-Identifier: Apache-2.0 */
/* cppcheck reads no system headers: the loops that it must know to read our sources. */
#define json_array_foreach(a, i, v) for (i = 0; (v = json_array_get(a, i)); i++)
#define json_object_foreach(o, k, v)                                                               \
	for (k = json_object_iter_key(o); (v = json_object_get(o, k)); k = next_key(o, k))
#define json_object_foreach_safe(o, n, k, v) json_object_foreach (o, k, v)
