#!/usr/bin/python3
"""Answers packed by gzip: which, for whom, and that they say the same."""
import gzip
import http.client
import json

from harness import main, test
from http_api import Api

ACCEPTS = {"Accept-Encoding": "gzip"}


class Packed(Api):
    """Answers (head, bytes as they came)."""

    def raw(self, path, method="GET", port=None, **headers):
        link = http.client.HTTPConnection(self.host, port or self.port, timeout=60)
        try:
            link.request(method, path, headers={"Authorization": self.authorization, **headers})
            answer = link.getresponse()
            return answer.headers, answer.read()
        finally:
            link.close()


@test(own=True, management=True, leveret_only="the same of RabbitMQ is in its own tests")
def long_answers_are_packed(node):
    api = Packed(node)
    # One of each kind: whole at once, streamed, whole and packed in portions.
    for i in range(300):
        api.put(f"queues/%2F/{'q' * 200}{i}", {"durable": True})
    for path in ("/api/overview", "/api/queues", "/api/definitions", "/api/queues?page=1&page_size=100"):
        head, plain = api.raw(path)
        assert "Content-Encoding" not in head and head["Vary"] == "Accept-Encoding, Origin", head
        head, packed = api.raw(path, **ACCEPTS)
        assert head["Content-Encoding"] == "gzip" and len(packed) < len(plain) / 2, (path, head, len(packed))
        told = json.loads(gzip.decompress(packed))
        assert type(told) is type(json.loads(plain)) and len(told) == len(json.loads(plain))
    names = {queue["name"] for queue in json.loads(gzip.decompress(api.raw("/api/definitions", **ACCEPTS)[1]))["queues"]}
    assert len(names) == 300
    for path in ("/metrics", "/metrics/per-object", "/metrics/detailed?family=queue_coarse_metrics"):
        head, packed = api.raw(path, port=node.metrics_port, **ACCEPTS)
        assert head["Content-Encoding"] == "gzip" and gzip.decompress(packed).startswith(b"# HELP rabbitmq_build_info"), path


@test(own=True, management=True, leveret_only="the same of RabbitMQ is in its own tests")
def others_are_not(node):
    api = Packed(node)
    for headers in ({}, {"Accept-Encoding": "identity"}, {"Accept-Encoding": "gzip;q=0"}, {"Accept-Encoding": "br"}):
        assert "Content-Encoding" not in api.raw("/api/overview", **headers)[0], headers
    head, body = api.raw("/api/whoami", **ACCEPTS)
    assert "Content-Encoding" not in head and json.loads(body)["name"] == "guest"
    head, body = api.raw("/api/overview", "HEAD", **ACCEPTS)
    assert body == b"" and "Content-Encoding" not in head and int(head["Content-Length"]) > 1024, head


if __name__ == "__main__":
    main()
