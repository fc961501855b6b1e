# SPDX-License-Identifier: Apache-2.0
"""Volumes, mounts and DNS: rows as in manifests_table.py, from contract 3.3 and 5.6.

@T@/host has the directory dir, the file file, the FIFO fifo and the link `link` to dir.
"""

ABSENT = "(absent)"
ROOT = "stage1/rootfs/opt/stage2/one/rootfs"
DOCKER = {"annotations": [{"name": "appc.io/docker/repository", "value": "library/busybox"}]}


def host(name="v", where="dir", **more):
    return {"name": name, "kind": "host", "source": f"@T@/host/{where}", **more}


def mounted(what, volume, mount=None, **more):
    """One app that mounts `volume` on /v: contract 3.3."""
    mount = mount or {"volume": "v", "path": "/v"}
    return {"of": "3.3", "what": what, "pod": {"volumes": [volume]}, "runtime": {"mounts": [mount]},
            **more}


def point(**more):
    return {"mountPoints": [{"name": "v", "path": "/v", **more}]}


def pointed(app, name):
    """An app with one mount point."""
    return {"name": app, "app": {"exec": ["/a"], "user": "0", "group": "0",
                                 "mountPoints": [{"name": name, "path": "/v"}]}}


def many_mounts(n):
    return {"mounts": [{"volume": "v", "path": f"/{i}"} for i in range(n)]}


def text_of(path, *parts, absent=None):
    def check(files):
        found = [f for f in files if f["path"] == path]
        return len(found) == 1 and all(p in found[0]["text"] for p in parts) and (
            absent is None or bool(found[0].get("if_absent")) == absent)
    return check


def no_file(path):
    return lambda files: files == ABSENT or all(f["path"] != path for f in files)


def dns(mode):
    return [f"--dns-conf-mode={mode}"]


ROWS = [
    mounted("a host directory", host(), want={
        "app.mounts.0.path": "/v", "app.mounts.0.sub": "", "app.mounts.0.read_only": False,
        "trees": lambda got: len(got) == 2 and not got[1]["read_only"]}),
    mounted("a read-only volume", host(readOnly=True), want={
        "app.mounts.0.read_only": True, "trees.1.read_only": True}),
    mounted("read-only by the mount point", host(), app=point(readOnly=True),
            want={"app.mounts.0.read_only": True}),
    mounted("the volume's word rules over the mount point's", host(readOnly=False),
            app=point(readOnly=True), want={"app.mounts.0.read_only": False}),
    mounted("a link as source", host(where="link"), want={"app.mounts.0.path": "/v"}),
    mounted("a file as source", host(where="file"), want={
        "app.mounts.0.sub": "file", "trees.1.file": "file"}),
    mounted("the root of the host, writable", {"name": "v", "kind": "host", "source": "/",
            "recursive": False}, refuse="volume v: its source / holds.*readOnly=true"),
    mounted("the root of the host, to look at", {"name": "v", "kind": "host", "source": "/",
            "recursive": False, "readOnly": True}, want={"trees.1.read_only": True}),
    mounted("the pod directory itself", {"name": "v", "kind": "host", "source": "@T@"},
            refuse="holds what the host itself runs"),
    mounted("a FIFO as source", host(where="fifo"), refuse="v.*fifo|FIFO"),
    mounted("a source that is not there", host(where="none"), refuse="v.*host/none"),
    mounted("a relative source", {"name": "v", "kind": "host", "source": "rel"}, refuse="source"),
    mounted("an unknown kind", {"name": "v", "kind": "tape"}, refuse="tape"),
    mounted("a volume that does not exist", host("w"), refuse="\"?v\"?"),
    mounted("an appVolume", host(), {"volume": "other", "path": "/v", "appVolume": host("other")},
            want={"app.mounts.0.path": "/v"}),
    mounted("an empty volume", {"name": "v", "kind": "empty"}, want={
        "app.mounts.0.tag": "shared", "app.mounts.0.sub": "v"}),
    mounted("an empty volume with a mode that is none", {"name": "v", "kind": "empty", "mode": "9"},
            refuse="mode"),
    {"of": "3.3", "what": "a volume that nobody mounts", "pod": {"volumes": [host()]},
     "want": {"app.mounts": lambda got: got in (ABSENT, []), "trees": lambda got: len(got) == 1}},
    {"of": "3.3", "what": "a mount point takes the volume of its name",
     "pod": {"volumes": [host()]}, "app": point(), "want": {"app.mounts.0.path": "/v"}},
    {"of": "3.3", "what": "a mount point without volume: an implicit one", "app": point(),
     "says": "mount point /v: an empty one", "want": {"app.mounts.0.tag": "shared", "app.mounts.0.sub": "one-v"}},
    mounted("a relative path", host(), {"volume": "v", "path": "v"},
            refuse="volume v: \"path\" must be an absolute path, not \"v\""),
    mounted("the root as path", host(), {"volume": "v", "path": "/a/.."},
            refuse="volume v: \"path\" is /a/..: the app's root is its image's"),
    {"of": "3.3", "what": "as many mounts as can be", "pod": {"volumes": [host()]},
     "runtime": many_mounts(64)},
    {"of": "3.3", "what": "too many mounts", "pod": {"volumes": [host()]},
     "runtime": many_mounts(65),
     "refuse": "app one: 65 mounts, at most 64 are possible; give its volumes recursive=false"},
    {"of": "3.3", "what": "two implicit volumes of one name", "apps": [pointed("a-b", "c"), pointed("a", "b-c")],
     "refuse": "app a.*: the empty volume for mount point /v would be named a-b-c, as another is"},
    {"of": "3.3", "what": "docker: a file where a volume is to be", "app": point(), "image": DOCKER,
     "files": {f"{ROOT}/v": "text"},
     "refuse": "app one: volume one-v: /v is no directory in the image"},
    {"of": "3.3", "what": "docker: content that is too deep", "app": point(), "image": DOCKER,
     "files": {f"{ROOT}/v/{'d/' * 130}file": "text"},
     "refuse": "app one: volume one-v: .*directories are nested deeper than 128"},
    {"of": "3.5", "what": "host name and machine id",
     "want": {"app.files": text_of("/etc/hostname", "rkt-")}},
    {"of": "5.6", "what": "hosts by default: a fallback",
     "want": {"app.files": text_of("/etc/hosts", "127.0.0.1", absent=True)}},
    {"of": "5.6", "what": "resolv by default: the image's",
     "want": {"app.files": no_file("/etc/resolv.conf")}},
    {"of": "5.6", "what": "resolv=none", "flags": dns("resolv=none,hosts=default"),
     "want": {"app.files": no_file("/etc/resolv.conf")}},
    {"of": "5.6", "what": "hosts=host", "flags": dns("resolv=default,hosts=host"),
     "want": {"app.files": text_of("/etc/hosts", absent=False)}},
    {"of": "5.6", "what": "resolv=stage0", "flags": dns("resolv=stage0,hosts=default"),
     "files": {"stage1/rootfs/etc/rkt-resolv.conf": "nameserver 192.0.2.1\n"},
     "want": {"app.files": text_of("/etc/resolv.conf", "nameserver 192.0.2.1")}},
    {"of": "5.6", "what": "hosts=stage0", "flags": dns("resolv=default,hosts=stage0"),
     "files": {"stage1/rootfs/etc/rkt-hosts": "127.0.0.1 localhost\n192.0.2.2 db\n"},
     "want": {"app.files": text_of("/etc/hosts", "192.0.2.2 db", "rkt-", absent=False)}},
    {"of": "5.6", "what": "resolv=stage0 without its file",
     "flags": dns("resolv=stage0,hosts=default"), "refuse": "rkt-resolv.conf"},
    {"of": "5.6", "what": "hosts=stage0 that is too large", "flags": dns("resolv=default,hosts=stage0"),
     "files": {"stage1/rootfs/etc/rkt-hosts": "#" * 65537},
     "refuse": "--dns-conf-mode: hosts=stage0: .*rkt-hosts is larger than 65536 bytes"},
    {"of": "5.6", "what": "hosts=stage0 that is no text", "flags": dns("resolv=default,hosts=stage0"),
     "files": {"stage1/rootfs/etc/rkt-hosts": "127.0.0.1\0"},
     "refuse": "--dns-conf-mode: hosts=stage0: .*rkt-hosts is not UTF-8 text"},
    {"of": "5.6", "what": "an unknown mode", "flags": dns("resolv=wild,hosts=default"),
     "refuse": "resolv=wild"},
]
