#!/usr/bin/python3
"""Clients of TLS: other languages, leveretctl, names in certificates, both versions with good and bad certificates, what is
changed while they stay, and many of them at once. test_tls has the servers' settings."""
import contextlib
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import urllib.error
import urllib.request
from pathlib import Path

import broker
import pika
from certificates import Authority, openssl, self_signed
from client import READ_SECONDS
from harness import Skip, eventually, main, name, test
from http_api import Api
from test_clients import FOLDER, client_js, tools

WHY = "its TLS is set up in another way"
SAN = "DNS:localhost,IP:127.0.0.1"
LARGE = os.urandom(3 * 1024 * 1024)


class Site:
    """An authority, a server's certificate by it, and a leveretd that uses both."""

    def __init__(self, folder, workers=None, **settings):
        self.folder = Path(folder)
        self.ca = Authority(self.folder, "ca")
        self.server = self.ca.issue("server", "/O=Leveret/CN=localhost", san=SAN)
        self.tls_port, self.https_port, self.metrics_port = broker.free_ports(3)
        self.settings = {"listeners.ssl.default": f"127.0.0.1:{self.tls_port}", "management.ssl.ip": "127.0.0.1",
                         "management.ssl.port": self.https_port, "prometheus.ssl.ip": "127.0.0.1",
                         "prometheus.ssl.port": self.metrics_port}
        for server in ("ssl_options", "management.ssl", "prometheus.ssl"):
            self.settings |= {f"{server}.cacertfile": self.ca.cert, f"{server}.certfile": self.server.cert,
                              f"{server}.keyfile": self.server.key}
        self.settings |= {key.replace("__", "."): value for key, value in settings.items()}
        self.workers = workers

    def start(self):
        self.node = broker.Leveretd(management=True, settings=self.settings, workers=self.workers).start()
        self.api = Api(self.node)
        return self

    def context(self, pair=None, version=None):
        made = ssl.create_default_context(cafile=str(self.ca.cert))
        if version:
            made.minimum_version = made.maximum_version = version
        if pair:
            made.load_cert_chain(pair.cert, pair.key)
        return made

    def parameters(self, context=None, credentials=None, **options):
        return pika.ConnectionParameters(
            "localhost", self.tls_port, heartbeat=0, socket_timeout=READ_SECONDS, stack_timeout=READ_SECONDS, retry_delay=0,
            credentials=credentials or pika.PlainCredentials("guest", "guest"), blocked_connection_timeout=READ_SECONDS,
            ssl_options=pika.SSLOptions(context or self.context(), "localhost"), **options)

    @contextlib.contextmanager
    def connect(self, context=None, **options):
        connection = pika.BlockingConnection(self.parameters(context, **options))
        try:
            yield connection
        finally:
            if connection.is_open:
                connection.close()

    def works(self, context=None, **options):
        """Whether a message goes through."""
        with self.connect(context, **options) as connection:
            channel = connection.channel()
            queue = channel.queue_declare("", exclusive=True).method.queue
            channel.basic_publish("", queue, b"through")
            return channel.basic_get(queue, auto_ack=True)[2] == b"through"

    def logged(self, text):
        """Waits for a line of the log."""
        return eventually(lambda: text in self.node.log(), what=f"'{text}' in the log")

    def https(self, path, port=None, context=None):
        request = urllib.request.Request(f"https://localhost:{port or self.https_port}{path}",
                                         headers={"Authorization": "Basic Z3Vlc3Q6Z3Vlc3Q="})
        with urllib.request.urlopen(request, timeout=READ_SECONDS, context=context or self.context()) as answer:
            return answer.read()


@contextlib.contextmanager
def site(workers=None, prepare=None, **settings):
    """prepare: called with the site before the broker starts, answers further settings."""
    with tempfile.TemporaryDirectory(prefix="leveret-tls-") as folder:
        made = Site(folder, workers, **settings)
        if prepare:
            made.settings |= prepare(made)
        with made.start().node:
            yield made


def refused(call):
    """Whether a client is not let in."""
    try:
        call()
    except (pika.exceptions.AMQPError, OSError):
        return True
    return False


def end_of(link):
    """Reads until the broker ends the connection."""
    link.settimeout(READ_SECONDS)
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        while link.recv(4096):
            pass
    return True


PEERS = {"ssl_options__verify": "verify_peer", "ssl_options__fail_if_no_peer_cert": "true"}




@test(leveret_only=WHY)
def clients_of_other_languages(_):
    with site() as s:
        variables = {**os.environ, "AMQP_HOST": "localhost", "AMQP_PORT": str(s.tls_port), "AMQP_CA": str(s.ca.cert),
                     "AMQP_PREFIX": name("js")}
        tools()     # skips without amqp-tools
        options = ["--ssl", f"--cacert={s.ca.cert}", f"--url=amqps://localhost:{s.tls_port}"]
        for command, said in ((["amqp-declare-queue", "-q", "tls.tools", "-d"], b"tls.tools"),
                              (["amqp-publish", "-r", "tls.tools", "-b", "by tools"], b""),
                              (["amqp-get", "-q", "tls.tools"], b"by tools")):
            done = subprocess.run([command[0], *options, *command[1:]], capture_output=True, timeout=READ_SECONDS)
            assert done.returncode == 0 and done.stdout.strip() == said, done
        FOLDER.mkdir(parents=True, exist_ok=True)
        command = client_js()
        for scenario in ("basics", "confirms", "sizes"):
            done = subprocess.run([*command, scenario], env=variables, capture_output=True, timeout=READ_SECONDS)
            assert done.returncode == 0, done


@test(leveret_only=WHY)
def api_and_metrics(_):
    with site() as s:
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = s.context(version=version)
            listeners = json.loads(s.https("/api/overview", context=context))["listeners"]
            assert ("amqp/ssl", s.tls_port) in [(one["protocol"], one["port"]) for one in listeners], listeners
            assert b"rabbitmq_build_info" in s.https("/metrics", s.metrics_port, context)
        assert len(s.https("/api/definitions")) > 100
        try:
            s.https("/api/overview", context=ssl.create_default_context())
            raise AssertionError("a certificate of nobody was trusted")
        except urllib.error.URLError as error:
            assert "verify failed" in str(error), error


@test(leveret_only=WHY)
def users_by_certificate(_):
    """EXTERNAL: the user's name is the subject, its common name, or an alternative name."""
    san = "DNS:first.example,DNS:second.example,email:me@example.org,URI:urn:app:7,IP:10.1.2.3"
    subject = "/O=Shop/CN=till"
    cases = [({}, "CN=till,O=Shop"), ({"ssl_cert_login_from": "common_name"}, "till"),
             ({"ssl_cert_login_from": "subject_alternative_name"}, "first.example"),
             ({"ssl_cert_login_from": "subject_alternative_name", "ssl_cert_login_san_index": "1"}, "second.example"),
             ({"ssl_cert_login_from": "subject_alternative_name", "ssl_cert_login_san_type": "email"}, "me@example.org"),
             ({"ssl_cert_login_from": "subject_alternative_name", "ssl_cert_login_san_type": "uri"}, "urn:app:7"),
             ({"ssl_cert_login_from": "subject_alternative_name", "ssl_cert_login_san_type": "ip"}, "10.1.2.3")]
    for settings, user in cases:
        with site(auth_mechanisms__1="EXTERNAL", auth_mechanisms__2="PLAIN", **PEERS, **settings) as s:
            pair = s.ca.issue("client", subject, san=san)
            external = {"context": s.context(pair), "credentials": pika.credentials.ExternalCredentials()}
            assert refused(lambda: s.works(**external))
            s.logged(user)
            quoted = urllib.request.quote(user, safe="")
            assert s.api.put(f"users/{quoted}", {"password_hash": "", "tags": ""}).code == 201
            assert s.api.put(f"permissions/%2F/{quoted}", {"configure": ".*", "write": ".*", "read": ".*"}).code == 201
            with s.connect(**external):
                told = eventually(lambda: s.api.get("connections").json)[0]
                assert told["user"] == user and told["auth_mechanism"] == "EXTERNAL", told
                assert told["peer_cert_subject"] == "CN=till,O=Shop", told
                assert told["peer_cert_issuer"] == "CN=ca of the test", told
                begin, end = told["peer_cert_validity"].split(" - ")
                assert begin.endswith("Z") and end.endswith("Z") and begin < end, told
            assert s.works(**external)
            # A certificate without that part, and a client of plain AMQP, have no name.
            if settings.get("ssl_cert_login_from") == "subject_alternative_name":
                other = s.ca.issue("other", "/CN=other", san="DNS:only.example" if "uri" in str(settings) else None)
                assert refused(lambda: s.works(s.context(other), credentials=external["credentials"]))


@test(leveret_only=WHY)
def external_needs_a_certificate(_):
    """verify_peer without fail_if_no_peer_cert: who shows none may still log in by a password, but not by EXTERNAL."""
    with site(ssl_options__verify="verify_peer", auth_mechanisms__1="EXTERNAL", auth_mechanisms__2="PLAIN") as s:
        assert s.works()
        assert refused(lambda: s.works(credentials=pika.credentials.ExternalCredentials()))
        assert s.works(s.context(s.ca.issue("known", "/CN=known")))


@test(leveret_only=WHY)
def bad_certificates_of_clients(_):
    def prepare(s):
        s.revoked = s.ca.issue("revoked", "/CN=revoked")
        s.ca.revoke(s.revoked)
        return {"ssl_options.crlfile": s.ca.crl()}

    with site(prepare=prepare, **PEERS) as s:
        other = Authority(s.folder, "other")
        bad = {"certificate has expired": s.ca.issue("expired", "/CN=expired", days=-1),
               "certificate revoked": s.revoked,
               "self-signed certificate": self_signed(s.folder, "self", "/CN=self"),
               "unable to get local issuer certificate": other.issue("stranger", "/CN=stranger")}
        assert s.works(s.context(s.ca.issue("good", "/CN=good")))
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            for said, pair in bad.items():
                before = s.node.log().count(said)
                assert refused(lambda: s.works(s.context(pair, version))), said
                eventually(lambda: s.node.log().count(said) > before, what=f"'{said}' in the log")
            before = s.node.log().count("the client has sent no certificate")
            assert refused(lambda: s.works(s.context(version=version)))
            eventually(lambda: s.node.log().count("the client has sent no certificate") > before)
        assert s.works(s.context(s.ca.issue("better", "/CN=better")))


@test(leveret_only=WHY)
def a_server_that_the_client_distrusts(_):
    with site() as s:
        stranger = ssl.create_default_context(cafile=str(Authority(s.folder, "other").cert))
        assert refused(lambda: s.works(stranger))
        s.logged("the client has refused the handshake")
        assert s.works()


@test(leveret_only=WHY)
def plain_and_tls_mixed_up(_):
    with site() as s:
        for port, first, said in ((s.tls_port, b"AMQP\0\0\x09\x01", "the client speaks AMQP without TLS, and this port is for TLS"),
                                  (s.tls_port, b"\x01\x02\x03\x04\x05\x06\x07\x08", "begins with byte 0x01"),
                                  (s.https_port, b"GET /api/overview HTTP/1.1\r\nHost: x\r\n\r\n", f"port {s.https_port}: 127.0.0.1"),
                                  (s.metrics_port, b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", f"port {s.metrics_port}: 127.0.0.1")):
            with socket.create_connection(("127.0.0.1", port), READ_SECONDS) as link:
                link.sendall(first)
                assert end_of(link)
            s.logged(said)
        for port, said in ((s.node.port, "the client speaks TLS, and this port does not (listeners.ssl)"),
                           (s.node.management_port, f"port {s.node.management_port}: 127.0.0.1: the client speaks TLS")):
            with socket.create_connection(("127.0.0.1", port), READ_SECONDS) as link:
                link.settimeout(READ_SECONDS)
                try:
                    s.context().wrap_socket(link, server_hostname="localhost")
                    raise AssertionError("TLS on a plain port")
                except OSError:
                    pass
            s.logged(said)
        assert s.works() and s.https("/api/whoami")



@test(leveret_only=WHY)
def half_a_handshake_of_http(_):
    with site(management__tcp__request_timeout="300") as s:
        with socket.create_connection(("127.0.0.1", s.https_port), READ_SECONDS) as link:
            link.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
            assert end_of(link)
        s.logged(f"port {s.https_port}: 127.0.0.1: the TLS handshake took longer than 300 ms")
        assert s.works()


def s_client(s, *arguments, input=b"Q\n", port=None):
    return subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port or s.tls_port}", "-CAfile", str(s.ca.cert),
                           *map(str, arguments)], input=input, capture_output=True, timeout=READ_SECONDS)



@test(leveret_only=WHY)
def sessions_are_resumed(_):
    with site() as s:
        for version in ("-tls1_2", "-tls1_3"):
            for port, ask in ((s.tls_port, b"not AMQP\n"), (s.https_port, b"GET /api/x HTTP/1.0\r\n\r\n")):
                kept = s.folder / "session"
                kept.unlink(missing_ok=True)
                first = s_client(s, version, "-ign_eof", "-sess_out", kept, input=ask, port=port)
                assert b"New, TLS" in first.stdout and kept.exists(), first
                again = s_client(s, version, "-ign_eof", "-sess_in", kept, input=ask, port=port)
                assert b"Reused, TLS" in again.stdout, again


def subject_now(s):
    with socket.create_connection(("127.0.0.1", s.tls_port), READ_SECONDS) as link:
        with s.context().wrap_socket(link, server_hostname="localhost") as secure:
            return dict(part[0] for part in secure.getpeercert()["subject"])["organizationName"]


@test(leveret_only=WHY)
def a_new_certificate_by_sighup(_):
    with site() as s:
        with s.connect() as connection:
            channel = connection.channel()
            queue = channel.queue_declare("", exclusive=True).method.queue
            assert subject_now(s) == "Leveret"
            new = s.ca.issue("new", "/O=Renewed/CN=localhost", san=SAN)
            for fresh, used in zip(new, s.server):
                shutil.copy(fresh, used)
            os.kill(s.node.pid, signal.SIGHUP)
            s.logged("ssl_options: certificate, key and lists read again")
            assert subject_now(s) == "Renewed" and s.works()
            Path(s.server.cert).write_text("not a certificate\n")
            os.kill(s.node.pid, signal.SIGHUP)
            s.logged("ssl_options: what it had is used on: the certificate")
            assert subject_now(s) == "Renewed" and s.works()
            shutil.copy(new.cert, s.server.cert)
            other = s.ca.issue("another", "/O=Another/CN=localhost", san=SAN)
            shutil.copy(other.key, s.server.key)       # of another certificate
            os.kill(s.node.pid, signal.SIGHUP)
            eventually(lambda: s.node.log().count("ssl_options: what it had is used on") == 2)
            assert subject_now(s) == "Renewed" and s.works()
            shutil.copy(other.cert, s.server.cert)
            os.kill(s.node.pid, signal.SIGHUP)
            eventually(lambda: s.node.log().count("ssl_options: certificate, key and lists read again") == 2)
            assert subject_now(s) == "Another"
            # The connection from before the first change goes on.
            channel.basic_publish("", queue, LARGE)
            assert channel.basic_get(queue, auto_ack=True)[2] == LARGE


@test(leveret_only=WHY)
def a_client_is_revoked_by_sighup(_):
    with site(prepare=lambda s: {"ssl_options.crlfile": s.ca.crl()}, **PEERS) as s:
        pair = s.ca.issue("client", "/CN=client")
        assert s.works(s.context(pair))
        s.ca.revoke(pair)
        s.ca.crl()
        os.kill(s.node.pid, signal.SIGHUP)
        s.logged("ssl_options: certificate, key and lists read again")
        assert refused(lambda: s.works(s.context(pair)))
        s.logged("certificate revoked")


@test(leveret_only=WHY)
def certificates_that_end(_):
    with site() as s:
        path = "health/checks/certificate-expiration"
        assert s.api.get(f"{path}/1/weeks").code == 200
        late = s.api.get(f"{path}/2/months")
        assert late.code == 503 and late.json["status"] == "failed" and late.json["reason"] == "Certificates expiring", late
        assert {one["port"] for one in late.json["expired"]} == {s.tls_port, s.https_port, s.metrics_port}, late
        assert s.api.get(f"{path}/2/fortnights").code == 400
        listed = s.api.get("certificates").json
        assert {one["subject"] for one in listed} == {"CN=localhost,O=Leveret"}, listed
        told = s.api.get("tls").json
        assert told["versions"] == ["tlsv1.3", "tlsv1.2"] and "TLS_AES_256_GCM_SHA384" in told["cipher_suites"], told


def leveretctl(s, *arguments, code=0, **environment):
    program = Path(broker.leveretd_path()).parent / "leveretctl"
    variables = {k: v for k, v in os.environ.items() if not k.startswith("LEVERETCTL_")} | {"HOME": str(s.folder)} | environment
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, env=variables, timeout=READ_SECONDS)
    assert done.returncode == code, done
    if code:
        assert done.stderr.count("\n") == 1 and done.stderr.startswith("leveretctl: "), done.stderr
    return done.stdout if code == 0 else done.stderr


@test(leveret_only=WHY)
def the_command_line(_):
    with site(**{"management__ssl__verify": "verify_peer", "management__ssl__fail_if_no_peer_cert": "true"}) as s:
        client = s.ca.issue("client", "/CN=client")
        there = ["-H", "localhost", "-P", s.https_port, "--tls"]
        trusted = [*there, "--cacert", s.ca.cert]
        whole = [*trusted, "--cert", client.cert, "--key", client.key]
        assert "amqp/ssl" in leveretctl(s, *whole, "listeners")
        assert "guest" in leveretctl(s, "--uri", f"https://localhost:{s.https_port}", *whole[5:], "whoami")
        assert "guest" in leveretctl(s, *there, "--insecure", "--cert", client.cert, "--key", client.key, "whoami")
        both = s.folder / "both.pem"
        both.write_text(client.cert.read_text() + client.key.read_text())
        (s.folder / ".leveretctl").write_text(f"tls = true\nhost = localhost\nport = {s.https_port}\ncacert = {s.ca.cert}\n")
        assert "guest" in leveretctl(s, "--cert", both, "whoami")
        assert "guest" in leveretctl(s, "whoami", LEVERETCTL_CERT=str(both))
        (s.folder / ".leveretctl").unlink()
        assert "CN=localhost,O=Leveret" in leveretctl(s, *whole, "certificates")
        assert leveretctl(s, *whole, "tls_versions").split() == ["tlsv1.3", "tlsv1.2"]
        assert "TLS_AES_256_GCM_SHA384" in leveretctl(s, *whole, "cipher_suites").split()
        assert leveretctl(s, *whole, "check_certificate_expiration", "--within", "1", "--unit", "weeks") == ""
        assert "Certificates expiring" in leveretctl(s, *whole, "check_certificate_expiration", "--within", "2", "--unit", "months",
                                                     code=1)
        said = leveretctl(s, *there, "whoami", code=3)
        assert "certificate" in said and "--cacert" in said, said
        leveretctl(s, *trusted, "whoami", code=3)      # no certificate: the alert may be lost behind a reset
        s.logged("the client has sent no certificate")
        assert "--tls" in leveretctl(s, "-H", "localhost", "-P", s.https_port, "whoami", code=3)
        assert "TLS" in leveretctl(s, "-H", "localhost", "-P", s.node.management_port, "--tls", "whoami", code=3)
        assert "none.pem" in leveretctl(s, *there, "--cacert", s.folder / "none.pem", "whoami", code=3)


@test(leveret_only=WHY)
def the_load_tool(_):
    with site(**PEERS) as s:
        client = s.ca.issue("client", "/CN=client")
        program = Path(broker.leveretd_path()).parent / "leveret-perf"
        trusted = ["--cacert", s.ca.cert, "--cert", client.cert, "--key", client.key]
        uri = f"localhost:{s.tls_port}"

        def perf(*arguments):
            return subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, timeout=READ_SECONDS)

        for size, count in ((16, 20000), (1000000, 20)):
            done = perf("-h", f"amqps://{uri}", *trusted, "-x", 2, "-c", 100, "-s", size, "-C", count, "-D", 2 * count,
                        "--json=-")
            assert done.returncode == 0, done
            assert f'"received": {2 * count}' in done.stdout or f'"received":{2 * count}' in done.stdout, done.stdout
        assert perf("-h", f"amqp://{uri}", "--tls", *trusted, "--churn", "connection", "-z", 1).returncode == 0
        for arguments, said in (([f"amqps://{uri}"], "not trusted"), ([f"amqp://{uri}", "--cacert", s.ca.cert], "need --tls"),
                                ([f"amqps://{uri}", "--cacert", s.folder / "none.pem"], "none.pem")):
            done = perf("-h", *arguments, "-z", 1)
            assert done.returncode != 0 and said in done.stderr + done.stdout, done


@test(leveret_only=WHY, seconds=120)
def many_at_once(_):
    """300 clients that shake hands at once, while one that was there before goes on."""
    with site(workers=2) as s:
        context, done, gate = s.context(), [], threading.Barrier(300)

        def client():
            gate.wait()
            done.append(s.works(context))

        threads = [threading.Thread(target=client, daemon=True) for _ in range(300)]
        with s.connect() as connection:
            channel = connection.channel()
            queue = channel.queue_declare("", exclusive=True).method.queue
            for thread in threads:
                thread.start()
            while any(thread.is_alive() for thread in threads):
                channel.basic_publish("", queue, b"meanwhile")
                assert channel.basic_get(queue, auto_ack=True)[2] == b"meanwhile"
            assert len(done) == 300 and all(done), len(done)
        eventually(lambda: not s.api.get("connections").json)



if __name__ == "__main__":
    main(shared=False)
