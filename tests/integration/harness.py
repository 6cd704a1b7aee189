"""Starts the real binaries and speaks to them: what every integration test needs.

Environment: CHARGIFYD and CHARGIFYCTL name the binaries (ctest sets them).
"""
import atexit
import hashlib
import hmac
import http.client
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.parse

CHARGIFYD = os.environ.get("CHARGIFYD", "chargifyd")
CHARGIFYCTL = os.environ.get("CHARGIFYCTL", "chargifyctl")
KEY = "canary-shared-key-0123456789"
SIGNATURE = "X-Chargify-Webhook-Signature-Hmac-Sha-256"
PATIENCE = 60  # seconds until a state that is waited for counts as not reached


def sign(body, key=KEY):
    return hmac.new(key.encode(), body, hashlib.sha256).hexdigest()


def wait_for(condition, what):
    """Waits for a state; fails when it does not come."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(f"never happened: {what}")


def form(pairs):
    """A body in Chargify's convention: bare brackets, percent-encoded values, space as %20."""
    quote = lambda v: urllib.parse.quote(str(v), safe="-._!'()")
    return "&".join(f"{k}={quote(v)}" for k, v in pairs).encode()


def subscription(webhook_id, event="subscription_state_change", site="acme", **fields):
    """A full payload; `fields` override those of the subscription. Underscore-joined keys reach into hashes:
    customer__first_name."""
    values = {
        "id": 100,
        "state": "active",
        "previous_state": "active",
        "balance_in_cents": 0,
        "created_at": "2026-01-01 10:00:00 -0500",
        "updated_at": "2026-01-01 10:00:00 -0500",
        "current_period_started_at": "2026-01-01 10:00:00 -0500",
        "current_period_ends_at": "2026-02-01 10:00:00 -0500",
        "cancel_at_end_of_period": "false",
        "canceled_at": "",
        "customer__id": 7,
        "customer__first_name": "Canaryfirstname",
        "customer__last_name": "Canarylastname",
        "customer__email": "canary@example.com",
        "customer__reference": "user-42",
        "customer__created_at": "2026-01-01 10:00:00 -0500",
        "customer__updated_at": "2026-01-01 10:00:00 -0500",
        "product__id": 3,
        "product__handle": "basic",
        "product__name": "Basic",
        "product__price_in_cents": 1000,
        "product__created_at": "2025-01-01 10:00:00 -0500",
        "product__updated_at": "2025-01-01 10:00:00 -0500",
        "credit_card__masked_card_number": "XXXX-XXXX-XXXX-4242",
        "credit_card__vault_token": "canary-vault-token",
    }
    event_id = fields.pop("event_id", webhook_id)
    values.update(fields)
    pairs = [("id", webhook_id), ("event", event), ("payload[site][id]", 42), ("payload[site][subdomain]", site)]
    for key, value in values.items():
        pairs.append(("payload[subscription][" + key.replace("__", "][") + "]", value))
    pairs.append(("payload[event_id]", event_id))
    return form(pairs)


class Certificate:
    """A self-signed certificate, made once for all tests."""

    made = None

    @classmethod
    def get(cls):
        if cls.made is None:
            folder = tempfile.mkdtemp(prefix="chargifyd-cert-")
            cls.make(folder, "one")
            cls.made = folder
            atexit.register(shutil.rmtree, folder, ignore_errors=True)
        return cls.made

    @staticmethod
    def make(folder, name):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
             "-subj", f"/CN={name}", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
             "-keyout", f"{folder}/{name}.key", "-out", f"{folder}/{name}.pem"],
            check=True, capture_output=True)


# Becomes the daemon, with the given descriptors as 3, 4, … (sd_listen_fds).
PASS_SOCKETS = """
import fcntl, os, sys
first = [fcntl.fcntl(int(n), fcntl.F_DUPFD, 100) for n in sys.argv[1].split(",")]
for i, fd in enumerate(first):
    os.dup2(fd, 3 + i)
    os.close(fd)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(first)), LISTEN_FDNAMES=sys.argv[2])
os.execvp(sys.argv[3], sys.argv[3:])
"""


class Daemon:
    """One chargifyd in a folder of its own."""

    def __init__(self, folder, sites=None, tls=True, extra_ingress="", extra_site="", extra=""):
        self.folder = pathlib.Path(folder)
        self.state_directory = self.folder / "state"
        self.config = self.folder / "chargifyd.toml"
        self.log_file = self.folder / "log"
        self.process = None
        self.https = self.http = self.admin = None
        self.sites = sites or {"acme": [KEY]}
        self.tls = tls
        self.extra_ingress = extra_ingress
        self.extra_site = extra_site
        self.extra = extra
        self.write_config()

    def write_config(self, level="info"):
        self.folder.mkdir(parents=True, exist_ok=True)
        text = f'state_directory = "{self.state_directory}"\n[ingress]\nhttp = ["127.0.0.1:0"]\n'
        if self.tls:
            folder = self.folder / "tls"
            if not folder.exists():
                folder.mkdir()
                for end in ("pem", "key"):
                    shutil.copy(f"{Certificate.get()}/one.{end}", folder / f"one.{end}")
            text += f'https = ["127.0.0.1:0"]\ncertificate = "{folder}/one.pem"\nprivate_key = "{folder}/one.key"\n'
        text += self.extra_ingress + '\n[admin]\nlisten = "127.0.0.1:0"\n'
        for name, keys in self.sites.items():
            files = []
            for i, key in enumerate(keys):
                file = self.folder / f"{name}-{i}.key"
                file.touch(mode=0o600)
                file.write_text(key + "\n")
                files.append(str(file))
            text += f'[[site]]\nname = "{name}"\nshared_key_files = {json.dumps(files)}\n'
            text += self.extra_site
        text += f'[log]\nlevel = "{level}"\nformat = "json"\n' + self.extra
        self.config.write_text(text)

    def start(self, prefix=(), env=None, sockets=()):
        """`sockets`: pairs of a name and a listening socket, passed as a service manager does."""
        numbers = [str(s.fileno()) for _, s in sockets]
        if sockets:
            prefix = [sys.executable, "-c", PASS_SOCKETS, ",".join(numbers), ":".join(name for name, _ in sockets), *prefix]
        self.log_start = self.log_file.stat().st_size if self.log_file.exists() else 0
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen([*prefix, CHARGIFYD, "--config", str(self.config)], stderr=log,
                                            stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
                                            pass_fds=[int(n) for n in numbers], env={**os.environ, **(env or {})})
        ready = wait_for(lambda: self.find_log("ready") or self.process.poll() is not None, "the daemon is ready")
        if ready is True:
            raise AssertionError("the daemon ended: " + self.log_text())
        self.https, self.http, self.admin = (int(ready[k].rsplit(":", 1)[1]) if ready.get(k) else None
                                             for k in ("https", "http", "admin"))
        return self

    def log_text(self):
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def log_lines(self):
        """The lines of this start, as objects."""
        if not self.log_file.exists():
            return []
        with open(self.log_file, "rb") as log:
            log.seek(self.log_start)
            lines = log.read().decode(errors="replace").splitlines()
        found = []
        for line in lines:
            try:
                found.append(json.loads(line))
            except ValueError:
                pass
        return found

    def find_log(self, message):
        return next((line for line in self.log_lines() if message in line.get("message", "")), None)

    def wait_log(self, message):
        return wait_for(lambda: self.find_log(message), f"log line '{message}'")

    def stop(self):
        """SIGTERM; returns the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    # -- requests

    def connect(self, tls=False, timeout=PATIENCE):
        s = socket.create_connection(("127.0.0.1", self.https if tls else self.http), timeout)
        if tls:
            context = ssl.create_default_context(cafile=str(self.folder / "tls" / "one.pem"))
            s = context.wrap_socket(s, server_hostname="localhost")
        return s

    def connection(self, tls=False):
        if not tls:
            return http.client.HTTPConnection("127.0.0.1", self.http, timeout=PATIENCE)
        context = ssl.create_default_context(cafile=str(self.folder / "tls" / "one.pem"))
        return http.client.HTTPSConnection("localhost", self.https, timeout=PATIENCE, context=context)

    def request(self, method, path, body=None, headers=None, tls=False, connection=None):
        """Returns status, headers, body."""
        c = connection or self.connection(tls)
        c.request(method, path, body=body, headers=headers or {})
        r = c.getresponse()
        answer = (r.status, dict(r.getheaders()), r.read())
        if connection is None:
            c.close()
        return answer

    def post(self, body, site="acme", key=KEY, signature=None, headers=None, tls=False, connection=None):
        """Posts a signed webhook; returns the status."""
        all_headers = {"Content-Type": "application/x-www-form-urlencoded", SIGNATURE: signature or sign(body, key)}
        all_headers.update(headers or {})
        return self.request("POST", f"/webhooks/{site}", body, all_headers, tls, connection)[0]

    def raw(self, data, tls=False, wait=PATIENCE):
        """Sends bytes, reads until the server closes or answers; returns what came."""
        s = self.connect(tls, wait)
        try:
            s.sendall(data)
            answer = b""
            while block := s.recv(65536):
                answer += block
        except (TimeoutError, ConnectionError, ssl.SSLError):
            pass
        finally:
            s.close()
        return answer

    # -- state

    @property
    def state_file(self):
        return self.state_directory / "state.db"

    def sql(self, query, parameters=()):
        db = sqlite3.connect(f"file:{self.state_file}?mode=ro", uri=True, timeout=PATIENCE)
        try:
            return db.execute(query, parameters).fetchall()
        finally:
            db.close()

    def admin_request(self, method, path, headers=None):
        """A request to the admin port; returns status and body."""
        c = http.client.HTTPConnection("127.0.0.1", self.admin, timeout=PATIENCE)
        try:
            c.request(method, path, headers=headers or {})
            r = c.getresponse()
            return r.status, r.read().decode()
        finally:
            c.close()

    def metrics(self):
        return self.admin_request("GET", "/metrics")[1]

    def admin_json(self, path):
        status, body = self.admin_request("GET", path)
        return status, json.loads(body)

    def journalled(self):
        return self.admin_json("/readyz")[1]["journal_sequence"]

    def settle(self):
        """Waits until everything journalled is applied."""
        wait_for(lambda: self.admin_json("/readyz")[1]["apply_lag_webhooks"] == 0, "everything is applied")

    def ctl(self, *arguments, check=True, input=None):
        """Runs chargifyctl; returns the completed process, output as text."""
        done = subprocess.run([CHARGIFYCTL, "--config", str(self.config), *arguments], capture_output=True, text=True,
                              input=input, timeout=PATIENCE * 2)
        if check and done.returncode != 0:
            raise AssertionError(f"chargifyctl {arguments}: {done.returncode}\n{done.stderr}")
        return done

    def ctl_json(self, *arguments):
        return json.loads(self.ctl(*arguments).stdout)


def dump(file):
    """Every row of every table: what "the same content, row for row" means."""
    db = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    try:
        tables = [r[0] for r in db.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY 1")]
        return {t: sorted(db.execute(f"SELECT * FROM {t}").fetchall(), key=repr) for t in tables}
    finally:
        db.close()


CANARIES = (KEY, "Canaryfirstname", "Canarylastname", "canary@example.com", "canary-vault-token", "XXXX-4242")


class DaemonCase(unittest.TestCase):
    """A test with a daemon in a folder of its own; the daemon is ended with the test."""

    options = {}
    autostart = True

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="chargifyd-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.daemon = self.make()
        if self.autostart:
            self.daemon.start()

    def make(self, name="one", **changes):
        daemon = Daemon(self.folder / name, **{**self.options, **changes})
        self.addCleanup(self.assert_discreet, daemon)
        self.addCleanup(daemon.kill)
        return daemon

    def assert_discreet(self, daemon):
        """Whatever the test did: nothing secret or personal was logged."""
        text = daemon.log_text()
        for canary in CANARIES:
            self.assertNotIn(canary, text)
