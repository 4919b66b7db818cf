"""What the chats' robots do by their documents, and a webhook's receiver made of two libraries."""

import base64
import hashlib
import hmac
import http.server
import json
import threading
import time
import urllib.parse

from cloudevents.core.bindings.http import HTTPMessage, from_http
from cloudevents.core.formats.json import JSONFormat
from standardwebhooks import Webhook

from flink import Flink as Flink

DINGTALK = {"token": "d1ngtalk-t0ken", "secret": "SECd1ngtalk-s3cret"}
FEISHU = {"token": "fe1shu-t0ken", "secret": "fe1shu-s3cret"}
WECOM = {"token": "wec0m-k3y"}
WEBHOOK = "whsec_" + base64.b64encode(b"a webhook's own secret").decode()
TOKEN = "a-t0ken-for-the-webhook"


def sign(key, text):
    return base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()


class Robots:
    """What each was told, by its name."""

    def __init__(self):
        self.told = {"webhook": [], "slack": [], "dingtalk": [], "wecom": [], "feishu": []}
        self.ids = []

    def webhook(self, query, headers, body):
        if headers.get("Authorization") != f"Bearer {TOKEN}" or headers.get("X-Team") != "data":
            return 401, "who are you?"
        sent = {key.lower(): value for key, value in headers.items()}
        Webhook(WEBHOOK).verify(body, sent)
        event = from_http(HTTPMessage(sent, body), JSONFormat())
        assert event.get_id() == headers["webhook-id"], "the id of the message is the event's"
        self.ids.append(event.get_id())
        data = event.get_data()
        self.told["webhook"].append((event.get_type(), data.get("to") or data.get("status")))
        return 204, ""

    def slack(self, query, headers, body):
        self.told["slack"].append(json.loads(body)["text"])
        return 200, "ok"

    def dingtalk(self, query, headers, body):
        if query.get("access_token") != DINGTALK["token"]:
            return 200, {"errcode": 300001, "errmsg": "token is not exist"}
        stamp, secret = query.get("timestamp", "0"), DINGTALK["secret"]
        fresh = abs(int(stamp) - time.time() * 1000) < 3600_000
        if not fresh or query.get("sign") != sign(secret.encode(), f"{stamp}\n{secret}".encode()):
            return 200, {"errcode": 310000, "errmsg": f"sign not match for {DINGTALK['token']}"}
        message = json.loads(body)
        assert message["msgtype"] == "text"
        self.told["dingtalk"].append(message["text"]["content"])
        return 200, {"errcode": 0, "errmsg": "ok"}

    def wecom(self, query, headers, body):
        if query.get("key") != WECOM["token"]:
            return 200, {"errcode": 93000, "errmsg": "invalid webhook url"}
        message = json.loads(body)
        assert message["msgtype"] == "text" and len(message["text"]["content"].encode()) <= 2048
        self.told["wecom"].append(message["text"]["content"])
        return 200, {"errcode": 0, "errmsg": "ok"}

    def feishu(self, query, headers, body):
        message = json.loads(body)
        key = f"{message.get('timestamp')}\n{FEISHU['secret']}".encode()
        if message.get("sign") != sign(key, b"") or abs(int(message["timestamp"]) - time.time()) > 3600:
            return 200, {"code": 19021, "msg": "sign match fail or timestamp is not within one hour from current time"}
        assert message["msg_type"] == "text"
        self.told["feishu"].append(message["content"]["text"])
        return 200, {"StatusCode": 0, "StatusMessage": "success", "code": 0, "data": {}, "msg": "success"}


def serve(robots, flink):
    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def answered(self, status, body):
            body = (body if isinstance(body, str) else json.dumps(body)).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_HEAD(self):
            self.send_response(405)
            self.end_headers()

        def do_GET(self):
            self.answered(*flink.answer(self.path.removeprefix("/flink")))

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            url = urllib.parse.urlparse(self.path)
            query = dict(urllib.parse.parse_qsl(url.query))
            receive = getattr(robots, url.path.split("/")[1])
            self.answered(*receive(query, self.headers, body))

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]
