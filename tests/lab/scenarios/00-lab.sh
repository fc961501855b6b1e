#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# TIER: core
# PODS: 1
#
# The lab itself: Xen and Dom-0 serve, the command channel is honest, a plain PV guest made by xl
# boots and shares a folder by 9p, and it leaves nothing. LAB_GUEST_TYPE=pvh on a machine started
# with --pvh shows the same for PVH.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/../lib.sh"

# A ramdisk that says on its console what it reads on the share, and answers there.
guest_ramdisk() {
	local dir=$scratch/ramdisk release path

	release=$("$lab_dir/kernel.sh" --release)
	mkdir -p "$dir/bin" "$dir/modules"
	cp /bin/busybox "$dir/bin/"
	modprobe -S "$release" --show-depends -a 9p 9pnet_xen | sed -n 's/^insmod \([^ ]*\).*/\1/p' |
		awk '!seen[$0]++' | while read -r path; do
		cp "$path" "$dir/modules/"
		basename "$path"
	done >"$dir/modules/order"
	cat >"$dir/init" <<-'END'
		#!/bin/busybox sh
		/bin/busybox mkdir -p /proc /dev /mnt
		/bin/busybox mount -t proc proc /proc
		/bin/busybox mount -t devtmpfs dev /dev
		for m in $(/bin/busybox cat /modules/order); do /bin/busybox insmod /modules/$m; done
		/bin/busybox mount -t 9p -o trans=xen,version=9p2000.L,msize=131072 share /mnt
		echo "guest read: $(/bin/busybox cat /mnt/question)"
		echo "from the guest" >/mnt/answer
		while :; do /bin/busybox sleep 1000; done
	END
	chmod +x "$dir/init"
	(cd "$dir" && find . | cpio --quiet -o -H newc) >"$scratch/ramdisk.cpio"
}

guest_config() {
	cat <<-END
		name = "lab-guest"
		type = "${LAB_GUEST_TYPE:-pv}"
		kernel = "/tmp/lab/vmlinux"
		ramdisk = "/tmp/lab/ramdisk.cpio"
		extra = "console=hvc0 quiet"
		memory = 128
		vcpus = 1
		p9 = [ 'tag=share,security_model=none,path=/tmp/lab/share' ]
		on_poweroff = "destroy"
		on_crash = "destroy"
	END
}

# ---- Dom-0 and the channel --------------------------------------------------------------------

expect_match "Xen 4.17 runs" "$(lab_run xl info)" 'xen_major +: 4.*xen_minor +: 17'
expect_eq "Dom-0 is the only domain" "$(lab_run "xl list | awk 'NR > 1 { print \$1 }'")" Domain-0
check "xen.service is active" lab_run systemctl is-active xen.service
expect_eq "no unit failed" "$(lab_run 'systemctl list-units --plain --no-legend --state=failed')" ''
lab_run 'exit 37'
expect_eq "exit codes pass through" $? 37
expect_eq "stdout and stderr are apart" "$(lab_run 'echo out; echo err >&2' 2>"$scratch/err")" out
expect_eq "stderr has its own" "$(cat "$scratch/err")" err
expect_eq "words stay words" "$(lab_run printf '<%s>' 'a b' "it's" 'a&b;c')" "<a b><it's><a&b;c>"

head -c 3000000 /dev/urandom >"$scratch/bytes"
lab_put "$scratch/bytes" /tmp/bytes && lab_get /tmp/bytes "$scratch/bytes.back"
check "bytes come back as they went (file)" cmp "$scratch/bytes" "$scratch/bytes.back"
lab_in 'cat >/tmp/bytes; cat /tmp/bytes' <"$scratch/bytes" >"$scratch/bytes.back"
check "bytes come back as they went (streams)" cmp "$scratch/bytes" "$scratch/bytes.back"
mkdir -p "$scratch/tree/sub dir" && echo x >"$scratch/tree/sub dir/file" && ln -s none "$scratch/tree/link"
lab_put "$scratch/tree" /tmp/tree && lab_get /tmp/tree "$scratch/tree.back"
check "folders come back as they went" diff -r --no-dereference "$scratch/tree" "$scratch/tree.back"
lab_run 'rm -rf /tmp/bytes /tmp/tree'

# ---- a guest ----------------------------------------------------------------------------------

leftovers_snapshot base
guest_ramdisk
lab_run 'mkdir -p /tmp/lab/share && echo "a question" >/tmp/lab/share/question'
kernel=$(lab_kernel) || bail "no guest kernel"
lab_put "$kernel" /tmp/lab/vmlinux
lab_put "$scratch/ramdisk.cpio" /tmp/lab/ramdisk.cpio
guest_config | lab_in 'cat >/tmp/lab/guest.cfg'
check "xl creates a guest" lab_run xl create /tmp/lab/guest.cfg
expect_soon "the guest writes through 9p" 120 'test -s /tmp/lab/share/answer'
expect_eq "what it wrote" "$(lab_run cat /tmp/lab/share/answer)" "from the guest"
expect_soon "the guest's console is logged" 60 \
	'grep -q "guest read: a question" /var/log/xen/console/guest-lab-guest.log'
expect_match "xl lists it" "$(lab_run xl list)" 'lab-guest'

check_not "a guest that stays is seen as left over" leftovers_diff base 0
check "xl destroys it" lab_run xl destroy lab-guest
# The logs are xl's and xenconsoled's to keep; here they would hide what matters.
lab_run 'rm -rf /tmp/lab; rm -f /var/log/xen/*lab-guest* /var/log/xen/console/guest-lab-guest.log'
expect_nothing_left "nothing is left of it"
finish
