"""Takes OTLP by the classes that are generated from its files, and writes what it took as the Collector's file exporter does.

receiver.py --config CONFIG, of which only the address and the path are read."""

import base64
import http.server
import json
import pathlib
import re
import sys

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest, ExportTraceServiceResponse

CONFIG = pathlib.Path(sys.argv[2]).read_text()
PORT = int(re.search(r"endpoint: 127\.0\.0\.1:(\d+)", CONFIG)[1])
FILE = pathlib.Path(re.search(r"path: (\S+)", CONFIG)[1])


def with_hex(value):
    """OTLP's JSON has ids in hex, where protobuf's has base64."""
    if isinstance(value, list):
        return [with_hex(one) for one in value]
    if isinstance(value, dict):
        ids = ("traceId", "spanId", "parentSpanId")
        return {key: base64.b64decode(one).hex() if key in ids else with_hex(one) for key, one in value.items()}
    return value


def unknown_fields(message):
    """Bytes that the classes have no field for are lost in what is written."""
    again = type(message)()
    again.ParseFromString(message.SerializeToString())
    again.DiscardUnknownFields()
    return again.ByteSize() != message.ByteSize()


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        request = ExportTraceServiceRequest()
        request.ParseFromString(body)
        fits = self.path == "/v1/traces" and self.headers["Content-Type"] == "application/x-protobuf" and not unknown_fields(request)
        if fits and any(scope.spans for resource in request.resource_spans for scope in resource.scope_spans):
            with FILE.open("a") as file:
                file.write(json.dumps(with_hex(MessageToDict(request, use_integers_for_enums=True))) + "\n")
        answer = ExportTraceServiceResponse().SerializeToString()
        self.send_response(200 if fits else 400)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)


http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
