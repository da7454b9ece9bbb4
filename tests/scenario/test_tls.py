#!/usr/bin/python3
"""TLS with real clients, with certificates that the test makes: AMQPS, HTTPS, logging in by certificate, what is refused and what the
log says of it, and new certificates while connections go on."""
import http.client
import json
import os
import socket
import ssl
import subprocess
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

import broker
import pika
from harness import eventually, main, test

CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
DIR = Path(tempfile.mkdtemp(prefix="leveret-tls-"))


def openssl(*arguments, code=0, **options):
    done = subprocess.run(["openssl", *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, cwd=DIR, timeout=60, **options)
    assert code is None or done.returncode == code, done.stdout.decode(errors="replace")
    return done.stdout.decode(errors="replace")


def authority(stem):
    openssl("req", "-x509", *CURVE, "-keyout", f"{stem}.key", "-out", f"{stem}.pem", "-subj", f"/CN={stem}", "-days", "30")


def certificate(stem, subject, ca="ca", days=30, san="DNS:localhost,IP:127.0.0.1"):
    (DIR / f"{stem}.ext").write_text(f"subjectAltName={san}\n")
    openssl("req", *CURVE, "-keyout", f"{stem}.key", "-out", f"{stem}.csr", "-subj", subject)
    openssl("x509", "-req", "-in", f"{stem}.csr", "-CA", f"{ca}.pem", "-CAkey", f"{ca}.key", "-CAcreateserial", "-out",
            f"{stem}.pem", "-days", str(days), "-extfile", f"{stem}.ext")


def make_all():
    authority("ca")
    authority("stranger")
    certificate("server", "/CN=localhost")
    certificate("second", "/CN=localhost")
    certificate("client", "/O=Meadow/CN=guest", san="DNS:first.example,DNS:guest,IP:10.0.0.1,email:guest@example.org,URI:urn:guest")
    certificate("nobody", "/CN=nobody")
    certificate("foreign", "/CN=guest", ca="stranger")
    certificate("old", "/CN=guest", days=-1)
    certificate("revoked", "/CN=guest")
    openssl("req", "-x509", *CURVE, "-keyout", "alone.key", "-out", "alone.pem", "-subj", "/CN=guest", "-days", "30")
    (DIR / "ca.cnf").write_text(f"[ca]\ndefault_ca = d\n[d]\ndatabase = {DIR}/index.txt\ncrlnumber = {DIR}/crlnumber\n"
                                f"default_md = sha256\ndefault_crl_days = 30\n")
    (DIR / "index.txt").touch()
    (DIR / "crlnumber").write_text("01\n")
    for action in (("-revoke", "revoked.pem"), ("-gencrl", "-out", "crl.pem")):
        openssl("ca", "-config", "ca.cnf", "-cert", "ca.pem", "-keyfile", "ca.key", *action)


SERVER = {"listeners.ssl.default": "", "ssl_options.certfile": DIR / "server.pem", "ssl_options.keyfile": DIR / "server.key",
          "ssl_options.cacertfile": DIR / "ca.pem"}
PEER = {**SERVER, "ssl_options.verify": "verify_peer"}
EXTERNAL = {**PEER, "auth_mechanisms.1": "PLAIN", "auth_mechanisms.2": "EXTERNAL"}


class Broker:
    """A broker with TLS, on ports of its own."""

    def __init__(self, **settings):
        self.tls_port, self.https_port, self.metrics_port = broker.free_ports(3)
        settings = {key.replace("__", "."): value for key, value in settings.items()}
        settings["listeners.ssl.default"] = f"127.0.0.1:{self.tls_port}"
        self.node = broker.Leveretd(settings=settings, management=True)

    def __enter__(self):
        self.node.start()
        return self

    def __exit__(self, *unused):
        self.node.stop()
        self.node.remove()

    def context(self, stem=None, **options):
        context = ssl.create_default_context(cafile=str(DIR / "ca.pem"))
        if stem:
            context.load_cert_chain(DIR / f"{stem}.pem", DIR / f"{stem}.key")
        for key, value in options.items():
            setattr(context, key, value)
        return context

    def connect(self, stem=None, external=False, **options):
        credentials = pika.credentials.ExternalCredentials() if external else pika.PlainCredentials("guest", "guest")
        return pika.BlockingConnection(pika.ConnectionParameters(
            "localhost", self.tls_port, credentials=credentials, heartbeat=0, socket_timeout=60,
            ssl_options=pika.SSLOptions(self.context(stem, **options), "localhost")))

    def refuses(self, said, stem=None, **options):
        """That the client gets nowhere, and the log says why."""
        try:
            self.connect(stem, **options).close()
        except Exception:   # pika has many names for it
            pass
        else:
            raise AssertionError(f"{stem} is let in")
        self.logs(said)

    def logs(self, said):
        eventually(lambda: said in self.node.log(), 60, f"the log to say {said}")

    def s_client(self, *arguments):
        return openssl("s_client", "-connect", f"127.0.0.1:{self.tls_port}", *arguments, code=None)


def api(node, path, port=None, context=None):
    scheme = "https" if context else "http"
    request = urllib.request.Request(f"{scheme}://localhost:{port or node.management_port}/api/{path}")
    request.add_header("Authorization", "Basic Z3Vlc3Q6Z3Vlc3Q=")
    try:
        with urllib.request.urlopen(request, context=context, timeout=60) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read() or b"null")


def is_cut(client):
    """That the broker ends the connection, with what the client has sent read or not."""
    client.settimeout(60)
    try:
        return client.recv(100) == b""
    except ConnectionResetError:
        return True


@test(own=True)
def large_messages_both_ways(node):
    with Broker(**SERVER) as b:
        connection = b.connect()
        channel = connection.channel()
        channel.queue_declare("q", durable=True)
        channel.confirm_delivery()
        body = os.urandom(3000000)
        channel.basic_publish("", "q", body, pika.BasicProperties(delivery_mode=2))
        for i in range(500):
            channel.basic_publish("", "q", b"%d" % i)
        assert channel.basic_get("q", auto_ack=True)[2] == body
        for i in range(500):
            assert channel.basic_get("q", auto_ack=True)[2] == b"%d" % i
        connection.close()


@test(own=True)
def versions_and_ciphers(node):
    settings = {"ssl_options.ciphers.1": "ECDHE-ECDSA-AES256-GCM-SHA384", "ssl_options.ciphers.2": "TLS_AES_128_GCM_SHA256"}
    with Broker(**SERVER, **settings) as b:
        assert "TLSv1.3" in b.s_client("-tls1_3") and "TLSv1.2" in b.s_client("-tls1_2")
        assert "TLS_AES_128_GCM_SHA256" in b.s_client("-tls1_3")
        assert "Cipher is (NONE)" in b.s_client("-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0")
        b.logs("TLS: unsupported protocol")
        assert "Cipher is (NONE)" in b.s_client("-tls1_2", "-cipher", "ECDHE-ECDSA-CHACHA20-POLY1305")
        b.logs("TLS: no shared cipher")
    with Broker(**SERVER, **{"ssl_options.versions.1": "tlsv1.3"}) as b:
        assert "Cipher is (NONE)" in b.s_client("-tls1_2") and "TLSv1.3" in b.s_client("-tls1_3")


@test(own=True)
def sessions_are_resumed(node):
    with Broker(**SERVER) as b:
        assert "New, TLSv1.2" in b.s_client("-tls1_2", "-sess_out", "session")
        assert "Reused, TLSv1.2" in b.s_client("-tls1_2", "-sess_in", "session")


@test(own=True)
def certificates_of_clients(node):
    with Broker(**PEER, **{"ssl_options.fail_if_no_peer_cert": "true", "ssl_options.crlfile": DIR / "crl.pem"}) as b:
        b.connect("client").close()
        for stem, said in ((None, "the client has sent no certificate"), ("foreign", "unable to get local issuer certificate"),
                           ("alone", "self-signed certificate"), ("old", "certificate has expired"),
                           ("revoked", "certificate revoked")):
            b.refuses(said, stem)
        b.connect("client").close()
    with Broker(**PEER) as b:
        b.connect().close()     # none is needed


@test(own=True)
def logging_in_by_certificate(node):
    rules = ((("distinguished_name", None, None), None), (("common_name", None, None), "guest"),
             (("subject_alternative_name", "dns", 1), "guest"), (("subject_alternative_name", "dns", 0), None),
             (("subject_alternative_name", "email", 0), None), (("subject_alternative_name", "ip", 0), None))
    for (source, kind, index), user in rules:
        settings = {"ssl_cert_login_from": source}
        if kind:
            settings.update({"ssl_cert_login_san_type": kind, "ssl_cert_login_san_index": index})
        with Broker(**EXTERNAL, **settings) as b:
            if user:
                connection = b.connect("client", external=True)
                listed, = eventually(lambda: api(b.node, "connections")[1], what="the connection")
                assert (listed["user"], listed["auth_mechanism"]) == ("guest", "EXTERNAL"), listed
                connection.close()
            else:
                b.refuses("log-in with mechanism EXTERNAL refused", "client", external=True)
    with Broker(**EXTERNAL, **{"ssl_cert_login_from": "common_name"}) as b:
        b.refuses("user=nobody", "nobody", external=True)
        try:
            b.connect(external=True)        # it is not offered without a certificate
        except pika.exceptions.AuthenticationError:
            pass
        else:
            raise AssertionError("let in without a certificate")
    with Broker(**PEER) as b:               # nor when it is not asked for
        try:
            b.connect("client", external=True)
        except pika.exceptions.AuthenticationError:
            pass
        else:
            raise AssertionError("let in though EXTERNAL is off")


@test(own=True)
def what_is_told_of_a_connection(node):
    with Broker(**PEER) as b:
        connection = b.connect("client")
        listed, = eventually(lambda: api(b.node, "connections")[1], what="the connection")
        assert listed["ssl"] is True and listed["ssl_protocol"] == "tlsv1.3", listed
        assert (listed["ssl_cipher"], listed["ssl_key_exchange"], listed["ssl_hash"]) == ("aes_256_gcm", "any", "aead"), listed
        assert listed["peer_cert_subject"] == "CN=guest,O=Meadow" and listed["peer_cert_issuer"] == "CN=ca", listed
        connection.close()
        listeners = {l["protocol"]: l for l in api(b.node, "overview")[1]["listeners"]}
        assert listeners["amqp/ssl"]["port"] == b.tls_port and listeners["amqp/ssl"]["tls"], listeners
        assert api(b.node, "health/checks/protocol-listener/amqps")[0] == 200
        certificates = api(b.node, "certificates")[1]
        assert certificates[0]["subject"] == "CN=localhost", certificates
        assert api(b.node, "health/checks/certificate-expiration/1/weeks") == (200, {"status": "ok"})
        code, failed = api(b.node, "health/checks/certificate-expiration/1/years")
        assert code == 503 and failed["expired"][0]["port"] == b.tls_port, failed
        assert api(b.node, "health/checks/certificate-expiration/1/moons")[0] == 400


@test(own=True)
def clients_that_speak_something_else(node):
    with Broker(**SERVER, **{"ssl_handshake_timeout": "300"}) as b:
        for first, said in ((b"AMQP\0\0\x09\x01", "the client speaks AMQP without TLS"), (b"GET / HTTP/1.1\r\n\r\n", "the client speaks no TLS")):
            with socket.create_connection(("127.0.0.1", b.tls_port)) as strange:
                strange.sendall(first)
                assert is_cut(strange)
            b.logs(said)
        with socket.create_connection(("127.0.0.1", b.tls_port)) as half:
            half.sendall(b"\x16\x03\x01")           # the beginning of a handshake
            assert is_cut(half)
        b.logs("TLS handshake took longer than 300 ms")
        with socket.create_connection(("127.0.0.1", b.node.port)) as strange:
            try:
                b.context().wrap_socket(strange, server_hostname="localhost")
            except (ssl.SSLError, OSError):
                pass
        b.logs("the client speaks TLS, and this port does not")
        b.connect().close()


@test(own=True)
def https(node):
    https_port, metrics_port = broker.free_ports(2)
    servers = {}
    for kind, port in (("management", https_port), ("prometheus", metrics_port)):
        servers.update({f"{kind}.ssl.port": port, f"{kind}.ssl.ip": "127.0.0.1", f"{kind}.ssl.certfile": DIR / "server.pem",
                        f"{kind}.ssl.keyfile": DIR / "server.key"})
    with Broker(**SERVER, **servers) as b:
        context = b.context()
        assert api(b.node, "whoami", https_port, context)[1]["name"] == "guest"
        body = json.dumps({"properties": {}, "routing_key": "q", "payload": "x" * 1000000, "payload_encoding": "string"})
        link = http.client.HTTPSConnection("localhost", https_port, context=context, timeout=60)
        for _ in range(3):      # one connection
            link.request("POST", "/api/exchanges/%2F/amq.default/publish", body, {"Authorization": "Basic Z3Vlc3Q6Z3Vlc3Q="})
            answer = link.getresponse()
            assert answer.status == 200 and json.loads(answer.read()) == {"routed": False}
        with urllib.request.urlopen(f"https://localhost:{metrics_port}/metrics", context=context, timeout=60) as answer:
            assert b"rabbitmq_build_info" in answer.read()
        protocols = {l["protocol"] for l in api(b.node, "overview")[1]["listeners"]}
        assert {"https", "https/prometheus"} <= protocols, protocols
        program = Path(broker.leveretd_path()).parent / "leveretctl"
        for arguments, code, said in ((["--cacert", DIR / "ca.pem", "whoami"], 0, "administrator"), (["whoami"], 3, "certificate"),
                                      (["--insecure", "whoami"], 0, "administrator")):
            done = subprocess.run([program, "--tls", "-H", "localhost", "-P", str(https_port), *arguments], stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, env={**os.environ, "HOME": str(DIR)}, timeout=60)
            assert done.returncode == code and said in done.stdout.decode(), (arguments, done)
        with socket.create_connection(("127.0.0.1", https_port)) as plain:
            plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
            assert is_cut(plain)
        b.logs("the client speaks no TLS")


@test(own=True)
def new_certificates_while_connections_go_on(node):
    for stem in ("live.pem", "live.key"):
        (DIR / stem).write_bytes((DIR / stem.replace("live", "server")).read_bytes())
    settings = {**SERVER, "ssl_options.certfile": DIR / "live.pem", "ssl_options.keyfile": DIR / "live.key"}
    with Broker(**settings) as b:
        connection = b.connect()
        before = b.s_client("-showcerts")
        (DIR / "live.pem").write_bytes((DIR / "second.pem").read_bytes())
        (DIR / "live.key").write_bytes((DIR / "second.key").read_bytes())
        os.kill(b.node.pid, 1)
        b.logs("certificate, key and lists read again")
        assert b.s_client("-showcerts") != before
        assert connection.channel().queue_declare("q").method.queue == "q"
        (DIR / "live.pem").write_text("nonsense")
        os.kill(b.node.pid, 1)
        b.logs("what it had is used on")
        assert connection.channel().queue_declare("q").method.queue == "q"
        b.connect().close()
        connection.close()


@test(own=True)
def many_at_once(node):
    with Broker(**SERVER) as b:
        context = b.context()
        sockets = [context.wrap_socket(socket.create_connection(("127.0.0.1", b.tls_port)), server_hostname="localhost")
                   for _ in range(200)]
        for one in sockets:
            one.sendall(b"AMQP\0\0\x09\x01")
        for one in sockets:
            one.settimeout(60)
            assert one.recv(4096)[:1] == b"\x01"
            one.close()


@test(own=True)
def a_wrong_configuration_ends_the_start(node):
    for settings, said in (({"ssl_options.certfile": DIR / "none.pem"}, "none.pem"), ({"ssl_options.keyfile": DIR / "second.key"}, "mismatch"),
                           ({"ssl_options.ciphers.1": "NONSENSE"}, "does not know these ciphers"),
                           ({"ssl_options.verify": "verify_peer", "ssl_options.cacertfile": DIR / "none.pem"}, "none.pem"),
                           ({"ssl_options.versions.1": "tlsv1.1"}, "not safe any more")):
        try:
            with Broker(**{**SERVER, **settings}):
                raise AssertionError(f"starts with {settings}")
        except broker.DidNotStart as error:
            assert said in str(error) and "ssl_options" in str(error), (said, str(error))


if __name__ == "__main__":
    make_all()
    main()
