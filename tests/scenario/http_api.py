"""A client of the HTTP API that is as small as it can be: Api(node).get("queues") …

Each call answers an Answer with code, headers, json (None when there is no body) and text; none raises for a code.
"""
import base64
import http.client
import json
import re
from urllib.parse import quote


def q(text):
    """A name as a part of a path."""
    return quote(text, safe="")


class Answer:
    def __init__(self, code, headers, body):
        self.code = code
        self.headers = headers
        self.text = body.decode()
        self.json = json.loads(body) if body and headers.get("Content-Type", "").startswith("application/json") else None

    def __repr__(self):
        return f"{self.code} {self.text[:300]}"


class Api:
    def __init__(self, node, user="guest", password="guest", port=None):
        self.host, self.port = node.host, port or node.management_port
        self.authorization = user is not None and "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

    def call(self, method, path, body=None, headers=None, raw=None):
        link = http.client.HTTPConnection(self.host, self.port, timeout=60)
        headers = dict(headers or {})
        if self.authorization:
            headers["Authorization"] = self.authorization
        if body is not None:
            raw = json.dumps(body)
            headers["Content-Type"] = "application/json"
        try:
            link.request(method, path, body=raw, headers=headers)
            answer = link.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            link.close()

    def get(self, path):
        return self.call("GET", "/api/" + path)

    def put(self, path, body=None, **options):
        return self.call("PUT", "/api/" + path, {} if body is None and "raw" not in options else body, **options)

    def post(self, path, body=None, **options):
        return self.call("POST", "/api/" + path, {} if body is None and "raw" not in options else body, **options)

    def delete(self, path, **options):
        return self.call("DELETE", "/api/" + path, **options)

    def publish(self, exchange, key, payload, properties=None, encoding="string", vhost="/"):
        return self.post(f"exchanges/{q(vhost)}/{q(exchange)}/publish",
                         {"properties": properties or {}, "routing_key": key, "payload": payload,
                          "payload_encoding": encoding})

    def take(self, queue, count=1, ackmode="ack_requeue_false", encoding="auto", vhost="/", **more):
        return self.post(f"queues/{q(vhost)}/{q(queue)}/get",
                         {"count": count, "ackmode": ackmode, "encoding": encoding, **more})


def parse_metrics(text):
    """Names with labels → values; fails on what Prometheus would refuse."""
    values, families = {}, {}
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, family, kind = line.split(" ")
            assert family not in families, f"{family} twice"
            families[family] = kind
        elif not line.startswith("# HELP "):
            match = re.fullmatch(r'([a-z_:][a-z0-9_:]*)(\{(?:[a-z_]+="(?:[^"\\\n]|\\.)*",?)*\})? (-?[0-9.e+]+)', line)
            assert match, line
            stem = re.sub(r"_(sum|count|bucket)$", "", match[1]) if match[1] not in families else match[1]
            assert stem in families, f"{line} without a type"
            assert (families[stem] == "counter") == match[1].endswith("_total"), line
            key = match[1] + (match[2] or "")
            assert key not in values, f"{key} twice"
            values[key] = float(match[3])
    return values
