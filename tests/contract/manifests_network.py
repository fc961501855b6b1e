# SPDX-License-Identifier: Apache-2.0
"""Networks, forwarded ports and what they tell of DNS: rows as in manifests_table.py, from contract
1.2, 2.5 and 5.

Each pod's stage1 has the builtin networks of dist/nets and plugins that do nothing (manifests.py). The
user's directory is local/net.d of the pod directory. On 127.0.0.1 something listens at @TCP@ and @UDP@.
"""

import json

ABSENT = "(absent)"
LOCAL = "--local-config=@POD@/local"
S1_PLUGINS = "@POD@/stage1/rootfs/usr/lib/rkt/plugins/net"


def conf(name, kind="ptp", **more):
    return json.dumps({"cniVersion": "0.4.0", "name": name, "type": kind, **more})


def conflist(name, *plugins, version="0.4.0"):
    return json.dumps({"cniVersion": version, "name": name, "plugins": list(plugins)})


def local(confs):
    """Files of the user's directory."""
    return {f"local/net.d/{name}": text for name, text in confs.items()}


def net(what, names, confs=None, of="5.1", flags=(), files=None, **more):
    """A pod with --net=NAMES, and these files of the user's."""
    return {"of": of, "what": what, "flags": [f"--net={names}", LOCAL, *flags],
            "files": {**local(confs or {}), **(files or {})}, **more}


def chosen(*wanted):
    """IFNAME=NETWORK@FILE of each."""
    return lambda got: [f"{n['ifname']}={n['name']}@{n['file']}" for n in got] == list(wanted)


def first_args(wanted):
    return {"network.nets": lambda got: got[0].get("args") == wanted}


A = {"10-a.conf": conf("a")}
AB = {"20-b.conf": conf("b"), "10-a.conf": conf("a")}
DEFAULT = chosen("eth0=default@99-default.conf")

SELECTION = [
    net("the default network", "default", of="1.2 #2",
        want={"net": "default", "network.nets": DEFAULT, "network.guard": False,
              "network.ports": ABSENT, "network.target": ABSENT}),
    {"of": "1.2 #6", "what": "no --local-config: rkt's own", "flags": ["--net=default-restricted"],
     "want": {"network.path": lambda got: got[:2] == ["/etc/rkt/net.d", "/usr/lib/rkt/plugins/net"]}},
    net("plugins are searched in rkt's directories first, in its order", "default", of="5.2",
        want={"network.path.0": "@POD@/local/net.d", "network.path.1": "/usr/lib/rkt/plugins/net",
              "network.path.2": S1_PLUGINS}),
    net("the builtin default", "default",
        want={"network.nets.0.plugins.0": lambda got: got["type"] == "ptp" and got["ipMasq"] is True
              and got["ipam"]["subnet"] == "172.16.28.0/24"
              and got["ipam"]["routes"] == [{"dst": "0.0.0.0/0"}]}),
    net("the builtin default-restricted", "default-restricted",
        want={"network.nets.0.plugins.0": lambda got: got["type"] == "ptp" and got["ipMasq"] is False
              and got["ipam"]["subnet"] == "172.31.0.0/16" and "routes" not in got["ipam"]}),
    net("none", "none", A, want={"net": "none", "network": ABSENT, "guest.net": ABSENT}),
    net("none rules over others", "a,none", A, want={"net": "none", "network": ABSENT}),
    net("none first", "none,nowhere", want={"network": ABSENT}),
    net("host", "host", refuse="--net=host: .*use --net=default"),
    net("host among others", "a,host", A, refuse="--net=host: "),
    net("host and none: host mode", "none,host", refuse="--net=host: "),
    net("all: builtin and the user's, in the order of file names", "all", AB,
        want={"net": "a, b, default-restricted, default",
              "network.nets": chosen("eth0=a@10-a.conf", "eth1=b@20-b.conf",
                                     "eth2=default-restricted@99-default-restricted.conf",
                                     "eth3=default@99-default.conf")}),
    net("all and one of them", "all,a:IP=10.0.0.9", A,
        want={"network.nets": chosen("eth0=a@10-a.conf",
                                     "eth1=default-restricted@99-default-restricted.conf",
                                     "eth2=default@99-default.conf"),
              "network.nets.0.args": "IP=10.0.0.9"}),
    net("one of the user's", "a", AB, want={"network.nets": chosen("eth0=a@10-a.conf")}),
    net("several: not in the order of the flag", "default,b,a", AB,
        want={"net": "a, b, default",
              "network.nets": chosen("eth0=a@10-a.conf", "eth1=b@20-b.conf",
                                     "eth2=default@99-default.conf")}),
    net("the order is of bytes, not of numbers or letters", "a,b,c",
        {"9-a.conf": conf("a"), "10-b.conf": conf("b"), "B-c.conf": conf("c")},
        want={"network.nets": chosen("eth0=b@10-b.conf", "eth1=a@9-a.conf", "eth2=c@B-c.conf")}),
    net("arguments", "a:IP=10.1.2.3", A, want={"network.nets.0.args": "IP=10.1.2.3"}),
    net("several arguments", "a:IP=10.1.2.3;IgnoreUnknown=1,b", AB,
        want={"network.nets.0.args": "IP=10.1.2.3;IgnoreUnknown=1", "network.nets.1.args": ABSENT}),
    net("a second colon", "a:IP=fe80::1", A, refuse="flag --net=.*second \":\""),
    net("a name twice", "a,a", A, refuse="^stage1: flag --net=a,a: \"a\" stands there twice"),
    net("a name twice, once with arguments", "a,a:IP=10.0.0.1", A, refuse="\"a\".*twice"),
    net("an empty name", "a,,b", AB, refuse="name is empty"),
    net("nothing", "", refuse="name is empty"),
    net("arguments alone", ":IP=10.0.0.1", refuse="name is empty"),
    net("arguments of all", "all:IP=10.0.0.1", refuse="\"all\" takes no arguments"),
    net("arguments of host", "host:IP=10.0.0.1", refuse="\"host\" takes no arguments"),
    net("one that is missing", "nowhere", A, refuse="networks not found: nowhere$"),
    net("two that are missing", "b,default,a", refuse="networks not found: a, b$"),
    net("no directory of the user's", "a", refuse="networks not found: a$"),
    net("as many as can be", ",".join(f"n{i}" for i in range(16)),
        {f"{i:02}.conf": conf(f"n{i}") for i in range(16)},
        want={"network.nets": lambda got: [n["ifname"] for n in got] == [f"eth{i}" for i in range(16)]}),
    net("one more", "all", {f"{i:02}.conf": conf(f"n{i}") for i in range(15)},
        refuse="17 networks.*at most 16"),
]

FILES = [
    net("the user's overrides the builtin one", "default", {"10-mine.conf": conf("default", "bridge")},
        says="network \"default\" of .*etc/rkt/net.d/99-default.conf is overridden by .*/10-mine.conf",
        want={"network.nets": chosen("eth0=default@10-mine.conf"),
              "network.nets.0.plugins.0.type": "bridge"}),
    net("overridden by a file of its name", "default", {"99-default.conf": conf("default", "bridge")},
        says="overridden", want={"network.nets.0.plugins.0.type": "bridge"}),
    net("within a directory the first file wins", "a", {"20-a.conf": conf("a", "bridge"), **A},
        says="defined by 10-a.conf already", want={"network.nets": chosen("eth0=a@10-a.conf")}),
    net("who does not want it is not told", "default", {"20-a.conf": conf("a", "bridge"), **A}),
    net("only .conf", "a", {"10-a.json": conf("a"), "10-a.conf~": conf("a"), "conf": conf("a")},
        refuse="networks not found: a$"),
    net("a directory is none", "a", {"05-dir.conf/10-a.conf": conf("b"), **A},
        want={"network.nets": chosen("eth0=a@10-a.conf")}),
    net("no JSON", "a", {"10-a.conf": "{"}, refuse="/local/net.d/10-a.conf: .*JSON"),
    net("no JSON, and all are wanted", "all", {"50-x.conf": "nonsense"}, refuse="50-x.conf"),
    net("no JSON, behind the one that is wanted", "a", {**A, "20-x.conf": "{"},
        says="20-x.conf", want={"network.nets": chosen("eth0=a@10-a.conf")}),
    net("broken, but another network", "a", {**A, "05-x.conf": '{"name":"x"}'}, says="05-x.conf",
        want={"network.nets": chosen("eth0=a@10-a.conf")}),
    net("no type", "a", {"10-a.conf": '{"name":"a"}'}, refuse="10-a.conf: .*\"type\""),
    net("no name", "a", {"10-a.conf": '{"type":"ptp"}'}, refuse="10-a.conf: .*\"name\""),
    net("a type that is a path", "a", {"10-a.conf": conf("a", "../ptp")}, refuse="\"type\""),
    net("a name that is a path", "../a", {"10-a.conf": conf("../a")}, refuse="\"name\""),
    net("a version that nobody knows", "a", {"10-a.conf": conf("a", cniVersion="9.9.9")},
        refuse="10-a.conf: .*9.9.9"),
    net("rkt's: no version", "a", {"10-a.conf": '{"name":"a","type":"ptp"}'},
        of="5.2", want={"network.nets.0.version": "0.1.0"}),
    net("empty", "a", {"10-a.conf": ""}, refuse="10-a.conf"),
    net("a plugin that is missing", "a", {"10-a.conf": conf("a", "teleport")}, of="5.2",
        refuse="network \"a\": .*\"teleport\".*containernetworking-plugins"),
    net("a plugin of the user's, beside the confs", "a", {"10-a.conf": conf("a", "mine"), "!mine": ""},
        of="5.2"),
    net("a plugin that cannot be executed", "a", {"10-a.conf": conf("a", "mine"), "mine": ""}, of="5.2",
        refuse="\"mine\""),
    net("a plugin that is a directory", "a", {"10-a.conf": conf("a", "mine"), "mine/x": ""}, of="5.2",
        refuse="\"mine\""),
    net("a list of plugins", "a", of="5.2",
        confs={"10-a.conflist": conflist("a", {"type": "bridge", "ipMasq": True},
                                         {"type": "portmap", "capabilities": {"portMappings": True}})},
        want={"network.nets": chosen("eth0=a@10-a.conflist"), "network.nets.0.ip_masq": True,
              "network.nets.0.plugins": lambda got: [p["type"] for p in got] == ["bridge", "portmap"]
              and all(p["name"] == "a" for p in got)}),
    net("a list, and a plugin of it is missing", "a", of="5.2",
        confs={"10-a.conflist": conflist("a", {"type": "bridge"}, {"type": "teleport"})},
        refuse="\"teleport\""),
    net("a list without plugins", "a", {"10-a.conflist": conflist("a")}, of="5.2",
        refuse="10-a.conflist: .*\"plugins\""),
    net("a list in a .conf", "a", {"10-a.conf": conflist("a", {"type": "bridge"})}, of="5.2",
        refuse="10-a.conf: .*\\.conflist"),
]

# What plugins do in the pod's namespace, and a domain with its own kernel does not see.
CARRIED = [
    net("ipvlan in mode l3", "a", {"10-a.conf": conf("a", "ipvlan", mode="l3")},
        refuse="network \"a\": plugin \"ipvlan\": mode l3 .*use mode l2"),
    net("ipvlan in mode l3s", "a", {"10-a.conf": conf("a", "ipvlan", mode="l3s")}, refuse="mode l3s"),
    net("ipvlan in mode l2", "a", {"10-a.conf": conf("a", "ipvlan", mode="l2")}),
    net("sbr in a list", "a", {"10-a.conflist": conflist("a", {"type": "ptp"}, {"type": "sbr"})},
        refuse="network \"a\": plugin \"sbr\": .*remove it"),
    net("sysctl by tuning", "a", {"10-a.conflist": conflist(
        "a", {"type": "ptp"}, {"type": "tuning", "sysctl": {"net.core.somaxconn": "9"}})},
        refuse="plugin \"tuning\": sysctl .\"net.core.somaxconn\".*mtu.*fine"),
    net("a MTU by tuning", "a", {"10-a.conflist": conflist(
        "a", {"type": "ptp"}, {"type": "tuning", "mtu": 1400})}),
    net("refused only where it is wanted", "default", {"10-a.conf": conf("a", "sbr")}),
]


def http(port=80, **more):
    return {"name": "http", "protocol": "tcp", "port": port, **more}


def published(what, *ports, names="default", app_ports=None, **more):
    """Forwarded ports of the pod manifest; the app has one named http."""
    return net(what, names, of="5.5", pod={"ports": list(ports)},
               app={"ports": [http()] if app_ports is None else app_ports}, **more)


def forward(host_port, name="http", **more):
    return {"name": name, "hostPort": host_port, **more}


def leads(*wanted):
    """PROTOCOL IP:PORT>PORT of each."""
    return {"network.ports": lambda got: [
        f"{p['protocol']} {p['host_ip']}:{p['host_port']}>{p['port']}" for p in got] == list(wanted)}


def listening(name, port):
    return {"name": name, "app": {"exec": ["/a"], "user": "0", "group": "0", "ports": [port]}}


PORTS = [
    published("an app's port, by name", forward(21000),
              want={**leads("tcp 0.0.0.0:21000>80"), "network.target": 0}),
    published("without a name that an app knows, but a podPort",
              forward(21001, "dns", podPort={"name": "x", "protocol": "udp", "port": 53}),
              want=leads("udp 0.0.0.0:21001>53")),
    published("a podPort rules over the app's", forward(21002, podPort=http(8080)),
              want=leads("tcp 0.0.0.0:21002>8080")),
    net("a port of the image's app", "default", of="5.5", pod={"ports": [forward(21003)]},
        runtime={"app": None}, image={"app": {"exec": ["/a"], "user": "0", "group": "0",
                                              "ports": [http(81)]}},
        want=leads("tcp 0.0.0.0:21003>81")),
    net("a port of the second app", "default", of="5.5", pod={"ports": [forward(21004)]},
        apps=[listening("a", {**http(1), "name": "other"}), listening("b", http(82))],
        want=leads("tcp 0.0.0.0:21004>82")),
    published("an address of the host", forward(21005, hostIP="127.0.0.2"),
              want=leads("tcp 127.0.0.2:21005>80")),
    published("an IPv6 address of the host", forward(21006, hostIP="0:0::1"),
              want=leads("tcp ::1:21006>80")),
    published("count is ignored", forward(21007), app_ports=[http(count=5)],
              want=leads("tcp 0.0.0.0:21007>80")),
    published("keys as Go reads them", {"NAME": "http", "hostport": 21008, "HostIP": None, "podPort": None},
              want=leads("tcp 0.0.0.0:21008>80")),
    published("several", forward(21009), forward(21010), forward(21010, "u", podPort={
        "name": "u", "protocol": "udp", "port": 5}),
              want=leads("tcp 0.0.0.0:21009>80", "tcp 0.0.0.0:21010>80", "udp 0.0.0.0:21010>5")),
    published("one port of two addresses", forward(21011, hostIP="127.0.0.2"),
              forward(21011, hostIP="127.0.0.3"),
              want=leads("tcp 127.0.0.2:21011>80", "tcp 127.0.0.3:21011>80")),
    published("the first network that masquerades", forward(21012), names="a,b,c", confs={
        "10-a.conf": conf("a"), "20-b.conf": conf("b", ipMasq=True), "30-c.conf": conf("c", ipMasq=True)},
              want={"network.target": 1}),
    published("else the last", forward(21013), names="a,b", confs=AB, want={"network.target": 1}),
    net("none", "default", of="5.5", pod={"ports": []}, want={"network.ports": ABSENT}),
    net("null", "default", of="5.5", pod={"ports": None}, want={"network.ports": ABSENT}),
    published("no app has it", forward(21020, "https"),
              refuse="forwarded port \"https\": no app of the pod has a port of that name"),
    net("two apps have it", "default", of="5.5", pod={"ports": [forward(21021)]},
        apps=[listening("a", http(1)), listening("b", http(2))],
        refuse="forwarded port \"http\": apps a and b both"),
    published("one app has it twice", forward(21022), app_ports=[http(1), http(2)],
              refuse="forwarded port \"http\": "),
    published("twice", forward(21023), forward(21023), refuse="\"http\": port tcp/21023 .*twice"),
    published("twice, once of one address", forward(21024, hostIP="127.0.0.1"), forward(21024),
              refuse="twice"),
    published("twice, of one address in two spellings", forward(21025, hostIP="::1"),
              forward(21025, hostIP="0:0::1"), refuse="twice"),
    published("host port 0", forward(0), refuse="\"http\": hostPort 0 is not from 1 to 65535"),
    published("host port too large", forward(65536), refuse="hostPort 65536"),
    published("a host port below zero", forward(-1), refuse="hostPort -1"),
    published("a host port as text", forward("80"), refuse="hostPort"),
    published("no host port", {"name": "http"}, refuse="hostPort"),
    published("the pod's port 0", forward(21026), app_ports=[http(0)], refuse="port 0 is not from 1"),
    published("another protocol", forward(21027), app_ports=[http(protocol="sctp")],
              refuse="protocol \"sctp\" is none of tcp, udp"),
    published("an address that is none", forward(21028, hostIP="300.1.1.1"),
              refuse="hostIP \"300.1.1.1\" is not an IP address"),
    published("a name as address", forward(21029, hostIP="localhost"), refuse="hostIP \"localhost\""),
    published("a port without a network", forward(21030), names="none",
              refuse="--net=default, or without --port"),
    published("a port of a pod without networks", forward(21031), names="a,none", confs=A,
              refuse="--port"),
    published("somebody listens there, TCP", forward("@TCP@"),
              refuse="\"http\": a program of this host uses tcp port .*another hostPort"),
    published("somebody listens there, on the same address", forward("@TCP@", hostIP="127.0.0.1"),
              refuse="uses tcp port"),
    published("somebody listens there, UDP", forward("@UDP@"),
              app_ports=[http(53, protocol="udp")], refuse="uses udp port"),
    published("somebody listens there, but on another address", forward("@TCP@", hostIP="127.0.0.9")),
    published("somebody listens there, but with another protocol", forward("@UDP@")),
    published("as many as can be", *(forward(22000 + i) for i in range(64)),
              want={"network.ports": lambda got: len(got) == 64}),
    published("too many", *(forward(22100 + i) for i in range(65)), refuse="65 ports, at most 64"),
]


def dns(mode, **more):
    return net(mode, "default", of="5.6", flags=[f"--dns-conf-mode={mode}"], **more)


OTHERS = [
    net("DNS by default: a network's", "default", of="5.6", want={"network.resolv": True}),
    dns("resolv=default,hosts=default", want={"network.resolv": True}),
    dns("resolv=none,hosts=default", want={"network.resolv": False}),
    dns("resolv=host,hosts=default", want={"network.resolv": False}),
    dns("resolv=stage0,hosts=default", want={"network.resolv": False},
        files={"stage1/rootfs/etc/rkt-resolv.conf": "nameserver 192.0.2.1\n"}),
    dns("hosts=host", want={"network.resolv": True}),
    net("anti-spoofing", "default", of="xenpod",
        pod={"annotations": [{"name": "xenpod.io/anti-spoofing", "value": "true"}]},
        want={"network.guard": True}),
    net("no anti-spoofing", "default", of="xenpod",
        pod={"annotations": [{"name": "xenpod.io/anti-spoofing", "value": "false"}]},
        want={"network.guard": False}),
    net("anti-spoofing of nothing", "none", of="xenpod",
        pod={"annotations": [{"name": "xenpod.io/anti-spoofing", "value": "true"}]},
        want={"network": ABSENT}),
    net("anti-spoofing, neither true nor false", "default", of="xenpod",
        pod={"annotations": [{"name": "xenpod.io/anti-spoofing", "value": "yes"}]},
        refuse="xenpod.io/anti-spoofing: \"yes\" is neither true nor false"),
]

ROWS = SELECTION + FILES + CARRIED + PORTS + OTHERS
