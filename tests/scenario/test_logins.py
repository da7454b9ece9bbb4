#!/usr/bin/python3
"""Log-in attempts: counted by protocol and source, late and then refused when too many fail, told with the user's name."""
import base64
import socket
import struct

from harness import eventually, main, name, test
from http_api import Api, q

WRONG_AT_ONCE = 100


def node_name(node):
    return q(Api(node).get("overview").json["node"])


def counts(node, by_source=False):
    rows = Api(node).get(f"auth/attempts/{node_name(node)}{'/source' if by_source else ''}")
    assert rows.code == 200, rows
    return rows.json


def amqp_login(node, user, password, seconds=60):
    """What the broker answers to start-ok: class and method, or None when it just closes."""
    def short(text):
        return bytes([len(text)]) + text

    def long(text):
        return struct.pack(">I", len(text)) + text

    capabilities = short(b"authentication_failure_close") + b"t\x01"
    properties = short(b"capabilities") + b"F" + long(capabilities)
    payload = struct.pack(">HH", 10, 11) + long(properties) + short(b"PLAIN") + \
        long(b"\0" + user.encode() + b"\0" + password.encode()) + short(b"en_US")
    with socket.create_connection((node.host, node.port), seconds) as link:
        link.sendall(b"AMQP\0\0\x09\x01")
        stream = link.makefile("rb")

        def frame():
            head = stream.read(7)
            if len(head) < 7:
                return None
            body = stream.read(struct.unpack(">I", head[3:])[0] + 1)
            return struct.unpack(">HH", body[:4])

        assert frame() == (10, 10)
        link.sendall(b"\x01\0\0" + long(payload) + b"\xce")
        return frame()


def ask(node, user, password):
    """Sends a request and answers its socket."""
    link = socket.create_connection((node.host, node.management_port), 20)
    pair = base64.b64encode(f"{user}:{password}".encode()).decode()
    link.sendall(f"GET /api/whoami HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {pair}\r\nConnection: close\r\n\r\n".encode())
    return link


def codes(links):
    found = []
    for link in links:
        with link, link.makefile("rb") as stream:
            found.append(int(stream.read().split(b" ")[1]))
    return found


@test(own=True, management=True)
def attempts_are_counted(node):
    assert amqp_login(node, "guest", "guest") == (10, 30)
    assert amqp_login(node, "guest", "wrong") == (10, 50)
    assert amqp_login(node, "somebody", "wrong") == (10, 50)
    assert Api(node, password="wrong").get("whoami").code == 401
    by_protocol = {row["protocol"]: row for row in counts(node)}
    assert by_protocol["amqp091"] == {"protocol": "amqp091", "auth_attempts": 3, "auth_attempts_failed": 2,
                                      "auth_attempts_succeeded": 1}
    assert by_protocol["http"]["auth_attempts_failed"] == 1 and by_protocol["http"]["auth_attempts_succeeded"] >= 1
    sources = {(row["remote_address"], row["username"], row["protocol"]): row for row in counts(node, True)}
    assert sources["127.0.0.1", "somebody", "amqp091"]["auth_attempts_failed"] == 1, sources
    assert sources["127.0.0.1", "guest", "amqp091"]["auth_attempts"] == 2, sources
    assert "user=somebody: log-in" in node.log() and "user=guest: log-in failed" in node.log()
    assert Api(node).get("auth/attempts/nobody").code == 404
    for path in ("", "/source"):
        assert Api(node).delete(f"auth/attempts/{node_name(node)}{path}").code == 204
    assert not [row for row in counts(node, True) if row["username"] == "somebody"]
    metrics = Api(node, user=None, port=node.metrics_port).call("GET", "/metrics").text
    assert 'rabbitmq_auth_attempts_failed_total{protocol="amqp091"} 0' in metrics


@test(own=True, management=True, seconds=60)
def too_many_failures_are_refused(node):
    """Of the pair of address and user alone: others, from the same address, go on."""
    name_of_node = node_name(node)
    assert Api(node).put("users/victim", {"password": "right", "tags": "management"}).code == 201
    assert set(codes([ask(node, "victim", "wrong") for _ in range(20)])) == {401}, "twenty mistakes are nothing"
    eventually(lambda: 429 in codes([ask(node, "victim", "wrong") for _ in range(WRONG_AT_ONCE)]), 40, "a refusal")
    assert 401 not in codes([ask(node, "victim", "right")]), "its password is not looked at, or it is right"
    assert Api(node).get("whoami").code == 200, "another user"
    eventually(lambda: codes([ask(node, "victim", "right")]) == [200], 40, "the end of the lock-out")
    failed = [row for row in counts(node) if row["protocol"] == "http"][0]["auth_attempts_failed"]
    assert failed > WRONG_AT_ONCE
    assert Api(node).get(f"auth/attempts/{name_of_node}").code == 200


@test(own=True, management=True, seconds=60)
def made_up_names_lock_nobody_out(node):
    stem = name()
    for round_ in range(5):
        links = [ask(node, f"{stem}{round_}.{i}", "x") for i in range(100)]
        assert Api(node).get("whoami").code == 200
        assert set(codes(links)) == {401}
    assert amqp_login(node, f"{stem}last", "x") == (10, 50)
    assert amqp_login(node, "guest", "guest") == (10, 30)


if __name__ == "__main__":
    main(shared=False)
