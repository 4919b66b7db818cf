"""`build`: packages, Go binaries, image layers, the test job; what exists is skipped."""

import hashlib
import os
import pathlib
import re
import shutil
import sys
import tarfile
import tempfile
import time
import zipfile

from .images import pack
from .settings import KIT, KUBERNETES, NAMESPACE
from .shell import Failure, run, say, write

DEBIAN = "bookworm"

APT = {  # command -> package
    "containerd": "containerd", "ctr": "containerd", "runc": "runc",
    "/usr/lib/cni/ptp": "containernetworking-plugins", "iptables": "iptables",
    "conntrack": "conntrack", "ip": "iproute2", "nsenter": "util-linux",
    "mount": "mount", "debootstrap": "debootstrap", "gcc": "gcc",
    "/usr/include/stdlib.h": "libc6-dev", "javac": "openjdk-17-jdk-headless",
    "java": "openjdk-17-jre-headless", "openssl": "openssl", "sysctl": "procps",
}

VERSION_FLAGS = " ".join([
    "-s -w",
    f"-X k8s.io/component-base/version.gitVersion=v{KUBERNETES}",
    "-X k8s.io/component-base/version.gitMajor=1",
    f"-X k8s.io/component-base/version.gitMinor={KUBERNETES.split('.')[1]}",
])

# Nobody debugs these programs here, and the compiler has memory to spare: a quarter less time.
COMPILER_FLAGS = "all=-dwarf=false"
COMPILER_ENV = {"GOGC": "400"}

BINARIES = {  # name -> (module directory, package)
    "kube-apiserver": ("kubernetes", "k8s.io/kubernetes/cmd/kube-apiserver"),
    "etcd": ("kubernetes", "go.etcd.io/etcd/server/v3"),
    "kube-controller-manager": ("kubernetes", "k8s.io/kubernetes/cmd/kube-controller-manager"),
    "kube-scheduler": ("kubernetes", "k8s.io/kubernetes/cmd/kube-scheduler"),
    "kubelet": ("kubernetes", "k8s.io/kubernetes/cmd/kubelet"),
    "kube-proxy": ("kubernetes", "k8s.io/kubernetes/cmd/kube-proxy"),
    "kubectl": ("kubernetes", "k8s.io/kubernetes/cmd/kubectl"),
    "coredns": ("coredns", "."),
}


def build(s, _args):
    start = time.monotonic()
    if os.geteuid():
        raise Failure("run as root")
    for d in (s.bin, s.images, s.root / "dl", s.root / "flink"):
        d.mkdir(parents=True, exist_ok=True)
    for what, step in (("apt packages", build_packages), ("Go binaries", build_binaries),
                       ("pause image", build_pause), ("base image layer", build_base),
                       (f"Flink {s.flink}", build_flink), ("test job", build_job)):
        began = time.monotonic()
        did = step(s)
        say(f"{what}: {'built' if did else 'present'} ({time.monotonic() - began:.1f} s)")
    say(f"build: done in {time.monotonic() - start:.0f} s")


def build_packages(_s):
    def there(item):
        return os.path.exists(item) if item.startswith("/") else shutil.which(item)
    missing = sorted({pkg for item, pkg in APT.items() if not there(item)})
    if run(sys.executable, "-m", "pip", "--version", check=False).returncode:
        missing.append("python3-pip")
    if not missing:
        return False
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    apt = ("apt-get", "-q", "-o", "DPkg::Lock::Timeout=600")       # somebody else may be installing
    run(*apt, "update", env=env)
    run(*apt, "install", "-y", "--no-install-recommends", *missing, env=env)
    return True


def build_binaries(s):
    did = False
    for name, (module, package) in BINARIES.items():
        src = KIT / "go" / module
        pins = hashlib.sha256(b"".join(p.read_bytes() for p in sorted(src.iterdir()))).hexdigest()
        stamp = s.bin / f".{name}.stamp"
        if (s.bin / name).exists() and stamp.exists() and stamp.read_text() == pins:
            continue
        began = time.monotonic()
        flags = VERSION_FLAGS if module == "kubernetes" else "-s -w"
        run("go", "build", "-mod=readonly", "-buildvcs=false", "-gcflags", COMPILER_FLAGS, "-ldflags", flags,
            "-o", s.bin / (name + ".new"), package, cwd=src, env={**os.environ, **COMPILER_ENV})
        os.replace(s.bin / (name + ".new"), s.bin / name)
        write(stamp, pins)
        say(f"  {name}: {time.monotonic() - began:.0f} s")
        did = True
    return did


def build_pause(s):
    out = s.images / "pause.tar"
    if out.exists():
        return False
    with tempfile.TemporaryDirectory(dir=s.images) as t:
        binary = pathlib.Path(t) / "pause"
        run("gcc", "-Os", "-static", "-s", "-o", binary, KIT / "image" / "pause.c")
        pack(out, [(binary, "pause", 0o755)])
    return True


def build_base(s):
    """A minimal Debian with a Java runtime, shared by every Flink version."""
    out = s.images / "base.tar"
    if out.exists():
        return False
    mirror = run("apt-get", "indextargets", "--format", "$(REPO_URI)",
                 "Created-By: Packages").stdout.split()
    if not mirror:
        raise Failure("apt has no package source")
    root = pathlib.Path(tempfile.mkdtemp(prefix="rootfs-", dir=s.images))
    try:
        run("debootstrap", "--variant=minbase",
            "--include=openjdk-17-jre-headless,ca-certificates,procps,curl", DEBIAN, root, mirror[0])
        for junk in ("var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/man",
                     "usr/share/locale", "usr/share/info", "debootstrap"):
            shutil.rmtree(root / junk, ignore_errors=True)
        java = next((root / "usr/lib/jvm").glob("java-17-openjdk-*"))
        (root / "opt/java").symlink_to("/" + str(java.relative_to(root)))
        run("tar", "-C", root, "--numeric-owner", "--one-file-system", "-cf", str(out) + ".new", ".")
        os.replace(str(out) + ".new", out)
    finally:
        shutil.rmtree(root, ignore_errors=True)
    return True


def build_flink(s):
    """The jars of one Flink version: for the client here, and as an image layer."""
    home, layer = s.flink_home(), s.images / f"flink-{s.flink}.tar"
    scripts = {p: p.read_bytes() for p in sorted((KIT / "image").glob("*.sh"))}
    pins = hashlib.sha256(b"".join(scripts.values())).hexdigest()
    stamp = s.images / f"flink-{s.flink}.stamp"
    fresh = not (home / "lib").is_dir()
    if fresh:
        with tempfile.TemporaryDirectory(dir=s.root / "dl") as t:
            run(sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:",
                "-d", t, f"apache-flink-libraries=={s.flink}")
            (sdist,) = pathlib.Path(t).glob("apache*flink*libraries-*.tar.gz")
            lib = pathlib.Path(t) / "lib"
            lib.mkdir()
            with tarfile.open(sdist, "r|gz") as tar:
                for m in tar:
                    name = os.path.basename(m.name)
                    if re.search(r"/deps/lib/(flink-dist|flink-connector-files|log4j-)[^/]*\.jar$", m.name):
                        with open(lib / name, "wb") as f:
                            shutil.copyfileobj(tar.extractfile(m), f)
            if not list(lib.glob("flink-dist-*.jar")):
                raise Failure(f"no flink-dist jar in {sdist.name}")
            home.mkdir(parents=True, exist_ok=True)
            lib.rename(home / "lib")
    write(home / "conf" / "config.yaml", "kubernetes:\n  namespace: " + NAMESPACE + "\n")
    shutil.copy(KIT / "image" / "log4j-console.properties", home / "conf")
    if not fresh and layer.exists() and stamp.exists() and stamp.read_text() == pins:
        return False
    files = [(j, f"opt/flink/lib/{j.name}", 0o644) for j in sorted((home / "lib").iterdir())]
    files += [(p, p.name if p.name == "docker-entrypoint.sh" else f"opt/flink/bin/{p.name}", 0o755)
              for p in scripts]
    pack(layer, files, dirs=("opt/flink/conf", "opt/flink/log", "opt/flink/plugins", "opt/flink/usrlib"))
    write(stamp, pins)
    return True


def build_job(s):
    out, src = s.flink_home() / "test-job.jar", KIT / "job" / "TestJob.java"
    if out.exists() and out.stat().st_mtime > src.stat().st_mtime:
        return False
    with tempfile.TemporaryDirectory() as t:
        classes = pathlib.Path(t)
        run("javac", "--release", "11", "-nowarn", "-cp", f"{s.flink_home()}/lib/*", "-d", classes, src)
        with zipfile.ZipFile(str(out) + ".new", "w", zipfile.ZIP_DEFLATED) as jar:
            jar.writestr("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\r\nMain-Class: TestJob\r\n\r\n")
            for c in sorted(classes.glob("*.class")):
                jar.write(c, c.name)
    os.replace(str(out) + ".new", out)
    return True
