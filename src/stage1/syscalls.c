/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The named sets of system calls: see syscalls.h. Names that the architecture or libseccomp does
 * not know do no harm here.
 */
#include "stage1/syscalls.h"

#include <stddef.h>
#include <string.h>

#include "base/cleanup.h"

/* clang-format off */

/* What contract 3.4 calls docker's list: what a container may do by default. */
#define DOCKER_ALLOWED \
	"accept accept4 access alarm arch_prctl bind brk capget capset chdir chmod chown " \
	"chown32 chroot clock_getres clock_gettime clock_nanosleep clone close connect " \
	"copy_file_range creat dup dup2 dup3 epoll_create epoll_create1 epoll_ctl epoll_ctl_old " \
	"epoll_pwait epoll_wait epoll_wait_old eventfd eventfd2 execve execveat exit exit_group " \
	"faccessat fadvise64 fadvise64_64 fallocate fanotify_mark fchdir fchmod fchmodat fchown " \
	"fchown32 fchownat fcntl fcntl64 fdatasync fgetxattr flistxattr flock fork fremovexattr " \
	"fsetxattr fstat fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64 futex " \
	"futimesat get_robust_list get_thread_area getcpu getcwd getdents getdents64 getegid " \
	"getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getitimer " \
	"getpeername getpgid getpgrp getpid getppid getpriority getrandom getresgid getresgid32 " \
	"getresuid getresuid32 getrlimit getrusage getsid getsockname getsockopt gettid " \
	"gettimeofday getuid getuid32 getxattr inotify_add_watch inotify_init inotify_init1 " \
	"inotify_rm_watch io_cancel io_destroy io_getevents io_setup io_submit ioctl ioprio_get " \
	"ioprio_set ipc kill lchown lchown32 lgetxattr link linkat listen listxattr llistxattr " \
	"_llseek lremovexattr lseek lsetxattr lstat lstat64 madvise memfd_create mincore mkdir " \
	"mkdirat mknod mknodat mlock mlock2 mlockall mmap mmap2 modify_ldt mprotect " \
	"mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedsend mq_unlink mremap msgctl " \
	"msgget msgrcv msgsnd msync munlock munlockall munmap nanosleep newfstatat _newselect " \
	"open openat pause personality pipe pipe2 poll ppoll prctl pread64 preadv prlimit64 " \
	"pselect6 pwrite64 pwritev read readahead readlink readlinkat readv recv recvfrom " \
	"recvmmsg recvmsg remap_file_pages removexattr rename renameat renameat2 " \
	"restart_syscall rmdir rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo " \
	"rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_tgsigqueueinfo sched_get_priority_max " \
	"sched_get_priority_min sched_getaffinity sched_getattr sched_getparam " \
	"sched_getscheduler sched_rr_get_interval sched_setaffinity sched_setattr " \
	"sched_setparam sched_setscheduler sched_yield seccomp select semctl semget semop " \
	"semtimedop send sendfile sendfile64 sendmmsg sendmsg sendto set_robust_list " \
	"set_thread_area set_tid_address setfsgid setfsgid32 setfsuid setfsuid32 setgid " \
	"setgid32 setgroups setgroups32 setitimer setpgid setpriority setregid setregid32 " \
	"setresgid setresgid32 setresuid setresuid32 setreuid setreuid32 setrlimit setsid " \
	"setsockopt setuid setuid32 setxattr shmat shmctl shmdt shmget shutdown sigaltstack " \
	"signalfd signalfd4 sigreturn socket socketcall socketpair splice stat stat64 statfs " \
	"statfs64 symlink symlinkat sync sync_file_range syncfs sysinfo syslog tee tgkill time " \
	"timer_create timer_delete timer_getoverrun timer_gettime timer_settime timerfd_create " \
	"timerfd_gettime timerfd_settime times tkill truncate truncate64 ugetrlimit umask uname " \
	"unlink unlinkat utime utimensat utimes vfork vmsplice wait4 waitid waitpid write " \
	"writev"

/*
 * Calls that Linux has got since, and that docker's profile has taken up: a C library of today uses
 * rseq, statx, clone3 and faccessat2 in every program, and would die by the older list alone.
 */
#define DOCKER_ALLOWED_SINCE \
	"cachestat clock_getres_time64 clock_gettime64 clock_nanosleep_time64 clone3 " \
	"close_range epoll_pwait2 faccessat2 fchmodat2 futex_time64 futex_waitv io_pgetevents " \
	"io_pgetevents_time64 landlock_add_rule landlock_create_ruleset landlock_restrict_self " \
	"membarrier memfd_secret mq_timedreceive_time64 mq_timedsend_time64 openat2 pidfd_open " \
	"pidfd_send_signal pkey_alloc pkey_free pkey_mprotect ppoll_time64 preadv2 " \
	"process_mrelease pselect6_time64 pwritev2 recvmmsg_time64 rseq rt_sigtimedwait_time64 " \
	"sched_rr_get_interval_time64 semtimedop_time64 statx timer_gettime64 timer_settime64 " \
	"timerfd_gettime64 timerfd_settime64 utimensat_time64"

#define DOCKER_DENIED \
	"acct add_key adjtimex bpf clock_adjtime clock_settime create_module delete_module " \
	"finit_module get_kernel_syms get_mempolicy init_module ioperm iopl kcmp " \
	"kexec_file_load kexec_load keyctl lookup_dcookie mbind mount move_pages " \
	"name_to_handle_at nfsservctl open_by_handle_at perf_event_open pivot_root " \
	"process_vm_readv process_vm_writev ptrace query_module quotactl reboot request_key " \
	"set_mempolicy setns settimeofday stime swapoff swapon _sysctl sysfs umount umount2 " \
	"unshare uselib userfaultfd ustat vm86 vm86old"

/* As `systemd-analyze syscall-filter` of systemd 252 shows them, sets in sets written out. */
#define SYSTEMD_DEFAULT \
	"arch_prctl brk clock_getres clock_getres_time64 clock_gettime clock_gettime64 " \
	"clock_nanosleep clock_nanosleep_time64 execve exit exit_group futex futex_time64 " \
	"futex_waitv get_robust_list get_thread_area getegid getegid32 geteuid geteuid32 getgid " \
	"getgid32 getgroups getgroups32 getpgid getpgrp getpid getppid getrandom getresgid " \
	"getresgid32 getresuid getresuid32 getrlimit getsid gettid gettimeofday getuid getuid32 " \
	"membarrier mmap mmap2 mprotect munmap nanosleep pause prlimit64 restart_syscall rseq " \
	"rt_sigreturn sched_getaffinity sched_yield set_robust_list set_thread_area " \
	"set_tid_address sigreturn time ugetrlimit"

#define SYSTEMD_CLOCK \
	"adjtimex clock_adjtime clock_adjtime64 clock_settime clock_settime64 settimeofday"

#define SYSTEMD_MOUNT \
	"chroot fsconfig fsmount fsopen fspick mount mount_setattr move_mount open_tree " \
	"pivot_root umount umount2"

#define SYSTEMD_NETWORK_IO \
	"accept accept4 bind connect getpeername getsockname getsockopt listen recv recvfrom " \
	"recvmmsg recvmmsg_time64 recvmsg send sendmmsg sendmsg sendto setsockopt shutdown " \
	"socket socketcall socketpair"

#define SYSTEMD_OBSOLETE \
	"afs_syscall bdflush break create_module ftime get_kernel_syms getpmsg gtty idle lock " \
	"mpx prof profil putpmsg query_module security sgetmask ssetmask stime stty _sysctl " \
	"sysfs tuxcall ulimit uselib ustat vserver"

#define SYSTEMD_PRIVILEGED \
	"acct adjtimex bpf capset chown chown32 chroot clock_adjtime clock_adjtime64 " \
	"clock_settime clock_settime64 delete_module fanotify_init fanotify_mark fchown " \
	"fchown32 fchownat finit_module init_module ioperm iopl kexec_file_load kexec_load " \
	"lchown lchown32 nfsservctl open_by_handle_at pivot_root quotactl quotactl_fd reboot " \
	"setdomainname setfsuid setfsuid32 setgroups setgroups32 sethostname setresuid " \
	"setresuid32 setreuid setreuid32 settimeofday setuid setuid32 swapoff swapon _sysctl " \
	"vhangup"

#define SYSTEMD_PROCESS \
	"capget clone clone3 execveat fork getrusage kill pidfd_open pidfd_send_signal prctl " \
	"rt_sigqueueinfo rt_tgsigqueueinfo setns tgkill times tkill unshare vfork wait4 waitid " \
	"waitpid"

#define SYSTEMD_RAW_IO \
	"ioperm iopl"

static const struct {
	const char *name;
	const char *calls;
} sets[] = {
	{"@docker/default-whitelist", DOCKER_ALLOWED " " DOCKER_ALLOWED_SINCE},
	{"@docker/default-blacklist", DOCKER_DENIED},
	{SYSCALLS_DEFAULT, DOCKER_ALLOWED " " DOCKER_ALLOWED_SINCE},
	{"@rkt/default-blacklist", DOCKER_DENIED},
	{SYSCALLS_IMPLIED, SYSTEMD_DEFAULT},
	{"@systemd/clock", SYSTEMD_CLOCK},
	{"@systemd/mount", SYSTEMD_MOUNT},
	{"@systemd/network-io", SYSTEMD_NETWORK_IO},
	{"@systemd/obsolete", SYSTEMD_OBSOLETE},
	{"@systemd/privileged", SYSTEMD_PRIVILEGED},
	{"@systemd/process", SYSTEMD_PROCESS},
	{"@systemd/raw-io", SYSTEMD_RAW_IO},
};
/* clang-format on */

const char *syscalls_of(const char *set)
{
	for (size_t i = 0; i < ARRAY_SIZE(sets); i++)
		if (!strcmp(sets[i].name, set))
			return sets[i].calls;
	return NULL;
}
