"""Plays one job's trouble against each kind of receiver. try.py PROGRAM FOLDER"""

import contextlib
import datetime
import json
import logging
import pathlib
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
import warnings

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

import robots as r

PROGRAM, FOLDER = sys.argv[1], pathlib.Path(sys.argv[2])
PASSWORD = "smtp-pa55word"
SECRETS = [r.DINGTALK["token"], r.DINGTALK["secret"], r.FEISHU["token"], r.FEISHU["secret"], r.WECOM["token"], r.WEBHOOK,
           r.TOKEN, PASSWORD, "sl4ck-t0ken"]
# On loopback a password may go without TLS.
warnings.filterwarnings("ignore", module="aiosmtpd")
# Who does not believe a certificate breaks off, which is logged as an error.
logging.getLogger("mail.log").setLevel(logging.CRITICAL)
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def until(what, holds, seconds=20):
    by = time.monotonic() + seconds
    while not (seen := holds()):
        assert time.monotonic() < by, f"never: {what}"
        time.sleep(0.1)
    return seen


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def get(url):
    with OPENER.open(url, timeout=5) as answer:
        return json.load(answer)


class Mails:
    def __init__(self):
        self.got, self.encrypted = [], []

    async def handle_DATA(self, server, session, envelope):
        self.got.append((session.auth_data, envelope.rcpt_tos, envelope.content.decode()))
        self.encrypted.append(server.transport.get_extra_info("cipher") is not None)
        return "250 taken"


def certificates():
    """ca.pem, a certificate of it for 127.0.0.1, one for another name, and other.pem, an authority that signed neither."""

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=FOLDER, check=True, capture_output=True)

    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    for authority in ["ca", "other"]:
        openssl("req", "-x509", *key, "-subj", f"/CN={authority}", "-keyout", f"{authority}.key", "-out", f"{authority}.pem")
    for name, alternative in [("here", "IP:127.0.0.1"), ("elsewhere", "DNS:smtp.example.com")]:
        openssl("req", "-x509", *key, "-subj", f"/CN={name}", "-addext", f"subjectAltName={alternative}", "-addext",
                "basicConstraints=critical,CA:FALSE", "-CA", "ca.pem", "-CAkey", "ca.key", "-keyout", f"{name}.key",
                "-out", f"{name}.pem")


def tls(name):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(FOLDER / f"{name}.pem", FOLDER / f"{name}.key")
    return context


def mail_server(mails, **how):
    """Without `how` in plain text; tls_context: with STARTTLS; ssl_context: TLS from the first byte."""

    def authenticate(server, session, envelope, mechanism, data):
        known = isinstance(data, LoginPassword) and data.password == PASSWORD.encode()
        return AuthResult(success=known, handled=False, auth_data=data.login.decode() if known else None)

    controller = Controller(mails, hostname="127.0.0.1", port=free_port(), authenticator=authenticate, auth_required=True,
                            auth_require_tls="tls_context" in how, require_starttls="tls_context" in how, **how)
    controller.start()
    return controller


def alertmanager():
    config = FOLDER / "alertmanager.yml"
    config.write_text("route: {receiver: nobody, group_wait: 0s}\nreceivers: [{name: nobody}]\n")
    port = free_port()
    log = (FOLDER / "alertmanager.log").open("w")
    process = subprocess.Popen(
        ["prometheus-alertmanager", f"--config.file={config}", f"--storage.path={FOLDER / 'am'}", "--cluster.listen-address=",
         f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log)

    def is_ready():
        with contextlib.suppress(OSError):
            return OPENER.open(f"http://127.0.0.1:{port}/-/ready", timeout=1).status == 200

    until("Alertmanager is ready", is_ready)
    return process, f"http://127.0.0.1:{port}"


def firing(address, name="JobFailed"):
    alerts = get(f"{address}/api/v2/alerts?active=true")
    return [alert for alert in alerts if alert["labels"]["alertname"] == name]


def ends_in(alert):
    end = datetime.datetime.fromisoformat(alert["endsAt"].replace("Z", "+00:00"))
    return (end - datetime.datetime.now(datetime.timezone.utc)).total_seconds()


def configure(here, manager, mail):
    def secret(name, text):
        (FOLDER / name).write_text(text + "\n")
        (FOLDER / name).chmod(0o600)

    for name, text in [("webhook.secret", r.WEBHOOK), ("webhook.token", r.TOKEN), ("dingtalk.secret", r.DINGTALK["secret"]),
                       ("feishu.secret", r.FEISHU["secret"]), ("smtp.password", PASSWORD), ("slack.url", f"{here}/slack/sl4ck-t0ken")]:
        secret(name, text)
    (FOLDER / "config.toml").write_text(f"""
[server]
listen = "127.0.0.1:0"
[timing]
poll = "200ms"
validate = "1s"
retry_initial = "50ms"
retry_max = "500ms"
terminal_poll = "300ms"
[[policy]]
name = "default"
module = "builtin:conservative"
params = {{ alert_after = "500ms" }}
[[job]]
name = "orders"
mode = "standalone"
flink_rest = "{here}/flink"
[[sink]]
kind = "webhook"
name = "hook"
url = "{here}/webhook"
headers = {{ "X-Team" = "data" }}
token_file = "webhook.token"
secret_file = "webhook.secret"
[[sink]]
kind = "alertmanager"
name = "am"
url = "{manager}"
resend = "1s"
labels = {{ severity = "page" }}
[[sink]]
kind = "slack"
name = "slack"
url_file = "slack.url"
batch_wait = "0ms"
template = "{{{{ status }}}} {{{{ alert }}}} {{{{ events[0].job }}}}"
[[sink]]
kind = "dingtalk"
name = "dingtalk"
url = "{here}/dingtalk/send?access_token={r.DINGTALK['token']}"
secret_file = "dingtalk.secret"
batch_wait = "100ms"
[[sink]]
kind = "wecom"
name = "wecom"
url = "{here}/wecom/send?key={r.WECOM['token']}"
select = {{ states = ["FAILED"] }}
[[sink]]
kind = "feishu"
name = "feishu"
url = "{here}/feishu/hook/{r.FEISHU['token']}"
secret_file = "feishu.secret"
[[sink]]
kind = "email"
name = "mail"
url = "smtp://127.0.0.1:{mail.port}"
ca_file = "ca.pem"
username = "steadfast"
password_file = "smtp.password"
from = "Steadfast <steadfast@example.com>"
to = ["ann@example.com", "bob@example.com"]
batch_wait = "1s"
""")


def mails_by_each_way(mails, mail):
    """Every way to a mail server, by `sink test`: what is not vouched for gets nothing, and is told with what mends it."""
    ways = {"plain": mail_server(mails), "starttls": mail, "tls": mail_server(mails, ssl_context=tls("here")),
            "elsewhere": mail_server(mails, ssl_context=tls("elsewhere"))}
    ca, other = 'ca_file = "ca.pem"', 'ca_file = "other.pem"'
    vouch = "sink.ca_file, and its own name in sink.url"
    tried = [("plain", "smtp", "insecure = true", None), ("starttls", "smtp", ca, None), ("tls", "smtps", ca, None),
             ("starttls", "smtp", other, vouch), ("tls", "smtps", other, vouch), ("starttls", "smtp", "", vouch),
             ("elsewhere", "smtps", ca, vouch), ("plain", "smtp", ca, "smtp:// begins with STARTTLS"),
             ("starttls", "smtps", ca, "smtps:// is TLS from the first byte")]
    try:
        text = "".join(f"""
[[sink]]
kind = "email"
name = "mail-{number}"
url = "{scheme}://127.0.0.1:{ways[way].port}"
{key}
username = "steadfast"
password_file = "smtp.password"
from = "steadfast@example.com"
to = "ann@example.com"
""" for number, (way, scheme, key, _) in enumerate(tried))
        (FOLDER / "mails.toml").write_text(text)
        for number, (way, scheme, key, mends) in enumerate(tried):
            mails.got.clear()
            mails.encrypted.clear()
            ended = steadfast("sink", "test", f"mail-{number}", "--config", "mails.toml")
            if mends is None:
                assert ended.returncode == 0 and mails.got[0][0] == "steadfast", (way, key, ended)
                assert mails.encrypted == [way != "plain"], (way, mails.encrypted)
            else:
                assert ended.returncode == 1 and mends in ended.stdout, (way, scheme, key, ended)
                assert not mails.got, (way, scheme, key, "a mail was sent all the same")
    finally:
        for name in ["plain", "tls", "elsewhere"]:
            ways[name].stop()
        mails.got.clear()


def steadfast(*arguments):
    ended = subprocess.run([PROGRAM, *arguments], cwd=FOLDER, capture_output=True, text=True, timeout=60)
    silent(f"{arguments}", ended.stdout + ended.stderr)
    return ended


def silent(what, text):
    for secret in SECRETS:
        assert secret not in text, f"{what} tells a secret: {text}"


class Engine:
    def __init__(self, number):
        self.log = FOLDER / f"engine-{number}.log"
        self.process = subprocess.Popen([PROGRAM, "run"], cwd=FOLDER, stdout=subprocess.DEVNULL, stderr=self.log.open("w"))
        line = until("the engine is up", lambda: [line for line in self.log.read_text().splitlines() if "the dashboard are at" in line])
        self.address = "http://127.0.0.1:" + line[0].split("127.0.0.1:")[1].split("/")[0]

    def state(self):
        with contextlib.suppress(OSError):
            return get(f"{self.address}/api/v1/jobs/-/-/orders")["state"]

    def end(self, with_signal):
        self.process.send_signal(with_signal)
        self.process.wait(20)
        silent("the log", self.log.read_text())


def tests_of_sinks(told, manager, mails):
    for name in ["hook", "am", "slack", "dingtalk", "wecom", "feishu", "mail"]:
        ended = steadfast("sink", "test", name)
        assert ended.returncode == 0 and "took the test message" in ended.stdout, (name, ended)
    assert told["webhook"] == [("dev.steadfast.test", None)], told["webhook"]
    assert all("a test of the sink" in told[name][0] for name in ["slack", "dingtalk", "wecom", "feishu"]), told
    assert [alert["labels"]["severity"] for alert in firing(manager, "SteadfastSinkTest")] == ["page"]
    assert "Subject: a test of the sink mail" in mails.got[0][2] and mails.got[0][0] == "steadfast", mails.got
    assert steadfast("sink", "test", "nobody").returncode == 2
    config = (FOLDER / "config.toml").read_text()
    try:
        # The robot answers 200 all the same, and quotes its token.
        (FOLDER / "dingtalk.secret").write_text("another one\n")
        ended = steadfast("sink", "test", "dingtalk")
        assert ended.returncode == 1 and "errcode 310000" in ended.stdout and "-> compare" in ended.stdout, ended
        (FOLDER / "config.toml").write_text(config.replace(r.WECOM["token"], "nobodys-k3y"))
        ended = steadfast("sink", "test", "wecom")
        assert ended.returncode == 1 and "errcode 93000" in ended.stdout, ended
        (FOLDER / "smtp.password").write_text("wrong\n")
        ended = steadfast("sink", "test", "mail")
        assert ended.returncode == 1 and "535" in ended.stdout and "sink.password_file" in ended.stdout, ended
    finally:
        (FOLDER / "config.toml").write_text(config)
        (FOLDER / "dingtalk.secret").write_text(r.DINGTALK["secret"] + "\n")
        (FOLDER / "smtp.password").write_text(PASSWORD + "\n")
    doctor = steadfast("doctor")
    assert doctor.returncode == 0 and doctor.stdout.count("it is reached") == 7, doctor.stdout
    for texts in told.values():
        texts.clear()
    mails.got.clear()


def main():
    told, flink, mails = r.Robots(), r.Flink(), Mails()
    here = f"http://127.0.0.1:{r.serve(told, flink)}"
    certificates()
    mail = mail_server(mails, tls_context=tls("here"))
    manager_process, manager = alertmanager()
    engine = None
    try:
        configure(here, manager, mail)
        checked = steadfast("check")
        assert checked.returncode == 0, checked.stderr
        tests_of_sinks(told.told, manager, mails)
        mails_by_each_way(mails, mail)

        engine = Engine(1)
        until("it runs", lambda: engine.state() == "RUNNING")
        flink.set("FAILED")
        until("the alert fires in Alertmanager", lambda: firing(manager))
        labels = firing(manager)[0]["labels"]
        assert labels == {**labels, "scope": "job", "cluster": "-", "name": "orders", "flink_job": "-/-/orders", "severity": "page"}, labels
        until("the chats are told", lambda: all(told.told[name] for name in ["slack", "dingtalk", "wecom", "feishu"]))
        until("a mail is there", lambda: mails.got)

        # Killed: what fires ends a minute later, and is sent again by the next.
        engine.end(signal.SIGKILL)
        until("without an engine the alert ends by itself", lambda: not firing(manager), 75)
        engine = Engine(2)
        until("it fires again after the restart", lambda: firing(manager))
        time.sleep(6)
        again = firing(manager)
        assert again and all(ends_in(alert) > 55 for alert in again), ("it is sent again before it ends", again)

        # Ended while no engine is there: the journal cannot say so yet, and the next one sees it. Nothing but its word can end
        # the alert in time.
        engine.end(signal.SIGTERM)
        config = FOLDER / "config.toml"
        config.write_text(config.read_text().replace('resend = "1s"', 'resend = "60s"'))
        engine = Engine(3)
        until("it is sent with a later end", lambda: any(ends_in(alert) > 180 for alert in firing(manager)))
        engine.end(signal.SIGKILL)
        flink.set("RUNNING")
        engine = Engine(4)
        until("it runs again", lambda: engine.state() == "RUNNING")
        until("it is resolved", lambda: not firing(manager))
        until("the webhook hears of the end", lambda: ("dev.steadfast.alert", "resolved") in told.told["webhook"])
        until("so do the chats", lambda: all(any("RESOLVED" in text for text in told.told[name]) for name in ["dingtalk", "feishu"]))
        until("and the mailboxes", lambda: any("Subject: [RESOLVED] JobFailed" in mail[2] for mail in mails.got))

        once = list(dict.fromkeys(told.ids))
        assert [int(one.rsplit("-", 1)[1]) for one in once if not one.startswith("test-")] == sorted(
            int(one.rsplit("-", 1)[1]) for one in once if not one.startswith("test-")), "in the order of the journal"
        assert told.told["slack"][0] == "firing JobFailed -/-/orders", told.told["slack"]
        assert any("[FAILED] -/-/orders" in text for text in told.told["wecom"]), told.told["wecom"]
        assert mails.got[0][1] == ["ann@example.com", "bob@example.com"]
        ready = get(f"{engine.address}/readyz")
        assert all(sink["deadLetters"] == 0 and "waitingSince" not in sink for sink in ready["sinks"]), ready["sinks"]
        engine.end(signal.SIGTERM)
        assert engine.process.returncode == 0
    except BaseException:
        for log in sorted(FOLDER.glob("*.log")):
            print(f"---- {log.name}\n{log.read_text()[-6000:]}", file=sys.stderr)
        raise
    finally:
        if engine and engine.process.poll() is None:
            engine.process.kill()
        manager_process.kill()
        mail.stop()
    print("sinks: webhook, alertmanager, slack, dingtalk, wecom, feishu and email were told what happened, and when it ended")


main()
