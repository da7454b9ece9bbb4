"""Certificates for tests, made by openssl(1): an authority that signs, revokes and dates as it is asked.

    ca = Authority(folder, "ca")
    pair = ca.issue("server", "/CN=localhost", san="DNS:localhost,IP:127.0.0.1")     # pair.cert, pair.key: paths
    ca.revoke(pair); ca.crl()                                                        # the path of the list
"""
import shutil
import subprocess
import time
from collections import namedtuple
from pathlib import Path

from harness import Skip

Pair = namedtuple("Pair", "cert key")
DAY_SECONDS = 86400

CONFIG = """
[ca]
default_ca = authority
[authority]
database = index
serial = serial
new_certs_dir = .
certificate = ca.pem
private_key = ca.key
default_md = sha256
default_days = 30
default_crl_days = 30
unique_subject = no
copy_extensions = copy
policy = any
[any]
commonName = optional
organizationName = optional
organizationalUnitName = optional
countryName = optional
"""


def openssl(*arguments, folder):
    if not shutil.which("openssl"):
        raise Skip("no openssl here")
    done = subprocess.run(["openssl", *map(str, arguments)], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == 0, f"openssl {arguments}: {done.stderr}"
    return done.stdout


def self_signed(folder, stem, subject, *more):
    folder = Path(folder)
    pair = Pair(folder / f"{stem}.pem", folder / f"{stem}.key")
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", subject, "-days", 30,
            "-keyout", pair.key, "-out", pair.cert, *more, folder=folder)
    return pair


def _date(days_from_now):
    return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + days_from_now * DAY_SECONDS))


class Authority:
    def __init__(self, folder, stem):
        self.folder = Path(folder) / stem
        self.folder.mkdir()
        (self.folder / "config").write_text(CONFIG)
        (self.folder / "index").write_text("")
        (self.folder / "serial").write_text("1000\n")
        self_signed(self.folder, "ca", f"/CN={stem} of the test")
        self.cert = self.folder / "ca.pem"

    def issue(self, stem, subject, san=None, days=30, rsa=False):
        """A certificate that ends in so many days, before now when they are negative."""
        pair = Pair(self.folder / f"{stem}.pem", self.folder / f"{stem}.key")
        kind = ["rsa:2048"] if rsa else ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        openssl("req", "-new", "-newkey", *kind, "-nodes", "-subj", subject, "-keyout", pair.key, "-out", f"{stem}.csr",
                *(["-addext", f"subjectAltName={san}"] if san else []), folder=self.folder)
        openssl("ca", "-batch", "-config", "config", "-notext", "-preserveDN", "-startdate", _date(-60), "-enddate", _date(days),
                "-in", f"{stem}.csr", "-out", pair.cert, folder=self.folder)
        return pair

    def revoke(self, pair):
        openssl("ca", "-config", "config", "-revoke", pair.cert, folder=self.folder)

    def crl(self):
        path = self.folder / "crl.pem"
        openssl("ca", "-config", "config", "-gencrl", "-out", path, folder=self.folder)
        return path
