#!/usr/bin/python3
"""The page's files as the HTTP server hands them out, and the log-in that its browsers use."""
import gzip
import http.client
import posixpath
import re
import socket
import ssl
import subprocess
import tempfile
import threading
from pathlib import Path
from urllib.parse import urlencode

import broker
from harness import Skip, main, test
from http_api import Api

WHY = "the page is Leveret's"
CSP = ("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
       "frame-ancestors 'none'; base-uri 'none'; form-action 'none'")


def raw(node, method, path, headers=None, body=None):
    """(code, headers, bytes) of a request without a password."""
    link = http.client.HTTPConnection(node.host, node.management_port, timeout=60)
    try:
        link.request(method, path, body=body, headers=headers or {})
        answer = link.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        link.close()


def log_in(node, user="guest", password="guest", headers=None):
    """The answer to a log-in by a form, and the cookie that it sets."""
    code, got, _ = raw(node, "POST", "/api/login",
                       {"Content-Type": "application/x-www-form-urlencoded", **(headers or {})},
                       urlencode({"username": user, "password": password}))
    return code, (got.get("Set-Cookie") or "").split(";")[0]


def code_of(node, method, path, cookie, headers=None, body=None):
    return raw(node, method, path, {"Cookie": cookie, **(headers or {})}, body)[0]


@test(own=True, leveret_only=WHY, management=True)
def the_files(node):
    code, headers, body = raw(node, "GET", "/")
    assert code == 200 and headers["Content-Type"].startswith("text/html"), (code, headers)
    assert headers["Content-Security-Policy"] == CSP, headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff" and headers["Referrer-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "no-cache" and "Content-Encoding" not in headers
    assert (code, body) == raw(node, "GET", "/index.html")[::2]
    packed = raw(node, "GET", "/", {"Accept-Encoding": "deflate, gzip;q=0.5"})
    assert packed[1]["Content-Encoding"] == "gzip" and gzip.decompress(packed[2]) == body
    assert raw(node, "GET", "/", {"Accept-Encoding": "gzip;q=0"})[2] == body
    again = raw(node, "GET", "/", {"If-None-Match": headers["ETag"]})
    assert (again[0], again[2]) == (304, b"") and again[1]["ETag"] == headers["ETag"], again
    assert raw(node, "GET", "/", {"If-None-Match": '"other"'})[0] == 200
    head = raw(node, "HEAD", "/")
    assert (head[0], head[2]) == (200, b"") and int(head[1]["Content-Length"]) == len(body)


@test(own=True, leveret_only=WHY, management=True)
def every_file_that_the_page_names(node):
    seen, left, total = set(), ["index.html"], 0
    while left:
        path = left.pop()
        if path in seen:
            continue
        seen.add(path)
        code, _, body = raw(node, "GET", "/" + path)
        assert code == 200, path
        total += len(body)
        for found in re.findall(r"""(?:src=|href=|from |import |import\()"(\.{0,2}[\w./-]+\.(?:js|css))\"""", body.decode()):
            left.append(posixpath.normpath(posixpath.join(posixpath.dirname(path), found)))
    assert len(seen) > 30 and total <= 250000, (seen, total)


@test(own=True, leveret_only=WHY, management=True)
def no_path_leads_out(node):
    for path in ("/../etc/passwd", "/pages/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/lib/..%2f..%2fetc%2fpasswd",
                 "//etc/passwd", "/pages//etc/passwd", "/index.html%00", "/index.html/../app.js", "/lib/", "/pages/"):
        link = socket.create_connection((node.host, node.management_port), timeout=60)
        link.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: link.recv(65536), b""))
        link.close()
        assert answer.split()[1] in (b"404", b"400") and b"root:" not in answer, (path, answer[:200])


@test(own=True, leveret_only=WHY, management=True)
def a_cookie_in_place_of_a_password(node):
    code, headers, body = raw(node, "POST", "/api/login", {"Content-Type": "application/x-www-form-urlencoded"},
                              "username=guest&password=guest")
    assert (code, body) == (204, b""), (code, body)
    cookie, *attributes = headers["Set-Cookie"].split("; ")
    name, value = cookie.split("=")
    assert name == f"leveret_{node.management_port}" and re.fullmatch("[0-9a-f]{64}", value), cookie
    assert set(attributes) == {"Path=/", "Max-Age=28800", "HttpOnly", "SameSite=Strict"}, attributes
    assert code_of(node, "GET", "/api/whoami", cookie) == 200
    assert code_of(node, "GET", "/api/whoami", "a=b; " + cookie + "; c=d") == 200
    assert code_of(node, "GET", "/api/whoami", name + "=" + "0" * 64) == 401
    assert code_of(node, "GET", "/api/whoami", name + "=" + value[:-1]) == 401
    assert code_of(node, "GET", "/api/whoami", "x" + cookie) == 401
    assert log_in(node)[1] != cookie


@test(own=True, leveret_only=WHY, management=True)
def changes_need_the_page(node):
    cookie = log_in(node)[1]
    ours = {"X-Leveret": "1"}
    assert code_of(node, "PUT", "/api/queues/%2F/q", cookie, body="{}") == 401
    assert code_of(node, "PUT", "/api/queues/%2F/q", cookie, {"X-Leveret": "0"}, "{}") == 401
    assert Api(node).get("queues/%2F/q").code == 404
    assert code_of(node, "PUT", "/api/queues/%2F/q", cookie, ours, "{}") == 201
    assert code_of(node, "DELETE", "/api/queues/%2F/q", cookie) == 401
    assert code_of(node, "DELETE", "/api/queues/%2F/q", cookie, ours) == 204
    # A form of another site, by which a browser would be logged in as somebody else.
    assert log_in(node, headers={"Origin": "https://other.example"})[0] == 401
    assert log_in(node, headers={"Origin": "https://other.example", **ours})[0] == 204
    # A browser shows its own window when it is asked in this way.
    assert "WWW-Authenticate" in raw(node, "GET", "/api/whoami")[1]
    assert "WWW-Authenticate" not in raw(node, "GET", "/api/whoami", ours)[1]


@test(own=True, leveret_only=WHY, management=True)
def logging_out(node):
    one, other = log_in(node)[1], log_in(node)[1]
    assert code_of(node, "DELETE", "/api/login", one) == 401
    code, headers, _ = raw(node, "DELETE", "/api/login", {"Cookie": one, "X-Leveret": "1"})
    assert code == 204 and "Max-Age=0" in headers["Set-Cookie"], headers
    assert code_of(node, "GET", "/api/whoami", one) == 401
    assert code_of(node, "GET", "/api/whoami", other) == 200


@test(own=True, leveret_only=WHY, management=True)
def who_may_log_in(node):
    api = Api(node)
    for name, tags in (("ann", "management"), ("bob", "")):
        assert api.put("users/" + name, {"password": "p&=%+ ü", "tags": tags}).code == 201
    assert log_in(node, "ann", "p&=%+ ü")[0] == 204
    assert log_in(node, "ann", "p&=%+ u") == (401, "")
    assert log_in(node, "nobody", "p&=%+ ü") == (401, "")
    code, headers, body = raw(node, "POST", "/api/login", body=urlencode({"username": "bob", "password": "p&=%+ ü"}))
    assert code == 401 and b"Not management user" in body and "Set-Cookie" not in headers, body
    assert raw(node, "POST", "/api/login", body="username=ann")[0] == 400
    assert raw(node, "POST", "/api/login")[0] == 400
    assert raw(node, "POST", "/api/login", body="x" * 10000)[0] == 413
    assert Api(node, user=None).post("login", {"username": "ann", "password": "p&=%+ ü"}).code == 204
    assert Api(node, user=None).post("login", {"username": "ann", "password": "x"}).code == 401
    assert Api(node, user=None).post("login", {"username": "ann"}).code == 400
    assert Api(node, user=None).post("login", {"username": 5, "password": "x"}).code == 400
    assert "user=nobody: log-in failed" in node.log()


@test(own=True, leveret_only=WHY, management=True)
def another_password_ends_log_ins(node):
    api = Api(node)
    for name in ("ann", "bob"):
        assert api.put("users/" + name, {"password": "one", "tags": "management"}).code == 201
    ann, bob = log_in(node, "ann", "one")[1], log_in(node, "bob", "one")[1]
    assert api.put("users/ann", {"password": "two", "tags": "management"}).code == 204
    assert code_of(node, "GET", "/api/whoami", ann) == 401
    assert code_of(node, "GET", "/api/whoami", bob) == 200
    assert api.delete("users/bob").code == 204
    assert code_of(node, "GET", "/api/whoami", bob) == 401
    assert api.put("users/bob", {"password": "one", "tags": "management"}).code == 201
    assert code_of(node, "GET", "/api/whoami", bob) == 401
    # Other tags keep the log-in, and count at once.
    ann = log_in(node, "ann", "two")[1]
    assert code_of(node, "GET", "/api/users", ann) == 401
    hashed = api.get("users/ann").json
    assert api.put("users/ann", {"password_hash": hashed["password_hash"], "tags": "administrator"}).code == 204
    assert code_of(node, "GET", "/api/users", ann) == 200


@test(own=True, leveret_only=WHY, management=True, settings={"management.login_session_timeout": "1"})
def the_time_of_a_log_in(node):
    code, headers, _ = raw(node, "POST", "/api/login", body="username=guest&password=guest")
    assert code == 204 and "Max-Age=60;" in headers["Set-Cookie"], headers


@test(own=True, leveret_only=WHY, management=True, settings={"auth_attempts.max_per_minute": "1"})
def attempts_are_bounded(node):
    """The same bound as that of basic authentication: after many failures neither looks at the password."""
    codes = []
    for _ in range(20):
        threads = [threading.Thread(target=lambda: codes.append(log_in(node, "guest", "wrong")[0])) for _ in range(100)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if 429 in codes:
            break
    assert set(codes) == {401, 429}, set(codes)
    assert Api(node).get("whoami").code == 429 and log_in(node)[0] == 429


@test(own=True, leveret_only=WHY, management=True, settings={"management.path_prefix": "/broker"})
def a_prefix_of_all_paths(node):
    assert raw(node, "GET", "/broker/")[0] == 200
    code, headers, _ = raw(node, "GET", "/broker")
    assert code == 301 and headers["Location"] == "/broker/", headers
    for path in ("/", "/api/overview", "/brokers/", "/index.html", "/broker/broker/"):
        assert raw(node, "GET", path)[0] == 404, path
    assert Api(node).call("GET", "/broker/api/overview").json["contexts"][0]["path"] == "/broker"
    code, headers, _ = raw(node, "POST", "/broker/api/login", body="username=guest&password=guest")
    assert code == 204 and "Path=/broker/;" in headers["Set-Cookie"], headers
    assert raw(node, "GET", "/broker/api/whoami", {"Cookie": headers["Set-Cookie"].split(";")[0]})[0] == 200
    assert Api(node, port=node.metrics_port).call("GET", "/metrics").code == 200


@test(own=True, leveret_only=WHY, management=True, settings={"management.csp.policy": "default-src 'self'"})
def another_policy(node):
    assert raw(node, "GET", "/")[1]["Content-Security-Policy"] == "default-src 'self'"


@test(leveret_only=WHY)
def over_https(node):
    """A cookie that was given over HTTPS never goes over HTTP."""
    with tempfile.TemporaryDirectory() as folder:
        key, certificate = Path(folder) / "key.pem", Path(folder) / "cert.pem"
        made = subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(key), "-out", str(certificate),
                               "-days", "2", "-subj", "/CN=localhost"], capture_output=True, timeout=60)
        if made.returncode:
            raise Skip("openssl makes no certificate")
        port = broker.free_ports(1)[0]
        with broker.Leveretd(management=True, settings={"management.ssl.port": port, "management.ssl.certfile": certificate,
                                                        "management.ssl.keyfile": key}) as own:
            own.start()
            link = http.client.HTTPSConnection(own.host, port, timeout=60, context=ssl._create_unverified_context())
            link.request("POST", "/api/login", body="username=guest&password=guest")
            answer = link.getresponse()
            cookie = answer.headers["Set-Cookie"]
            assert answer.status == 204 and cookie.endswith("; Secure") and cookie.startswith(f"leveret_{port}="), cookie
            answer.read()
            link.request("GET", "/")
            answer = link.getresponse()
            assert answer.status == 200 and answer.headers["Content-Security-Policy"] == CSP
            link.close()
            assert f"the page is at https://localhost:{port}/" in own.log()
            assert f"the page is at http://localhost:{own.management_port}/" in own.log()


if __name__ == "__main__":
    main()
