"""The veth pair between host and node: made, cut and mended."""

import contextlib
import ipaddress
import os

from .shell import Failure, run, say, write


def make_network(s):
    for line in run("ip", "-o", "route", "show").stdout.splitlines():
        with contextlib.suppress(ValueError):      # "default", "unreachable"
            routed = ipaddress.ip_network(line.split()[0])
            if any(routed.overlaps(net) for net in (s.link, s.pods, s.services)):
                raise Failure(f"a subnet is routed already: {line.strip()}; "
                              "choose others (--link, --pods, --services)")
    if os.path.exists(s.netns) or os.path.exists(f"/sys/class/net/{s.veth_host}"):
        raise Failure(f"somebody else's network namespace {s.name} or link {s.veth_host} exists; "
                      "choose another --name")
    write(s.dir / "network", "created by `cluster up`, for `cluster down` to delete\n")
    run("ip", "netns", "add", s.name)
    run("ip", "link", "add", s.veth_host, "type", "veth", "peer", "name", s.veth_node, "netns", s.name)
    run("ip", "addr", "add", f"{s.host_ip}/{s.link.prefixlen}", "dev", s.veth_host)
    run("ip", "link", "set", s.veth_host, "up")
    inside = ("ip", "-n", s.name)
    run(*inside, "link", "set", "lo", "up")
    run(*inside, "addr", "add", f"{s.node_ip}/{s.link.prefixlen}", "dev", s.veth_node)
    run(*inside, "link", "set", s.veth_node, "up")
    # kube-proxy only sees Service addresses that have a route; there is no other way out.
    run(*inside, "route", "add", "default", "via", s.host_ip)
    for net in (s.pods, s.services):
        run("ip", "route", "add", net, "via", s.node_ip)
    run("nsenter", f"--net={s.netns}", "sysctl", "-qw", "net.ipv4.ip_forward=1")


# Where rules stand: on the host, for what crosses the veth pair, and in the node, for what goes from pod to pod.
HOST, NODE = "host", "node"
HOOKS = {HOST: ("INPUT", "OUTPUT", "FORWARD"), NODE: ("FORWARD",)}


def chain_rules(s, what):
    """Rules for the chain: loss in both directions."""
    if what == "pods":
        between = ["-s", str(s.pods), "-d", str(s.pods), "-p", "tcp"]
        yield [*between, "--dport", "8081", "-j", "DROP"]
        yield [*between, "--sport", "8081", "-j", "DROP"]
        return
    ports = {"all": [None], "k8s": ["6443", "443"], "flink": ["8081"]}[what]
    for port in ports:
        yield ["-o", s.veth_host, *(["-p", "tcp", "--dport", port] if port else []), "-j", "DROP"]
        yield ["-i", s.veth_host, *(["-p", "tcp", "--sport", port] if port else []), "-j", "DROP"]


def iptables(s, place, *argv, check=True):
    inside = ("nsenter", f"--net={s.netns}") if place == NODE else ()
    return run(*inside, "iptables", "-w", *argv, check=check)


def drop(s, args):
    place = NODE if args.what == "pods" else HOST
    iptables(s, place, "-N", s.chain, check=False)
    for hook in HOOKS[place]:
        if iptables(s, place, "-C", hook, "-j", s.chain, check=False).returncode:
            iptables(s, place, "-I", hook, "1", "-j", s.chain)
    for rule in chain_rules(s, args.what):
        if iptables(s, place, "-C", s.chain, *rule, check=False).returncode:
            iptables(s, place, "-A", s.chain, *rule)
    say(f"drop {args.what}: on")


def heal(s, _args, quiet=False):
    for place, hooks in HOOKS.items():
        if iptables(s, place, "-S", s.chain, check=False).returncode == 0:
            for hook in hooks:
                while not iptables(s, place, "-D", hook, "-j", s.chain, check=False).returncode:
                    pass
            iptables(s, place, "-F", s.chain)
            iptables(s, place, "-X", s.chain)
    if not quiet:
        say("heal: the link is whole")
