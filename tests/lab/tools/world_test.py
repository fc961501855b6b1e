# SPDX-License-Identifier: Apache-2.0
"""20-world's checks, run in Dom-0: real domains through xenpod-watch and xenpod-act. Prints "ok
TEXT" or "not ok TEXT | DETAIL" lines, the scenario counts them."""

import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from world import (  # noqa: E402
    ACT, CGROUPS, ROOT, Child, Pod, Watch, check, domains, sh, soon,
)


def links(pid):
    """What a process has open that can be told apart: sockets, pipes, files of ours."""
    found = set()
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            target = os.readlink(f"/proc/{pid}/fd/{fd}")
        except FileNotFoundError:
            continue
        if target.startswith(("socket:", "pipe:", ROOT, "/root/world", "/memfd:")):
            found.add(target)
    return found


def mounts(path, pid="self"):
    with open(f"/proc/{pid}/mountinfo") as f:
        return [line.split() for line in f if line.split()[4].startswith(path)]


def frames_of(watch, key):
    return [f["value"] for f in watch.seen if f["t"] == "guest" and f["key"] == key]


def failed(answer, code, text=""):
    return answer["t"] == "failed" and answer["code"] == code and text in answer["message"]


# ---- without a domain ------------------------------------------------------------------------


def test_watch_alone(watch):
    hello = watch.hello or {}
    check("hello names Xen 4.17 and that it runs PV", hello.get("version") == 1
          and hello.get("xen", "").startswith("4.17") and hello.get("pv") is True, hello)
    watch.send({"t": "ping", "n": 7})
    check("ping is answered", watch.until(t="pong", n=7))
    check("list leaves Dom-0 out", all(d["domid"] != 0 for d in watch.list(3)))
    watch.send({"t": "dance"})
    check("an unknown frame is a fault, not an end", watch.until(t="fault"))
    watch.send({"t": "watch", "uuid": "no-uuid", "domid": 1, "apps": 1})
    check("so is a frame with nonsense in it", watch.until(t="fault"))
    watch.send({"t": "watch", "uuid": Pod(99).uuid, "domid": 30000, "apps": 1})
    check("a domain that is not there is gone at once", watch.until(t="gone", domid=30000))
    check("watch ends with its socket, exit 0", Watch().end() == 0)


def test_xenstored_stuck(watch):
    pid = int(sh("pidof oxenstored xenstored").split()[0])
    os.kill(pid, signal.SIGSTOP)
    watch.send({"t": "ping", "n": 8})
    silent = watch.until(t="pong", n=8, patience=2) is None
    os.kill(pid, signal.SIGCONT)
    check("no pong while xenstored is stuck", silent)
    check("the pong comes when it goes on", watch.until(t="pong", n=8))


def test_no_xenstored():
    os.environ["XENSTORED_PATH"] = f"{ROOT}/nobody"
    child = Child("/root/world/xenpod-watch", subprocess.PIPE)
    fault = child.receive() or {}
    line = child.process.stderr.read().decode().strip()
    check("watch without xenstored: one line, a fault frame, exit 254",
          child.end() == 254 and fault.get("t") == "fault"
          and "xenstored is not running" in fault["message"]
          and line == f"xenpod-watch: {fault['message']}", f"{fault} {line}")
    answer = Pod(98).act("destroy", domid=-1)
    check("act without xenstored: Unavailable", failed(answer, "Unavailable", "xenstored"), answer)
    del os.environ["XENSTORED_PATH"]


def test_bad_requests(pod):
    check("unknown command: Invalid", failed(pod.act("sing"), "Invalid", "sing"))
    answer = pod.act("clear", dir="/run/../etc")
    check("a path with ..: Invalid", failed(answer, "Invalid", "dir"), answer)
    answer = pod.act("release", logs=["/var/log/xen/../../etc/passwd"])
    check("a log file elsewhere is not removed", failed(answer, "Invalid")
          and os.path.exists("/etc/passwd"), answer)
    answer = pod.act("release", logs=["/etc/passwd"])
    check("nor an absolute one", failed(answer, "Invalid"), answer)
    check("destroy of an absent domain: done", pod.act("destroy", domid=-1)["t"] == "done")
    check("clear of nothing: done", pod.act("clear", dir=pod.dir, cgroup=pod.cgroup)["t"] == "done")
    answer = pod.act("pause", domid=30000)
    check("pause of an absent domain: NotFound", failed(answer, "NotFound"), answer)
    usage = subprocess.run([ACT], capture_output=True, close_fds=True, text=True)
    check("by hand: one line, exit 254", usage.returncode == 254
          and usage.stderr.count("\n") == 1, usage)


def test_create_refused(pod):
    pod.exports()
    child = pod.create(memory_kib=64 * 1024 * 1024)
    answer = child.receive()
    child.end()
    check("too large: Full, says need and have", failed(answer, "Full", "MiB free"), answer)
    child = pod.create(type="pvh")
    answer = child.receive()
    child.end()
    check("PVH on a Xen without: Unsupported", failed(answer, "Unsupported", "PVH"), answer)
    child = pod.create(dir=f"{ROOT}/nowhere")
    answer = child.receive()
    child.end()
    check("trees that are not exported: NotFound", failed(answer, "NotFound", "tree 0"), answer)
    child = pod.create(kernel="ramdisk")
    answer = child.receive()
    child.end()
    check("creation that fails half-way says why", answer["t"] == "failed"
          and "cannot create the domain: no loader found" in answer["message"], answer)
    check("and leaves no domain", not domains(pod.uuid))
    pod.end()


# ---- pod 1: a whole life -----------------------------------------------------------------------


def test_exports(pod):
    for _ in range(2):  # repeated: replaced, not stacked
        answer = pod.exports()
    trees = mounts(f"{pod.dir}/tree/")
    check("exports twice: one mount for each tree", answer["t"] == "done" and len(trees) == 2,
          trees)
    options = [set(m[5].split(",")) for m in trees]
    check("nosuid, nodev; the first read-only", all({"nosuid", "nodev"} <= o for o in options)
          and "ro" in options[0] and "rw" in options[1], options)
    check("the originals are as they were", not mounts(pod.share))


def test_create(pod, watch):
    child = pod.create()
    created = pod.created(child)
    if not check("created", created and created["t"] == "created", created):
        return False
    check("it is paused", domains(pod.uuid) == [(pod.domid, "--p---")], domains(pod.uuid))
    shared = links(pod.qemu) & links(child.process.pid)
    check("QEMU has the pod's lock and nothing else of ours", shared == {pod.rkt_lock}, shared)
    with open(f"/proc/{pod.qemu}/cgroup") as f:
        check("QEMU is in the pod's cgroup", f.read().strip().endswith(
            pod.cgroup.removeprefix("/sys/fs/cgroup")))
    begin = time.monotonic()
    answer = pod.act("pause", domid=pod.domid)
    check("a second helper waits for the first, then TimedOut",
          failed(answer, "TimedOut") and time.monotonic() - begin >= 10, answer)
    watch.send({"t": "watch", "uuid": pod.uuid, "domid": pod.domid, "apps": 1})
    check("watch reports it at once", watch.until(
        t="domain", uuid=pod.uuid, state="paused", store=pod.store, generation=1, built=pod.qemu))
    child.send({"t": "go"})
    check("go: done, exit 0", (child.receive() or {}).get("t") == "done" and child.end() == 0)
    return True


def test_guest(pod, watch):
    watch.seen = []
    check("the guest's states arrive", watch.until(t="guest", key="pod", value="2 running"))
    check("in order", frames_of(watch, "pod") == ["1 booting", "2 running"], watch.seen)
    check("the app's too", frames_of(watch, "app/0") == ["1 running"], watch.seen)
    check("a node that nobody expects does not", not frames_of(watch, "app/7"))
    with open(f"{pod.share}/rw/spec") as f:
        spec = f.read()
    check("the spec is in the ramdisk, with its generation",
          '"secret":"s3same"' in spec and '"generation":1' in spec, spec)
    got = [open(f"{pod.share}/rw/{n}").read().strip() for n in ("mode", "answer", "read-only")]
    check("spec 0600; tree readable; read-only tree refuses", got == ["600", "42", "refused"], got)
    check("the lock is held by QEMU alone", pod.is_locked())


def test_control(pod, watch):
    for t, letters, state in (("pause", "--p---", "paused"), ("unpause", None, "running")):
        answers = [pod.act(t, domid=pod.domid)["t"] for _ in range(2)]
        check(f"{t}, twice: done", answers == ["done", "done"], answers)
        listed = [d for d in watch.list(4) if d["uuid"] == pod.uuid]
        check(f"list says {state}", [d["state"] for d in listed] == [state], listed)
        check("xl agrees", (domains(pod.uuid)[0][1] == "--p---") == (letters == "--p---"))
    child = pod.create(locked=False)
    answer = child.receive()
    child.end()
    check("create while it is there: Exists", failed(answer, "Exists"), answer)
    for what, value in (("generation", 2), ("store", "another")):
        mine = getattr(pod, what)
        setattr(pod, what, value)
        answers = [pod.act(t, domid=d) for t, d in
                   (("destroy", pod.domid), ("destroy", -1), ("shutdown", pod.domid))]
        setattr(pod, what, mine)
        check(f"another {what}: left alone", all(failed(a, "NotPossibleNow") for a in answers)
              and domains(pod.uuid), answers)
    check("another domid: nothing to do", pod.act("destroy", domid=30000)["t"] == "done"
          and domains(pod.uuid))


def test_hostile_guest(pod, watch):
    watch.seen = []
    pod.tell("nonsense")
    frame = soon(lambda: watch.until(t="guest", key="app/0", patience=5)) or {}
    value = frame.get("value", "")
    check("nonsense is cut and made harmless", value.startswith("????b00") and len(value) == 256
          and value.isascii(), frame)
    watch.seen = []
    begin = time.monotonic()
    pod.tell("flood")
    check("a flood is noticed", watch.until(t="noisy", domid=pod.domid, on=True))
    check("the last value comes all the same",
          watch.until(300, t="guest", key="app/0", value="1000 running"))
    values = frames_of(watch, "app/0")
    seconds = time.monotonic() - begin
    check("never more than 50 readings a second", len(values) <= 51 * (seconds + 1),
          f"{len(values)} in {seconds} s")
    # A slow flood may have been taken back already; a long one has doubled its pause.
    noisy = [f["on"] for f in watch.seen if f["t"] == "noisy"]
    check("when it is over it is watched again",
          not noisy[-1] or watch.until(300, t="noisy", domid=pod.domid, on=False), noisy)


def test_stop(pod, watch, how):
    watch.seen = []
    begin = time.monotonic()
    if how == "xl":
        sh(f"xl shutdown {pod.domid}")
    else:
        answer = pod.act("shutdown", domid=pod.domid)
        check("shutdown: done when it is asked for", answer["t"] == "done", answer)
    stop = watch.until(t="domain", domid=pod.domid, state="stopped", reason="poweroff")
    check(f"shutdown by {how}: stopped, poweroff", stop, watch.seen)
    told = [f for f in watch.seen if f["t"] in ("guest", "domain")]
    check("the guest's last word comes before its stop", len(told) == 2
          and told[0].get("value") == "3 stopping", told)
    return time.monotonic() - begin


def test_end(pod, watch):
    answer = pod.act("destroy", domid=pod.domid)
    check("destroy: done", answer["t"] == "done", answer)
    check("gone is reported", watch.until(t="gone", domid=pod.domid, uuid=pod.uuid))
    check("no domain is left", not domains(pod.uuid))
    other = subprocess.Popen(["unshare", "-m", "--propagation", "slave", "sleep", "1000"])
    check("a later namespace has copies of the exports",
          soon(lambda: len(mounts(pod.dir, other.pid)) == 2 and
               os.readlink(f"/proc/{other.pid}/ns/mnt") != os.readlink("/proc/self/ns/mnt")))
    pod.end()
    check("they go with ours", not mounts(pod.dir, other.pid), mounts(pod.dir, other.pid))
    other.kill()
    other.wait()
    check("the lock is free", not pod.is_locked())
    left = [p for p in (pod.dir, pod.cgroup, pod.lock, *pod.logs()) if os.path.exists(p)]
    check("no directory, cgroup, lock file, log", not left and not mounts(pod.dir), left)
    pod.end()  # again: nothing there, done


def test_life(watch):
    pod = Pod(1)
    test_exports(pod)
    if not test_create(pod, watch):
        return
    test_guest(pod, watch)
    test_control(pod, watch)
    test_hostile_guest(pod, watch)
    test_stop(pod, watch, "xenpod-act")
    test_end(pod, watch)


# ---- other ends --------------------------------------------------------------------------------


def test_panic(watch):
    pod = Pod(2)
    check("pod 2 runs", pod.boot(watch))
    pod.tell("panic")
    check("a panic: stopped, crash", watch.until(
        t="domain", domid=pod.domid, state="stopped", reason="crash"), watch.seen[-5:])
    os.kill(watch.process.pid, signal.SIGKILL)
    watch.end()
    watch = Watch()
    listed = [d for d in watch.list(5) if d["uuid"] == pod.uuid]
    check("a new xenpod-watch lists it as it is", [(d["state"], d.get("reason"), d["generation"])
          for d in listed] == [("stopped", "crash", 1)], listed)
    watch.send({"t": "watch", "uuid": pod.uuid, "domid": pod.domid, "apps": 1})
    check("and reports its state when asked to watch",
          watch.until(t="domain", domid=pod.domid, state="stopped", reason="crash"))
    test_end(pod, watch)
    return watch


def test_xl_destroy(watch):
    pod = Pod(3)
    check("pod 3 runs", pod.boot(watch))
    watch.seen = []
    os.kill(pod.qemu, signal.SIGSTOP)  # it has guest pages mapped: the domain cannot go yet
    sh(f"xl destroy {pod.domid}")
    check("xl destroy: dying", watch.until(t="domain", domid=pod.domid, state="dying"), watch.seen)
    check("and never called stopped", not [f for f in watch.seen if f.get("state") == "stopped"])
    check("while QEMU stands still it is not gone", not watch.until(3, t="gone"), watch.seen)
    child = pod.create(locked=False)
    answer = child.receive()
    child.end()
    check("nor can it be created again: Exists", failed(answer, "Exists", "dying"), answer)
    answer = pod.act("destroy", domid=pod.domid)
    check("destroy of a dying one: done, and says so", answer["t"] == "done" and answer["dying"],
          answer)
    check("the lock is still held", pod.is_locked())
    answer = pod.act("clear", dir=pod.dir, cgroup=pod.cgroup)
    check("clear: QEMU dies, the lock is free", answer["t"] == "done" and not pod.is_locked(),
          answer)
    check("and now it is gone", watch.until(t="gone", domid=pod.domid, uuid=pod.uuid), watch.seen)
    pod.end()


def test_xl_shutdown(watch):
    pod = Pod(4)
    check("pod 4 runs", pod.boot(watch))
    test_stop(pod, watch, "xl")
    test_end(pod, watch)


# ---- kill -9 -----------------------------------------------------------------------------------


def test_killed_creates():
    """xenpod-act dies somewhere in create; destroy by UUID and clear leave nothing."""
    pod = Pod(5)
    caught = 0
    for delay in (0.1, 0.4, 0.8, 1.2, 1.6, 2.0, 2.6, 3.2, 4.0, 5.0):
        pod.exports()
        child = pod.create()
        time.sleep(delay)
        child.process.kill()
        created = child.receive()
        child.end()
        there = domains(pod.uuid)
        caught += bool(there) and created is None
        what = f"killed after {delay} s ({there or 'no domain'}, {'created' if created else '-'})"
        answer = pod.act("destroy", domid=-1, cgroup=pod.cgroup)
        check(f"{what}: destroy finds it", answer["t"] == "done" and not domains(pod.uuid), answer)
        good = pod.act("clear", dir=pod.dir, cgroup=pod.cgroup)["t"] == "done"
        busy = soon(lambda: not pod.is_locked(), 10)
        nodes = sh(f"xenstore-ls -f | grep -F {pod.uuid}")
        processes = sh(f"pgrep -af '[{pod.uuid[0]}]{pod.uuid[1:]}'")  # not this shell itself
        check("nothing is left", good and busy and not nodes and not processes and
              not mounts(pod.dir), f"{good} {busy} {nodes} {processes}")
    check("some of these hit a half-built domain", caught >= 2, caught)
    # Who has ended a domain and died has left what its QEMU wrote; its number is known to nobody.
    sh("xenstore-write /local/domain/0/device-model/31999/state running")
    sh("xenstore-write /local/domain/31998/name other; xenstore-write /local/domain/0/device-model/31998/state x")
    pod.act("destroy", domid=-1, cgroup=pod.cgroup)
    left = sh("xenstore-list /local/domain/0/device-model").split()
    check("what a dead QEMU of no domain has left goes", "31999" not in left, left)
    check("what a domain's has, stays", "31998" in left, left)
    sh("xenstore-rm /local/domain/31998; xenstore-rm /local/domain/0/device-model/31998")
    pod.end()


def test_create_again():
    """A domain is destroyed while it is made, and the answer is lost: what is left of it goes before the next one."""
    pod = Pod(8)
    pod.exports()
    child = pod.create()
    if not check("a half-built domain is seen", soon(lambda: domains(pod.uuid))):
        return
    lost = domains(pod.uuid)[0][0]
    soon(lambda: sh(f"pgrep -f -- '-xen-domid {lost} '"), 20)
    sh(f"xl destroy {lost}")
    child.process.kill()
    child.end()
    # As libxl leaves it when the domain goes while it starts the device model.
    sh(f"xenstore-write /local/domain/0/device-model/{lost}/state running "
       f"/local/domain/0/backend/console/{lost}/0/state 1")
    left = subprocess.Popen(["sleep", "1000"])
    with open(f"{pod.cgroup}/cgroup.procs", "w") as f:
        f.write(str(left.pid))
    child = pod.create()
    pod.created(child)
    check("create, where an earlier one has left a QEMU: it is ended", soon(lambda: left.poll() is not None, 10))
    nodes = sh(f"xenstore-ls -f /local/domain/0 | grep -E '/(device-model|console)/{lost}(/| )'")
    check("and its nodes are gone", not nodes, nodes)
    check("the domain has another number, and its QEMU", pod.domid != lost
          and sh(f"pgrep -f -- '-xen-domid {pod.domid} '"), f"{pod.domid} {lost}")
    child.end()
    pod.act("destroy", domid=-1, cgroup=pod.cgroup)
    left.kill()
    left.wait()
    pod.end()


def test_stranger():
    """Somebody's own domain that happens to have a pod's UUID; then one without its nodes."""
    pod = Pod(7)
    pod.exports()
    config = f"{ROOT}/stranger.cfg"
    with open(config, "w") as f:
        f.write(f'name="stranger"\ntype="pv"\nuuid="{pod.uuid}"\nkernel="/root/world/vmlinux"\n'
                f'memory=128\nramdisk="/root/world/ramdisk"\non_crash="preserve"\n')
    made = sh(f"xl create -p {config} 2>&1")
    if not check("a stranger's domain is made", len(domains(pod.uuid)) == 1, made):
        return
    child = pod.create()
    answer = child.receive()
    child.end()
    check("create beside a stranger with that UUID: Exists", failed(answer, "Exists"), answer)
    answer = pod.act("destroy", domid=-1)
    check("a stranger is not destroyed", failed(answer, "NotPossibleNow")
          and len(domains(pod.uuid)) == 1, answer)
    domid = domains(pod.uuid)[0][0]
    sh(f"xenstore-rm /local/domain/{domid}")
    answer = pod.act("destroy", domid=-1)
    check("a half-destroyed domain, known by its UUID alone, is", answer["t"] == "done"
          and not domains(pod.uuid), answer)
    sh(f"xenstore-rm /vm/{pod.uuid}; xenstore-rm /libxl/{domid}; "
       f"xenstore-rm /local/domain/0/backend/console/{domid}; rm -f /var/log/xen/*stranger*"
       f" /var/log/xen/console/*stranger*")
    pod.end()


def test_supervisor_gone():
    pod = Pod(6)
    pod.exports()
    child = pod.create()
    pod.created(child)
    check("end of file before go: it is left paused, exit 1", child.end() == 1
          and domains(pod.uuid) == [(pod.domid, "--p---")], domains(pod.uuid))
    pod.end()


def tests():
    watch = Watch()
    test_watch_alone(watch)
    test_xenstored_stuck(watch)
    test_no_xenstored()
    test_bad_requests(Pod(97))
    test_create_refused(Pod(96))
    test_life(watch)
    watch = test_panic(watch)
    test_xl_destroy(watch)
    test_xl_shutdown(watch)
    test_killed_creates()
    test_create_again()
    test_stranger()
    test_supervisor_gone()
    check("watch ends in good order", watch.end() == 0)
    print("end", flush=True)


def main():
    try:
        tests()
    finally:
        for pod in Pod.all:
            if os.path.exists(pod.dir) or domains(pod.uuid):
                pod.end()
        subprocess.run(["rm", "-rf", ROOT], check=False)
        subprocess.run(["rmdir", CGROUPS], check=False)


if __name__ == "__main__":
    main()
