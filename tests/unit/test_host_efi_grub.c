/* SPDX-License-Identifier: Apache-2.0 */
/* What grub would boot, read from grub.cfg, BLS entries and grubenv, with grub's quoting. */
/* LINK: host base */
/* LIBS: md */
#include "unit.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "host/efi_grub.h"

#define _cleanup_entries_ _cleanup_(boot_entries_done)
#define _cleanup_vars_    _cleanup_(grub_vars_done)

static const char debian[] =
	"### BEGIN /etc/grub.d/00_header ###\n"
	"if [ -s $prefix/grubenv ]; then\n  set have_grubenv=true\n  load_env\nfi\n"
	"function gfxmode {\n\tset gfxpayload=\"${1}\"\n}\n"
	"menuentry 'Debian GNU/Linux' --class debian --class os $menuentry_id_option "
	"'gnulinux-simple-11' {\n"
	"\tload_video\n\tinsmod gzio\n"
	"\tif [ x$grub_platform = xxen ]; then insmod xzio; insmod lzopio; fi\n"
	"\tsearch --no-floppy --fs-uuid --set=root 11-22\n"
	"\techo\t'Loading Linux 6.1.0-50-amd64 ...'\n"
	"\tlinux\t/boot/vmlinuz-6.1.0-50-amd64 root=UUID=11-22 ro  quiet $vt_handoff\n"
	"\techo\t'Loading initial ramdisk ...'\n"
	"\tinitrd\t/boot/initrd.img-6.1.0-50-amd64\n}\n"
	"submenu 'Advanced options for Debian GNU/Linux' $menuentry_id_option 'x' {\n"
	"\tmenuentry 'Debian GNU/Linux, with Linux 6.1.0-49-amd64 (recovery mode)' {\n"
	"\t\tlinux\t/boot/vmlinuz-6.1.0-49-amd64 root=UUID=11-22 ro single \n"
	"\t\tinitrd\t/boot/initrd.img-6.1.0-49-amd64\n\t}\n"
	"\tmenuentry 'Debian GNU/Linux, with Linux 6.1.0-49-amd64' {\n"
	"\t\tlinux\t/boot/vmlinuz-6.1.0-49-amd64 root=UUID=11-22 ro \n"
	"\t\tinitrd\t/boot/ucode.img /boot/initrd.img-6.1.0-49-amd64\n\t}\n"
	"}\n"
	"menuentry 'Debian GNU/Linux, with Xen hypervisor' --class xen {\n"
	"\tmultiboot2\t/boot/xen-4.17-amd64.gz placeholder\n"
	"\tmodule2\t/boot/vmlinuz-6.1.0-50-amd64 placeholder root=UUID=11-22 ro\n"
	"\tmodule2\t--nounzip\t/boot/initrd.img-6.1.0-50-amd64\n}\n"
	"menuentry \"Memory test\" {\n\tlinux16 /memtest.bin\n}\n";

static void assert_entry(
	const struct boot_entry *e, const char *kernel, const char *ramdisk, const char *args)
{
	assert_non_null(e);
	assert_string_equal(e->kernel, kernel);
	assert_string_equal(e->ramdisk ? e->ramdisk : "", ramdisk);
	assert_string_equal(e->args, args);
}

static void a_grub_cfg_of_debian(void **st)
{
	(void)st;
	_cleanup_entries_ struct boot_entries e = {0};
	struct grub_vars none = {0};
	grub_cfg_entries(&e, debian, &none);
	assert_int_equal(e.n, 4);
	assert_string_equal(e.entry[0].title, "Debian GNU/Linux");
	assert_string_equal(e.entry[0].version, "6.1.0-50-amd64");
	assert_entry(boot_entry_choose(&e, NULL), "/boot/vmlinuz-6.1.0-50-amd64",
		"/boot/initrd.img-6.1.0-50-amd64", "root=UUID=11-22 ro quiet");
	/* Of two ramdisks the one with the system. */
	assert_true(e.entry[1].rescue);
	assert_entry(&e.entry[2], "/boot/vmlinuz-6.1.0-49-amd64", "/boot/initrd.img-6.1.0-49-amd64",
		"root=UUID=11-22 ro");
}

static void linuxefi_of_fedora_25(void **st)
{
	(void)st;
	_cleanup_entries_ struct boot_entries e = {0};
	struct grub_vars none = {0};
	grub_cfg_entries(&e,
		"menuentry 'Fedora (4.8.6-300.fc25.x86_64) 25 (Twenty Five)' --class fedora {\n"
		"\tlinuxefi /vmlinuz-4.8.6-300.fc25.x86_64 "
		"root=/dev/mapper/fedora-root ro rd.lvm.lv=fedora/root rhgb quiet \n"
		"\tinitrdefi /initramfs-4.8.6-300.fc25.x86_64.img\n}\n"
		"menuentry 'Fedora (0-rescue-0123) 25 (Twenty Five)' --class fedora {\n"
		"\tlinuxefi /vmlinuz-0-rescue-0123 root=/dev/mapper/fedora-root ro rhgb quiet\n"
		"\tinitrdefi /initramfs-0-rescue-0123.img\n}\n",
		&none);
	assert_int_equal(e.n, 2);
	assert_true(e.entry[1].rescue);
	assert_entry(boot_entry_choose(&e, NULL), "/vmlinuz-4.8.6-300.fc25.x86_64",
		"/initramfs-4.8.6-300.fc25.x86_64.img",
		"root=/dev/mapper/fedora-root ro rd.lvm.lv=fedora/root rhgb quiet");
}

static void bls_of_fedora(void **st)
{
	(void)st;
	_cleanup_entries_ struct boot_entries e = {0};
	_cleanup_vars_ struct grub_vars v = {0};
	grub_vars_env(&v,
		"# GRUB Environment Block\nsaved_entry=abc-6.5.6\n"
		"kernelopts=root=UUID=aa ro rootflags=subvol=root rhgb quiet \nboot_success=0\n"
		"############################");
	bls_entry(&e, "abc-6.5.6-300.fc39.x86_64",
		"title Fedora Linux (6.5.6-300.fc39.x86_64) 39\nversion 6.5.6-300.fc39.x86_64\n"
		"linux /vmlinuz-6.5.6-300.fc39.x86_64\n"
		"initrd /initramfs-6.5.6-300.fc39.x86_64.img $tuned_initrd\n"
		"options $kernelopts $tuned_params\ngrub_users $grub_users\n",
		&v);
	bls_entry(&e, "abc-0-rescue",
		"# a comment\ntitle Fedora, rescue\nversion 0-rescue-abc\nlinux "
		"/vmlinuz-0-rescue-abc\n"
		"initrd /initramfs-0-rescue-abc.img\noptions root=UUID=aa\noptions ro\n",
		&v);
	bls_entry(&e, "efi", "title Windows\nefi /EFI/Microsoft/x.efi\n", &v);
	assert_int_equal(e.n, 2);
	assert_string_equal(e.entry[0].title, "Fedora Linux (6.5.6-300.fc39.x86_64) 39");
	assert_entry(boot_entry_choose(&e, "abc-6.5.6-300.fc39.x86_64"),
		"/vmlinuz-6.5.6-300.fc39.x86_64", "/initramfs-6.5.6-300.fc39.x86_64.img",
		"root=UUID=aa ro rootflags=subvol=root rhgb quiet");
	assert_true(e.entry[1].rescue);
	assert_string_equal(e.entry[1].args, "root=UUID=aa ro");
}

static void add_version(struct boot_entries *e, const char *version)
{
	const struct grub_vars none = {0};
	_cleanup_free_ char *text = xasprintf("version %s\nlinux /vmlinuz-%s\n", version, version);
	bls_entry(e, version, text, &none);
}

/* The second is the newer one, in whichever order they stand; the first when it is the saved one. */
static void versions(void **st)
{
	(void)st;
	static const char *const table[][2] = {
		{"6.1.0-9-amd64", "6.1.0-10-amd64"},
		{"6.11.0~rc5", "6.11.0"},
		{"6.11.0~rc5", "6.11.0~rc6"},
		{"6.11.0-0.rc7", "6.11.0-63"},
		{"6.9.12", "6.11.0~rc1"},
		{"0-rescue-abc", "0"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		for (size_t first = 0; first < 2; first++) {
			_cleanup_entries_ struct boot_entries e = {0};
			add_version(&e, table[i][first]);
			add_version(&e, table[i][!first]);
			assert_string_equal(boot_entry_choose(&e, NULL)->version, table[i][1]);
			assert_string_equal(boot_entry_choose(&e, "other")->version, table[i][1]);
			assert_string_equal(boot_entry_choose(&e, table[i][0])->version,
				table[i][e.entry[first].rescue ? 1 : 0]);
		}
}

static void variables(void **st)
{
	(void)st;
	_cleanup_vars_ struct grub_vars v = {0};
	grub_vars_env(&v, "a=1\na=2\nb=x\\\\y\\\nz\nno value\n=nothing\nlast=");
	grub_vars_cfg(&v, "set a=9\nset c=\"d e\"\nset\nset =x\nif true; then\n  set f='$a'\nfi\n");
	assert_string_equal(grub_vars_get(&v, "a", 1), "2");
	assert_string_equal(grub_vars_get(&v, "b", 1), "x\\y\nz");
	assert_string_equal(grub_vars_get(&v, "c", 1), "d e");
	assert_string_equal(grub_vars_get(&v, "f", 1), "$a");
	assert_string_equal(grub_vars_get(&v, "last", 4), "");
	assert_null(grub_vars_get(&v, "n", 1));
}

static void quotes(void **st)
{
	(void)st;
	static const char *const table[][2] = {
		{"a  b\tc", "a b c"},
		{"'a b' c", "\"a b\" c"},
		{"dyndbg=\"file x +p\"", "\"dyndbg=file x +p\""},
		{"a\\ b", "\"a b\""},
		{"\"\\$x \\\"\" y", "$x \" y"},
		{"'' a", "a"},
		{"x=$one y", "x=1 y"},
		{"\"$two\"", "\"t w\""},
		{"$two", "t w"},
		{"${one}${nothing}2", "12"},
		{"$ ${ ${one", "$ ${ ${one"},
		{"a # b", "a"},
		{"a#b", "a#b"},
		{"a; b", "a"},
		{"a\\\nb", "ab"},
		{"'never ends", "\"never ends\""},
		{"\"never", "never"},
		{"ends\\", "ends"},
		{"uuid={x}", "uuid={x}"},
	};
	_cleanup_vars_ struct grub_vars v = {0};
	grub_vars_env(&v, "one=1\ntwo=t w\n");
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		_cleanup_entries_ struct boot_entries e = {0};
		_cleanup_free_ char *text = xasprintf("menuentry x {\nlinux k %s", table[i][0]);
		grub_cfg_entries(&e, text, &v);
		assert_int_equal(e.n, 1);
		assert_string_equal(e.entry[0].args, table[i][1]);
	}
}

static void nothing(void **st)
{
	(void)st;
	_cleanup_entries_ struct boot_entries e = {0};
	struct grub_vars none = {0};
	grub_cfg_entries(&e, "", &none);
	grub_cfg_entries(&e, "linux /k outside of an entry\ninitrd\nmenuentry\nlinux\n}", &none);
	bls_entry(&e, "x", "", &none);
	bls_entry(&e, "x", "linux\noptions\ninitrd", &none);
	assert_int_equal(e.n, 0);
	assert_null(boot_entry_choose(&e, NULL));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_grub_cfg_of_debian),
	cmocka_unit_test(linuxefi_of_fedora_25),
	cmocka_unit_test(bls_of_fedora),
	cmocka_unit_test(versions),
	cmocka_unit_test(variables),
	cmocka_unit_test(quotes),
	cmocka_unit_test(nothing),
};
UNIT_MAIN(tests, NULL, NULL)
