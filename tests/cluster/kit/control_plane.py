"""Certificates, kubeconfigs, etcd, the API server and its companions, and RBAC."""

import base64
import json

from .kubernetes import kubectl
from .processes import alive, kill, spawn, stop
from .settings import KIT, NAMESPACE
from .shell import Failure, run, say, wait_for, write


def make_certificates(s):
    s.pki.mkdir(parents=True)
    s.pki.chmod(0o700)
    days = ("-days", "3650")

    def key(name):
        # RSA: the Kubernetes client inside Flink takes any PKCS #8 key for one.
        run("openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048",
            "-out", s.pki / f"{name}.key")

    def issue(name, subject, usage, names=""):
        key(name)
        ext = write(s.pki / f"{name}.ext", "basicConstraints=critical,CA:FALSE\n"
                    "keyUsage=critical,digitalSignature\n"
                    f"extendedKeyUsage={usage}\n" + (f"subjectAltName={names}\n" if names else ""))
        csr = s.pki / f"{name}.csr"
        run("openssl", "req", "-new", "-key", s.pki / f"{name}.key", "-subj", subject, "-out", csr)
        run("openssl", "x509", "-req", "-in", csr, "-CA", s.pki / "ca.crt", "-CAkey", s.pki / "ca.key",
            "-CAcreateserial", *days, "-extfile", ext, "-out", s.pki / f"{name}.crt")

    key("ca")
    run("openssl", "req", "-x509", "-new", "-key", s.pki / "ca.key", "-subj", f"/CN={s.name}-ca", *days,
        "-addext", "keyUsage=critical,keyCertSign,cRLSign", "-out", s.pki / "ca.crt")
    issue("apiserver", "/CN=kube-apiserver", "serverAuth",
          f"IP:{s.node_ip},IP:{s.api_service_ip},IP:127.0.0.1,DNS:localhost,DNS:kubernetes,"
          "DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local")
    issue("admin", "/O=system:masters/CN=admin", "clientAuth")
    run("openssl", "genrsa", "-out", s.pki / "sa.key", "2048")
    run("openssl", "rsa", "-in", s.pki / "sa.key", "-pubout", "-out", s.pki / "sa.pub")
    write_kubeconfig(s, s.kubeconfig, {"client-certificate-data": b64(s.pki / "admin.crt"),
                                       "client-key-data": b64(s.pki / "admin.key")})


def b64(path):
    return base64.b64encode(path.read_bytes()).decode()


def write_kubeconfig(s, path, user):
    # JSON is YAML: every client reads it.
    write(path, json.dumps({
        "apiVersion": "v1", "kind": "Config", "current-context": s.name,
        "clusters": [{"name": s.name, "cluster": {"server": f"https://{s.node_ip}:6443",
                                                  "certificate-authority-data": b64(s.pki / "ca.crt")}}],
        "users": [{"name": s.name, "user": user}],
        "contexts": [{"name": s.name, "context": {"cluster": s.name, "user": s.name,
                                                  "namespace": NAMESPACE}}]}, indent=1), 0o600)


def kubeconfig(s, args):
    if not s.kubeconfig.exists():
        raise Failure(f"instance {s.name} is not up")
    if not args.watcher:
        print(s.kubeconfig)
        return
    token = kubectl(s, "create", "token", "watcher", "--duration=24h").stdout.strip()
    path = s.dir / "kubeconfig-watcher"
    write_kubeconfig(s, path, {"token": token})
    print(path)


def start_control_plane(s):
    spawn(s, "etcd", s.bin / "etcd", "--data-dir", s.dir / "etcd", "--unsafe-no-fsync",
          "--log-level", "warn")
    start_api_server(s)
    start_controllers(s)


def start_controllers(s):
    # The grace period outlasts a killed API server: else its return takes every pod out of its Service for a minute.
    spawn(s, "kube-controller-manager", s.bin / "kube-controller-manager", "--kubeconfig", s.kubeconfig,
          "--node-monitor-grace-period=180s",
          "--service-account-private-key-file", s.pki / "sa.key", "--root-ca-file", s.pki / "ca.crt",
          "--leader-elect=false", "--profiling=false")
    spawn(s, "kube-scheduler", s.bin / "kube-scheduler", "--kubeconfig", s.kubeconfig,
          "--leader-elect=false", "--profiling=false")


def start_api_server(s):
    """Starts it and waits until it serves."""
    issuer = "https://kubernetes.default.svc.cluster.local"
    spawn(s, "kube-apiserver", s.bin / "kube-apiserver", "--etcd-servers", "http://127.0.0.1:2379",
          "--bind-address", "0.0.0.0", "--secure-port", "6443", "--advertise-address", s.node_ip,
          "--service-cluster-ip-range", s.services, "--client-ca-file", s.pki / "ca.crt",
          "--tls-cert-file", s.pki / "apiserver.crt", "--tls-private-key-file", s.pki / "apiserver.key",
          "--service-account-key-file", s.pki / "sa.pub",
          "--service-account-signing-key-file", s.pki / "sa.key", "--service-account-issuer", issuer,
          "--authorization-mode", "Node,RBAC", "--kubelet-preferred-address-types", "InternalIP", "--allow-privileged", "--profiling=false")

    def ready():
        for name in ("etcd", "kube-apiserver"):
            if not alive(s, name):
                raise Failure(f"{name} died at start; see {s.logs / name}.log")
        return kubectl(s, "get", "--raw", "/readyz", check=False).stdout == "ok"
    wait_for("the API server", 90, ready)


def kill_apiserver(s, _args):
    """Its clients' connections break at once; etcd and all else run on."""
    say(f"killed pid {kill(s, 'kube-apiserver')}")


def start_apiserver(s, _args):
    if not alive(s, "etcd"):
        raise Failure(f"instance {s.name} is not up")
    if alive(s, "kube-apiserver"):
        return
    start_api_server(s)
    # They would watch again only after a back-off of up to 30 s. Where they elect a leader an outage ends them, too.
    stop(s, "kube-controller-manager", "kube-scheduler")
    start_controllers(s)


def apply_rbac(s):
    """Flink pods run as the default service account and manage their own objects; a watcher may only look."""
    rules = [
        {"apiGroups": [""], "resources": ["pods", "services", "configmaps"], "verbs": ["*"]},
        {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["*"]}]
    view = [{"apiGroups": ["", "apps", "events.k8s.io"],
             "resources": ["pods", "pods/log", "services", "configmaps", "events", "deployments",
                           "replicasets"], "verbs": ["get", "list", "watch"]},
            {"apiGroups": ["flink.apache.org"], "resources": ["flinkdeployments", "flinksessionjobs", "flinkstatesnapshots"],
             "verbs": ["get", "list", "watch"]}]

    def role(name, rules, account):
        return [
            {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
             "metadata": {"name": name, "namespace": NAMESPACE}, "rules": rules},
            {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
             "metadata": {"name": name, "namespace": NAMESPACE},
             "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
             "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": NAMESPACE}]}]
    items = role("flink", rules, "default") + role("watcher", view, "watcher") + [
        {"apiVersion": "v1", "kind": "ServiceAccount",
         "metadata": {"name": "watcher", "namespace": NAMESPACE}}]
    kubectl(s, "apply", "-f", "-", input=json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))


def deny_watcher(s, _args):
    """From now on the API server answers the watcher with 403; watches that are open stay open."""
    kubectl(s, "delete", "rolebinding", "watcher", "--ignore-not-found")


def allow_watcher(s, _args):
    apply_rbac(s)


def install_crds(s, _args):
    """The resources of the Flink Kubernetes Operator, without the operator."""
    kubectl(s, "apply", "-f", KIT / "crd")
    kubectl(s, "wait", "--for=condition=Established", "--timeout=15s", "-f", KIT / "crd")
