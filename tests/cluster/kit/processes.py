"""Processes of an instance: started in its network namespace, found and ended by pid and start time."""

import contextlib
import os
import pathlib
import signal
import subprocess
import time

from .shell import Failure, wait_for, write


def started(pid):
    """The start time of a process: with the pid it names a process for good."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat[stat.rindex(")") + 2:].split()
    return None if fields[0] in "ZX" else fields[19]


def spawn(s, name, *argv, env=None):
    """Starts a process of the cluster inside its network namespace."""
    s.logs.mkdir(parents=True, exist_ok=True)
    with open(s.logs / f"{name}.log", "ab") as log:
        child = subprocess.Popen(["nsenter", f"--net={s.netns}", *map(str, argv)], cwd="/",
                                 stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                 start_new_session=True, env=env or os.environ)
    write(s.pids / name, f"{child.pid} {started(child.pid)}")
    return child


def alive(s, name):
    """The pid of a process of the cluster, or None."""
    try:
        pid, start = (s.pids / name).read_text().split()
    except (FileNotFoundError, ValueError):
        return None
    return int(pid) if started(pid) == start else None


def kill(s, name):
    """Ends a process of the cluster with SIGKILL; returns its pid."""
    pid = alive(s, name)
    if not pid:
        raise Failure(f"{name} does not run")
    os.kill(pid, signal.SIGKILL)
    wait_for(f"{name} to end", 5, lambda: not alive(s, name), pause=0.01)
    return pid


def stop(s, *names, patience=3):
    """Ends processes of the cluster together: SIGTERM, then SIGKILL for those that linger."""
    for sig in (signal.SIGTERM, signal.SIGKILL):
        pids = {name: alive(s, name) for name in names}
        for pid in filter(None, pids.values()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sig)
        end = time.monotonic() + patience
        while any(alive(s, name) for name in names) and time.monotonic() < end:
            for pid in filter(None, pids.values()):
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)
            time.sleep(0.05)
    for name in names:
        if not alive(s, name):
            (s.pids / name).unlink(missing_ok=True)


def processes(s):
    return sorted(p.name for p in s.pids.iterdir()) if s.pids.is_dir() else []
