# SPDX-License-Identifier: Apache-2.0
"""What `run` makes of manifests and flags, row by row, taken from the contract.

A row has
  of, what   the contract's section, and what is asked
  flags      of `run`; --net=none is added when there is no --net
  app        changes of the app {"exec":["/bin/a"],"user":"0","group":"0"} in the pod manifest
  runtime    changes of the pod manifest's app (readOnlyRootFS, annotations); "app": None leaves the
             app to the image
  apps       instead of one app named one: a list of such, each with name and app
  image      changes of the image manifest
  pod        changes of the pod manifest; raw: its text instead
  files, env, terminal   further files of the pod directory, environment, stdin and stdout a terminal
  size       the terminal's rows and columns
and either
  want       members of the Accept request: app.X is of the first app, apps.N.X, guest.X; a value, a
             predicate, or ABSENT
  says       besides, a pattern of stderr, which else must be empty
or
  refuse     a pattern of the one line with which it ends, exit status 254
"""

ABSENT = "(absent)"
UNLIMITED = 1024 * 1024
OVERHEAD = 100 * 1024  # KiB: 96 MiB and 4 MiB for the one tree
CAPS = sorted(f"CAP_{c}" for c in (
    "AUDIT_WRITE CHOWN DAC_OVERRIDE FSETID FOWNER KILL MKNOD NET_RAW NET_BIND_SERVICE SETUID "
    "SETGID SETPCAP SETFCAP SYS_CHROOT").split())


def flag(of, what, *flags, **more):
    return {"of": of, "what": what, "flags": list(flags), **more}


def iso(name, value):
    return {"name": name, "value": value}


def isolated(what, *isolators, **more):
    """A row of one app with these isolators: contract 3.4."""
    app = {"isolators": list(isolators), **more.pop("app", {})}
    return {"of": "3.4", "what": what, "app": app, **more}


def memory(limit):
    return iso("resource/memory", {"limit": limit})


def cpu(limit):
    return iso("resource/cpu", {"limit": limit})


def caps(how, *names):
    return iso(f"os/linux/capabilities-{how}-set", {"set": list(names)})


def seccomp(how, *names, **more):
    return iso(f"os/linux/seccomp-{how}-set", {"set": list(names), **more})


def named(name, *isolators, **app):
    base = {"exec": ["/bin/a"], "user": "0", "group": "0", "isolators": list(isolators)}
    return {"name": name, "app": {**base, **app}}


def stream(name, mode):
    return {"annotations": [{"name": f"coreos.com/rkt/stage2/{name}", "value": mode}]}


def annotated(name, value):
    return {"annotations": [{"name": name, "value": value}]}


def comes_back(policy):
    return {"annotations": [{"name": "xenpod.io/owner", "value": "xenpod"},
                            {"name": "xenpod.io/restart", "value": policy}]}


def same(names):
    return lambda got: sorted(got) == sorted(names)


def has(*texts):
    return lambda got: all(t in got for t in texts)


def one_filter(got):
    return len(got) == 1 and len(got[0]) > 1000


FLAGS = [
    flag("1.2 #1", "--debug", "--debug", want={"guest.debug": True}),
    flag("1.2 #1", "no --debug", want={"guest.debug": False}),
    flag("1.0", "one dash is as good as two", "-debug", want={"guest.debug": True}),
    flag("1.0", "a boolean with a value", "--debug=f", want={"guest.debug": False}),
    flag("1.0", "a boolean with nonsense", "--debug=maybe", refuse="--debug: \"maybe\" is neither"),
    flag("1.0", "an unknown flag", "--fancy", refuse="unknown flag --fancy"),
    flag("1.2 #2", "no network", "--net=none", want={"net": "none", "network": ABSENT}),
    flag("1.2 #4", "--private-users", "--private-users=65536:65536",
         refuse="not supported yet: --private-users; the domain"),
    flag("1.2 #5", "--mds-token", "--mds-token=0123456789abcdef0123456789abcdef",
         refuse="--mds-token; run the pod without --mds-register"),
    flag("1.2 #6", "--local-config", "--local-config=/etc/rkt"),
    flag("1.0", "a value in the next word", "--local-config", "/etc/rkt", "--debug",
         want={"guest.debug": True}),
    flag("1.2 #7", "--hostname", "--hostname=h.ost", want={"guest.hostname": "h.ost"}),
    flag("3.5", "no --hostname", want={"guest.hostname": "rkt-@UUID@"}),
    flag("1.2 #7", "a host name that is none", "--hostname=a/b", refuse="hostname"),
    flag("1.2 #7", "a host name that is too long", "--hostname=" + "h" * 65,
         refuse="flag --hostname: letters, digits, \"-\" and \".\" are possible, at most 64"),
    flag("3.5", "machine id", want={"guest.machine_id": lambda got: len(got) == 32}),
    flag("1.2 #8", "--dns-conf-mode as by default", "--dns-conf-mode=resolv=default,hosts=default"),
    flag("1.2 #9", "capabilities unrestricted", "--disable-capabilities-restriction",
         want={"app.caps": ABSENT}),
    flag("1.2 #9", "the flag rules over the isolator", "--disable-capabilities-restriction",
         app={"isolators": [caps("retain", "CAP_KILL")]}, want={"app.caps": ABSENT}),
    flag("1.2 #9", "paths unprotected", "--disable-paths", want={"app.protect": False}),
    flag("1.2 #9", "system calls unfiltered", "--disable-seccomp",
         want={"app.seccomp": ABSENT, "guest.filters": []}),
    flag("1.2 #9", "unfiltered, not root: nothing is forced", "--disable-seccomp",
         app={"user": "1000"}, want={"app.no_new_privileges": False}),
    flag("1.2 #9", "all three, as all-run", "--disable-capabilities-restriction", "--disable-paths",
         "--disable-seccomp",
         want={"app.caps": ABSENT, "app.protect": False, "app.seccomp": ABSENT}),
    flag("1.0", "none of them", "--disable-seccomp=false", "--disable-paths=0",
         want={"app.seccomp": 0, "app.protect": True}),
    flag("1.2 #10", "--mutable", "--mutable", refuse="--mutable .app sandbox.; use run with all"),
    flag("1.2 #11", "--ipc=auto", "--ipc=auto"),
    flag("1.2 #11", "--ipc=private", "--ipc=private"),
    flag("4", "--ipc=parent", "--ipc=parent", refuse="--ipc=parent .*use --ipc=private"),
    flag("1.2 #11", "--ipc of another kind", "--ipc=none", refuse="none of auto, private, parent"),
]

INTERACTIVE = [
    flag("3.6", "--interactive with pipes", "--interactive",
         want={"app.stdin": "stream", "app.tty": ABSENT, "app.rows": ABSENT,
               "app.cols": ABSENT, "app.stdout": ABSENT}),
    flag("3.6", "--interactive with a terminal", "--interactive", terminal=True,
         size=(50, 300), env={"TERM": "xterm-256color"},
         want={"app.stdin": "stream", "app.tty": True, "app.rows": 50, "app.cols": 300,
               "app.env": has("TERM=xterm-256color")}),
    flag("1.5", "a terminal that has neither name nor size", "--interactive", terminal=True,
         want={"app.tty": True, "app.rows": 0, "app.cols": 0, "app.env": has("TERM=vt100")}),
    flag("3.2", "the manifest's own TERM", "--interactive", terminal=True, env={"TERM": "xterm"},
         app={"environment": [{"name": "TERM", "value": "dumb"}]},
         want={"app.env": lambda got: [e for e in got if e.startswith("TERM=")] == ["TERM=dumb"]}),
    flag("3.6", "--interactive ignores the annotations", "--interactive",
         runtime=stream("stdout", "tty"), want={"app.stdin": "stream"}),
    flag("1.3 #10", "--interactive with two apps", "--interactive", apps=[named("a"), named("b")],
         refuse="--interactive is for pods of one app, this one has 2"),
    flag("3.6", "a terminal and not --interactive", terminal=True,
         want={"app.stdin": "null", "app.tty": ABSENT}),
]

STREAMS = [
    {"of": "3.6", "what": "by default nothing in, all out",
     "want": {"app.stdin": "null", "app.stdout": ABSENT, "app.stderr": ABSENT}},
    {"of": "3.6", "what": "stdout=null", "runtime": stream("stdout", "null"),
     "want": {"app.stdout": "null", "app.stderr": ABSENT}},
    {"of": "3.6", "what": "stderr=null", "runtime": stream("stderr", "null"),
     "want": {"app.stdout": ABSENT, "app.stderr": "null"}},
    {"of": "3.6", "what": "stdin=null", "runtime": stream("stdin", "null"),
     "want": {"app.stdin": "null"}},
    {"of": "3.6", "what": "stdout=log", "runtime": stream("stdout", "log"),
     "want": {"app.stdout": ABSENT}},
    {"of": "3.6", "what": "a mode that does not exist is the default",
     "runtime": stream("stdout", "sideways"), "want": {"app.stdout": ABSENT}},
    {"of": "3.6", "what": "stdin=tty", "runtime": stream("stdin", "tty"),
     "refuse": "app one: .*--stdin=tty .there is no attach.; use run --interactive"},
    {"of": "3.6", "what": "stdout=stream", "runtime": stream("stdout", "stream"),
     "refuse": "app one: .*--stdout=stream"},
    {"of": "3.6", "what": "stdin=interactive", "runtime": stream("stdin", "interactive"),
     "refuse": "app one: .*--stdin=interactive"},
    {"of": "3.6", "what": "kubernetes log files",
     "pod": annotated("coreos.com/rkt/experiment/logmode", "k8s-plain"),
     "refuse": "kubernetes log files"},
]

POD = [
    {"of": "1.3 #1", "what": "two apps of one name", "apps": [named("a"), named("a")],
     "refuse": "two apps are named a"},
    {"of": "3.1", "what": "an app's name as long as can be", "apps": [named("a" * 64)]},
    {"of": "3.1", "what": "an app's name that is too long", "apps": [named("a" * 65)],
     "refuse": "app a{65}: a name of an app has at most 64 letters; give it another .try --name="},
    {"of": "3.1", "what": "a pod manifest that is too large", "pod": {"userLabels": {"a": "b" * 2**19}},
     "refuse": "not a pod directory: pod is larger than 524288 bytes"},
    {"of": "3.1", "what": "an image manifest that is too large", "image": {"labels": ["b" * 2**19]},
     "refuse": "app one: .*/one/manifest is larger than 524288 bytes"},
    {"of": "3.1", "what": "a pod whose spec is too large",
     "app": {"environment": [{"name": "A", "value": "b" * 491520}]},
     "refuse": "the pod is 49[0-9] KiB as text, at most 480 KiB are possible; shorten environments"},
    {"of": "1.3 #1", "what": "two volumes of one name",
     "pod": {"volumes": [{"name": "v", "kind": "empty"}, {"name": "v", "kind": "empty"}]},
     "refuse": "two volumes are named v"},
    {"of": "1.3 #1", "what": "the app of the image", "runtime": {"app": None},
     "image": {"app": {"exec": ["/of/image", "x"], "user": "5", "group": "6"}},
     "want": {"app.exec": ["/of/image", "x"], "app.user": "5", "app.group": "6"}},
    {"of": "1.3 #1", "what": "the pod's app rules over the image's",
     "image": {"app": {"exec": ["/of/image"], "user": "5", "group": "6"}},
     "want": {"app.exec": ["/bin/a"], "app.user": "0"}},
    {"of": "1.3 #1", "what": "neither says what to run", "runtime": {"app": None},
     "refuse": "app one: neither the pod manifest nor image .*--exec=BINARY"},
    {"of": "3", "what": "keys in another case, unknown keys, null arrays",
     "raw": '{"ACKIND":"PodManifest","Apps":[{"NAME":"one","Image":{"ID":"sha512-0"},"future":1,'
            '"App":{"Exec":["/x"],"USER":"7","group":"8","isolators":null,"ports":null,'
            '"supplementarygids":[9]}}],"volumes":null,"ports":null,"annotations":null}',
     "want": {"app.exec": ["/x"], "app.user": "7", "app.gids": [9]}},
    {"of": "3", "what": "no JSON", "raw": "{", "refuse": "pod manifest is not valid JSON"},
    {"of": "3", "what": "another kind", "raw": '{"acKind":"ImageManifest"}',
     "refuse": "not \"PodManifest\""},
    {"of": "3.1", "what": "a mutable pod", "pod": annotated("coreos.com/rkt/stage1/mutable", "true"),
     "refuse": "mutable pods"},
    {"of": "3.1", "what": "a pod that is not mutable",
     "pod": annotated("coreos.com/rkt/stage1/mutable", "false")},
    {"of": "3.1", "what": "no apps", "pod": {"apps": []}, "refuse": "has no apps"},
    {"of": "3.1", "what": "more apps than can be", "apps": [named(f"a{i}") for i in range(33)],
     "refuse": "33 apps, at most 32"},
    {"of": "3.1", "what": "a name with a slash", "pod": {"apps": [{"name": "../x"}]},
     "refuse": "\"../x\" is not a valid app name"},
    {"of": "3.1", "what": "a name with two dashes", "apps": [named("a--b")],
     "want": {"app.name": "a--b"}},
    {"of": "3.1", "what": "a name that ends with a dash", "pod": {"apps": [{"name": "a-"}]},
     "refuse": "not a valid app name"},
    {"of": "3.1", "what": "an app's root is writable",
     "want": {"app.read_only": False, "trees.0.read_only": False, "app.tag": "app0"}},
    {"of": "3.1", "what": "readOnlyRootFS", "runtime": {"readOnlyRootFS": True},
     "want": {"app.read_only": True, "trees.0.read_only": True}},
    {"of": "3.1", "what": "isolators of the pod are ignored",
     "pod": {"isolators": [memory("256Mi")]}, "want": {"memory_kib": UNLIMITED}},
    {"of": "3.1", "what": "user annotations and labels are opaque",
     "pod": {"userAnnotations": {"a": "b"}, "userLabels": {"c": "d"}}},
    {"of": "3.1", "what": "who prepared it: rkt", "want": {"owner": "rkt", "type": "auto"}},
    {"of": "3.1", "what": "who prepared it: xenpod", "pod": annotated("xenpod.io/owner", "xenpod"),
     "want": {"owner": "xenpod"}},
    {"of": "3.1", "what": "a kind of guest", "pod": annotated("xenpod.io/type", "pvh"),
     "want": {"type": "pvh"}},
    {"of": "3.1", "what": "an unknown kind of guest", "pod": annotated("xenpod.io/type", "hvm"),
     "refuse": "\"type\" is \"hvm\""},
    {"of": "3.1", "what": "a restart policy", "pod": comes_back("on-failure:3"),
     "want": {"restart": {"policy": "on-failure", "limit": 3, "start": 0}}},
    {"of": "3.1", "what": "a later life", "pod": comes_back("always"), "env": {"XENPOD_START": "4"},
     "want": {"restart": {"policy": "always", "limit": 10, "start": 4}}},
    {"of": "3.1", "what": "never", "pod": comes_back("never"), "want": {"restart": ABSENT}},
    {"of": "3.1", "what": "no such policy", "pod": comes_back("unless-stopped"),
     "refuse": "annotation xenpod.io/restart: \"unless-stopped\" is no restart policy"},
    {"of": "3.1", "what": "a restart policy of rkt's pod", "pod": annotated("xenpod.io/restart", "always"),
     "refuse": "annotation xenpod.io/restart: only pods of `xenpod run` are started again; use"},
    {"of": "3.1", "what": "a restart policy and a terminal", "pod": comes_back("always"),
     "flags": ["--interactive"], "refuse": "has no terminal; run it without --interactive"},
]

APPS = [
    {"of": "3.2", "what": "exec arrives unsplit", "app": {"exec": ["/bin/a", "b c", "", "$X", "`d`"]},
     "want": {"app.exec": ["/bin/a", "b c", "", "$X", "`d`"]}},
    {"of": "3.2", "what": "no exec", "app": {"exec": []},
     "refuse": "app one: image \"example.com/image\" has an empty \"exec\" .try --exec=BINARY"},
    {"of": "3.2", "what": "an empty exec", "app": {"exec": [""]}, "refuse": "has an empty \"exec\""},
    {"of": "3.2", "what": "exec that is no array", "app": {"exec": "/bin/a"}, "refuse": "\"exec\""},
    {"of": "3.2", "what": "no user", "app": {"user": None}, "refuse": "\"user\" is required"},
    {"of": "3.2", "what": "no group", "app": {"group": None}, "refuse": "\"group\" is required"},
    {"of": "3.2", "what": "users by path and name", "app": {"user": "/etc", "group": "wheel"},
     "want": {"app.user": "/etc", "app.group": "wheel"}},
    {"of": "3.2", "what": "supplementary groups", "app": {"supplementaryGIDs": [400, 500, 1200]},
     "want": {"app.gids": [400, 500, 1200]}},
    {"of": "3.2", "what": "too many groups", "app": {"supplementaryGIDs": list(range(65))},
     "refuse": "app \"one\": \"gids\" must be at most 64 groups"},
    {"of": "3.2", "what": "a group below zero", "app": {"supplementaryGIDs": [-1]},
     "refuse": "supplementaryGIDs"},
    {"of": "3.2", "what": "no working directory", "want": {"app.cwd": "/"}},
    {"of": "3.2", "what": "a working directory", "app": {"workingDirectory": "/srv"},
     "want": {"app.cwd": "/srv"}},
    {"of": "3.2", "what": "a relative working directory", "app": {"workingDirectory": "srv"},
     "refuse": "\"workingDirectory\" must be an absolute path"},
    {"of": "3.2", "what": "the environment's defaults",
     "want": {"app.env": has(
         "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "SHELL=/bin/sh",
         "USER=root", "LOGNAME=root", "HOME=/root", "AC_APP_NAME=one")}},
    {"of": "3.2", "what": "a bare exec without a PATH of the app's own", "want": {"app.default_path": True}},
    {"of": "3.2", "what": "a bare exec with one",
     "app": {"environment": [{"name": "PATH", "value": "/opt"}]}, "want": {"app.default_path": False}},
    {"of": "3.2", "what": "the manifest's environment rules over the defaults",
     "app": {"environment": [{"name": "HOME", "value": "/h"}, {"name": "X", "value": "a\nb"}]},
     "says": "newline",
     "want": {"app.env": lambda got: "HOME=/h" in got and "X=a\nb" in got and "HOME=/root" not in got}},
    {"of": "3.2", "what": "the host's environment does not leak", "env": {"LEAK": "1"},
     "want": {"app.env": lambda got: not any(e.startswith("LEAK") for e in got)}},
    {"of": "3.2", "what": "a variable's name", "app": {"environment": [{"name": "1A", "value": ""}]},
     "refuse": "\"1A\" is not a name of an environment variable"},
    {"of": "3.2", "what": "a variable twice",
     "app": {"environment": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]},
     "refuse": "A is given twice"},
    {"of": "3.2", "what": "pre-start", "app": {"eventHandlers": [{"name": "pre-start",
                                                                 "exec": ["/p", "q r"]}]},
     "want": {"app.pre_start": ["/p", "q r"], "app.post_stop": ABSENT}},
    {"of": "3.2", "what": "post-stop", "app": {"eventHandlers": [{"name": "post-stop",
                                                                 "exec": ["/p"]}]},
     "want": {"app.pre_start": ABSENT, "app.post_stop": ["/p"]}},
    {"of": "3.2", "what": "another event", "app": {"eventHandlers": [{"name": "post-start",
                                                                     "exec": ["/p"]}]},
     "refuse": "\"post-start\" is none of pre-start, post-stop"},
    {"of": "3.2", "what": "one event twice",
     "app": {"eventHandlers": [{"name": "pre-start", "exec": ["/p"]}] * 2},
     "refuse": "pre-start is given twice"},
    {"of": "3.2", "what": "a handler without a command", "app": {"eventHandlers": [
        {"name": "post-stop", "exec": []}]}, "refuse": "post-stop has an empty \"exec\""},
    {"of": "3.2", "what": "an image of docker's",
     "image": annotated("appc.io/docker/repository", "library/busybox"), "want": {"app.docker": True}},
    {"of": "3.2", "what": "another image", "want": {"app.docker": False, "app.notify": ABSENT}},
    {"of": "3.2", "what": "an image that tells when it is ready",
     "image": annotated("appc.io/executor/supports-systemd-notify", "true"),
     "want": {"app.notify": True}},
    {"of": "3.2", "what": "an image that says it does not",
     "image": annotated("appc.io/executor/supports-systemd-notify", "false"),
     "want": {"app.notify": ABSENT}},
    {"of": "3.2", "what": "an app's labels are opaque",
     "app": {"userLabels": {"a": "b"}, "userAnnotations": {"c": "d"}}},
    {"of": "5.5", "what": "an app's port opens nothing by itself",
     "app": {"ports": [{"name": "http", "protocol": "tcp", "port": 80}]}},
    {"of": "3.2", "what": "a socket-activated port",
     "app": {"ports": [{"name": "http", "protocol": "tcp", "port": 80, "socketActivated": True}]},
     "refuse": "app one: not supported yet: socket-activated ports"},
]

LIMITS = [
    {"of": "3.4", "what": "no limits",
     "want": {"memory_kib": UNLIMITED, "vcpus": 2, "app.memory_bytes": ABSENT,
              "app.cpu_milli": ABSENT, "app.cpu_shares": ABSENT, "app.oom_score_adj": ABSENT}},
    isolated("memory", memory("256Mi"),
             want={"memory_kib": 256 * 1024 + OVERHEAD, "app.memory_bytes": 256 << 20}),
    isolated("memory is whole MiB for the domain", memory("128M"),
             want={"memory_kib": 223 * 1024, "app.memory_bytes": 128000000}),
    isolated("the last memory wins", memory("1Gi"), memory("64Mi"),
             want={"app.memory_bytes": 64 << 20}),
    isolated("a request is no limit", iso("resource/memory", {"request": "64Mi"}),
             iso("resource/cpu", {"request": "9"}),
             want={"memory_kib": UNLIMITED, "vcpus": 2, "app.memory_bytes": ABSENT}),
    isolated("as the command line gives it",
             iso("resource/memory", {"default": False, "request": "16Mi", "limit": "16Mi"}),
             want={"app.memory_bytes": 16 << 20, "memory_kib": 128 * 1024}),
    isolated("k is a thousand", memory("300000k"), want={"app.memory_bytes": 300000000}),
    isolated("K is nothing", memory("1K"), refuse="isolator resource/memory: \"1K\" is not a quantity"),
    isolated("an exponent", memory("3e8"), want={"app.memory_bytes": 300000000}),
    isolated("rounded up", memory("1048576500m"), want={"app.memory_bytes": 1048577}),
    isolated("no memory at all", memory("0"), refuse="resource/memory: limit 0 is not above zero"),
    isolated("more memory than there is anywhere", memory("100Ti"), refuse="memory_kib"),
    {"of": "3.4", "what": "two apps: the sum",
     "apps": [named("a", memory("256Mi"), cpu("500m")), named("b", memory("128Mi"), cpu("1500m"))],
     "want": {"memory_kib": (256 + 128 + 96 + 8) * 1024, "vcpus": 3,
              "apps.0.memory_bytes": 256 << 20, "apps.1.cpu_milli": 1500}},
    {"of": "3.4", "what": "one of two has no limit: not below the default",
     "apps": [named("a", memory("256Mi")), named("b")], "want": {"memory_kib": UNLIMITED}},
    isolated("cores are rounded up", cpu("1100m"), want={"vcpus": 2, "app.cpu_milli": 1100}),
    isolated("less than a core", cpu("10m"), want={"vcpus": 1, "app.cpu_milli": 10}),
    isolated("more cores than can be", cpu("1000"), want={"vcpus": 128}),
    isolated("cpu-shares", iso("os/linux/cpu-shares", 2), want={"app.cpu_shares": 2}),
    isolated("too few cpu-shares", iso("os/linux/cpu-shares", 1),
             refuse="cpu-shares: must be a number from 2 to 262144"),
    isolated("oom-score-adj", iso("os/linux/oom-score-adj", -999), want={"app.oom_score_adj": -999}),
    isolated("oom-score-adj out of range", iso("os/linux/oom-score-adj", 1001),
             refuse="oom-score-adj: must be a number from -1000 to 1000"),
    isolated("what rkt ignores", iso("resource/block-bandwidth", {"limit": "1"}),
             iso("resource/network-bandwidth", {"limit": "1"}), iso("resource/block-iops", {}),
             iso("os/unix/sysctl", {"a": "b"}), iso("os/linux/selinux-context", {"user": "u"})),
    isolated("what nobody knows", iso("os/linux/apparmor-profile", "x"),
             refuse="invalid isolator \"os/linux/apparmor-profile\""),
]

CONFINED = [
    {"of": "3.4", "what": "capabilities by default", "want": {"app.caps": same(CAPS)}},
    isolated("capabilities: retain replaces", caps("retain", "CAP_NET_ADMIN", "CAP_KILL"),
             want={"app.caps": same(["CAP_NET_ADMIN", "CAP_KILL"])}),
    isolated("capabilities: remove subtracts", caps("remove", "CAP_KILL", "CAP_SYS_ADMIN"),
             want={"app.caps": same(set(CAPS) - {"CAP_KILL"})}),
    isolated("capabilities: nothing is left", caps("remove", *CAPS), want={"app.caps": []}),
    isolated("capabilities: both", caps("retain", "CAP_KILL"), caps("remove", "CAP_KILL"),
             refuse="a retain-set or a remove-set, not both"),
    isolated("capabilities: an unknown one", caps("retain", "CAP_FLY"),
             refuse="app one: .*\"CAP_FLY\" is not a capability"),
    isolated("capabilities: an empty set", caps("retain"), refuse="\"set\" must not be empty"),
    {"of": "3.4", "what": "a filter by default",
     "want": {"app.seccomp": 0, "guest.filters": one_filter, "app.protect": True,
              "app.no_new_privileges": False}},
    {"of": "3.4", "what": "apps of one set share a filter", "apps": [named("a"), named("b")],
     "want": {"apps.0.seccomp": 0, "apps.1.seccomp": 0, "guest.filters": one_filter}},
    {"of": "3.4", "what": "apps of two sets do not",
     "apps": [named("a"), named("b", seccomp("remove", "sync"))],
     "want": {"apps.1.seccomp": 1, "guest.filters": lambda got: len(got) == 2}},
    isolated("seccomp: retain all", seccomp("retain", "@appc.io/all"),
             want={"app.seccomp": ABSENT, "guest.filters": []}),
    isolated("seccomp: retain all, not root", seccomp("retain", "@appc.io/all"),
             app={"user": "1000"}, want={"app.no_new_privileges": False}),
    {"of": "3.4", "what": "seccomp: remove empty is the default",
     "apps": [named("a"), named("b", seccomp("remove", "@appc.io/empty"))],
     "want": {"apps.1.seccomp": 0, "guest.filters": one_filter}},
    {"of": "3.4", "what": "seccomp: the default by its name",
     "apps": [named("a"), named("b", seccomp("retain", "@docker/default-whitelist"))],
     "want": {"apps.1.seccomp": 0}},
    isolated("seccomp: a wildcard that nobody knows", seccomp("remove", "@nobody/knows", "sync"),
             want={"app.seccomp": 0}),
    isolated("seccomp: systemd's sets", seccomp("remove", *(f"@systemd/{s}" for s in (
        "clock mount network-io obsolete privileged process raw-io").split()), errno="EPERM"),
             want={"app.seccomp": 0}),
    isolated("seccomp: an unknown call", seccomp("retain", "openn"),
             refuse="app one: isolator os/linux/seccomp-retain-set: \"openn\" is not a system call"),
    isolated("seccomp: an unknown error", seccomp("remove", "sync", errno="EWHAT"),
             refuse="seccomp-remove-set: .*\"EWHAT\" is not the name of an error"),
    isolated("seccomp: the app could not start", seccomp("remove", "execve"),
             refuse="takes execve away"),
    isolated("seccomp: two isolators", seccomp("remove", "sync"), seccomp("retain", "sync"),
             refuse="not both"),
    isolated("seccomp: one isolator twice", seccomp("remove", "sync"), seccomp("remove", "sync"),
             refuse="is given twice"),
    isolated("no-new-privileges", iso("os/linux/no-new-privileges", True),
             want={"app.no_new_privileges": True}),
    isolated("no-new-privileges as text", iso("os/linux/no-new-privileges", "true"),
             refuse="no-new-privileges: must be true or false"),
    {"of": "3.4", "what": "a filter and not root: forced", "app": {"user": "1000"},
     "want": {"app.no_new_privileges": True}},
    {"of": "3.4", "what": "a filter and root by name: not forced", "app": {"user": "root"},
     "want": {"app.no_new_privileges": False}},
    {"of": "3.4", "what": "a filter and another name: forced", "app": {"user": "www-data"},
     "want": {"app.no_new_privileges": True}},
]

ROWS = FLAGS + INTERACTIVE + STREAMS + POD + APPS + LIMITS + CONFINED
