"""Running commands, waiting, and saying what happens."""

import os
import subprocess
import sys
import time


class Failure(Exception):
    """An error to print without a traceback."""


def say(*words):
    print(*words, file=sys.stderr, flush=True)


def run(*argv, check=True, timeout=None, **kw):
    """Runs a command, captures its output, raises Failure with that output."""
    argv = [str(a) for a in argv]
    try:
        done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, timeout=timeout, **kw)
    except subprocess.TimeoutExpired:
        raise Failure(f"no answer within {timeout} s: {' '.join(argv)}") from None
    except FileNotFoundError:
        raise Failure(f"command not found: {argv[0]}") from None
    if check and done.returncode:
        raise Failure(f"rc {done.returncode}: {' '.join(argv)}\n{done.stdout}{done.stderr}".rstrip())
    return done


def wait_for(what, seconds, probe, pause=0.2):
    """Polls until probe() is true; returns that value."""
    end = time.monotonic() + seconds
    while True:
        value = probe()
        if value:
            return value
        if time.monotonic() > end:
            raise Failure(f"gave up after {seconds} s waiting for {what}")
        time.sleep(pause)


def write(path, text, mode=0o644):
    """Replaces a file in one step: several commands may run at once and read each other's files."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_text(text)
    part.chmod(mode)
    os.replace(part, path)
    return path
