"""Image layers, and images streamed into containerd: there is no registry."""

import contextlib
import hashlib
import io
import json
import os
import pathlib
import subprocess
import tarfile
import time

from .shell import Failure, run, say, write


def images(s, version=None):
    """Image name -> (layers, config) of what this instance can run."""
    path = "PATH=/opt/flink/bin:/opt/java/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    known = {"localhost/pause:1": ([s.images / "pause.tar"], {"Entrypoint": ["/pause"]})}
    if version:
        known[flink_image(version)] = (
            [s.images / "base.tar", s.images / f"flink-{version}.tar"],
            {"Entrypoint": ["/docker-entrypoint.sh"], "WorkingDir": "/opt/flink",
             "Env": [path, "JAVA_HOME=/opt/java", "FLINK_HOME=/opt/flink",
                     "FLINK_CONF_DIR=/opt/flink/conf"]})
    return known


def flink_image(version):
    return f"localhost/flink:{version}"


def pack(out, files, dirs=()):
    """Writes a reproducible image layer: files are (source, path in the image, mode)."""
    with tarfile.open(str(out) + ".new", "w") as tar:
        made = set()

        def parents(path):
            for p in reversed(pathlib.PurePosixPath(path).parents):
                if str(p) != "." and p not in made:
                    made.add(p)
                    entry = tarfile.TarInfo(str(p))
                    entry.type, entry.mode = tarfile.DIRTYPE, 0o755
                    tar.addfile(entry)
        for d in dirs:
            parents(d + "/x")
        for source, path, mode in files:
            parents(path)
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = source.stat().st_size, mode
            with open(source, "rb") as f:
                tar.addfile(entry, f)
    os.replace(str(out) + ".new", out)


def ctr(s, *argv, check=True, **kw):
    return run("ctr", "-a", s.socket, "-n", "k8s.io", *argv, check=check, **kw)


def load_images(s, version=None):
    """Streams images that containerd lacks, or has in another build, into it."""
    for name, (layers, config) in images(s, version).items():
        for layer in layers:
            if not layer.exists():
                raise Failure(f"{layer} is missing: run `FLINK_VERSION={s.flink} cluster build`")
        digests = [layer_digest(p) for p in layers]
        blob = json.dumps({"architecture": "amd64", "os": "linux", "config": config,
                           "rootfs": {"type": "layers", "diff_ids": digests}}).encode()
        kind = "application/vnd.oci.image."

        def describe(data, media):
            return {"mediaType": kind + media, "size": len(data),
                    "digest": "sha256:" + hashlib.sha256(data).hexdigest()}
        manifest = json.dumps({
            "schemaVersion": 2, "mediaType": kind + "manifest.v1+json",
            "config": describe(blob, "config.v1+json"),
            "layers": [{"mediaType": kind + "layer.v1.tar", "digest": d, "size": p.stat().st_size}
                       for d, p in zip(digests, layers)]}).encode()
        entry = describe(manifest, "manifest.v1+json")
        if f"{name} " in (have := ctr(s, "images", "ls").stdout) and entry["digest"] in have:
            continue
        entry["annotations"] = {"io.containerd.image.name": name,
                                "org.opencontainers.image.ref.name": name.split(":")[-1]}
        index = json.dumps({"schemaVersion": 2, "manifests": [entry]}).encode()
        began = time.monotonic()
        child = subprocess.Popen(["ctr", "-a", s.socket, "-n", "k8s.io", "images", "import", "-"],
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT)
        with contextlib.suppress(BrokenPipeError), tarfile.open(fileobj=child.stdin, mode="w|") as tar:
            def add(path, data):
                info = tarfile.TarInfo(path)
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
            add("oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
            add("index.json", index)
            for data in (blob, manifest):
                add("blobs/sha256/" + hashlib.sha256(data).hexdigest(), data)
            for d, p in zip(digests, layers):
                info = tarfile.TarInfo("blobs/" + d.replace(":", "/"))
                info.size = p.stat().st_size
                with open(p, "rb") as f:
                    tar.addfile(info, f)
        output = child.communicate()[0].decode()
        if child.returncode:
            raise Failure(f"cannot import {name}:\n{output}")
        say(f"image {name}: loaded ({time.monotonic() - began:.1f} s)")


def layer_digest(path):
    """The digest of a layer, remembered beside it."""
    note = path.with_suffix(path.suffix + ".digest")
    stat = f"{path.stat().st_size} {path.stat().st_mtime_ns}"
    with contextlib.suppress(FileNotFoundError):
        known, _, value = note.read_text().rpartition(" ")
        if known == stat:
            return value
    value = digest(path)
    write(note, f"{stat} {value}")
    return value


def digest(path):
    h = hashlib.sha256()
    with open(path, "rb") as f:
        while chunk := f.read(1 << 20):
            h.update(chunk)
    return "sha256:" + h.hexdigest()


def tag_image(s, args):
    load_images(s, s.flink)
    ctr(s, "images", "tag", "--force", flink_image(s.flink), args.image)


def load_image(s, args):
    ctr(s, "images", "import", args.archive)


def untag_image(s, args):
    ctr(s, "images", "rm", "--sync", args.image)
