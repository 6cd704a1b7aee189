"""The servers that are measured, each on a port of loopback with the same certificate."""
import contextlib
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import time

PEERS = pathlib.Path(__file__).with_name("peers")
TICKS = os.sysconf("SC_CLK_TCK")


class Missing(Exception):
    """What a server needs is not on this machine."""


def wait_until(condition, what, seconds=300):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise RuntimeError(f"{what} did not happen within {seconds} s")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


class Server:
    """A process, and those it starts. `name` is how results call it."""
    name = ""

    def begin(self, command, port, **how):
        self.log = open(self.folder / "server.log", "a")
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log, **how)
        wait_until(lambda: answers(port) or self.process.poll() is not None, f"{self.name} listening", 30)
        if self.process.poll() is not None:
            raise Missing(f"it does not start: {(self.folder / 'server.log').read_text()[-300:]}")
        self.url = f"https://127.0.0.1:{port}/webhooks/acme"

    def pids(self):
        children = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True).stdout.split()
        return [self.process.pid] + [int(p) for p in children]

    def cpu_seconds(self):
        """User and system time of all processes and threads."""
        total = 0
        for pid in self.pids():
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            total += int(fields[11]) + int(fields[12])
        return total / TICKS

    def memory_kib(self, field):
        """`VmRSS`: now; `VmHWM`: the most so far."""
        return sum(int(re.search(rf"{field}:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1]) for pid in self.pids())

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


class Chargifyd(Server):
    name = "chargifyd"

    def __init__(self, lab, state=None):
        self.folder = lab.new_folder("chargifyd")
        self.state = state or self.folder / "state"
        port, self.admin = free_port(), free_port()
        self.config = self.folder / "chargifyd.toml"
        self.config.write_text(f'''state_directory = "{self.state}"
[ingress]
https = ["127.0.0.1:{port}"]
certificate = "{lab.certificate}"
private_key = "{lab.private_key}"
max_connections = 20000
[admin]
listen = "127.0.0.1:{self.admin}"
[[site]]
name = "acme"
shared_key_files = ["{lab.shared_key}"]
''')
        began = time.monotonic()
        self.begin([lab.programs / "chargifyd", "--config", self.config], self.admin)
        self.start_seconds = time.monotonic() - began
        self.url = f"https://127.0.0.1:{port}/webhooks/acme"

    def get(self, path):
        c = http.client.HTTPConnection("127.0.0.1", self.admin, timeout=60)
        c.request("GET", path)
        body = c.getresponse().read().decode()
        c.close()
        return body

    def status(self):
        return json.loads(self.get("/readyz"))

    def metric(self, name):
        return float(re.search(rf"^chargifyd_{name} (\S+)$", self.get("/metrics"), re.M)[1])

    def wait_applied(self, seconds=900):
        wait_until(lambda: self.status()["apply_lag_webhooks"] == 0, "everything being applied", seconds)

    def hold_apply(self):
        """Nothing is applied until the connection that this gives is closed: it holds the one right to write the state."""
        other = sqlite3.connect(self.state / "state.db", timeout=60, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        return other


class Nginx(Server):
    name = "nginx"

    def __init__(self, lab):
        if not shutil.which("nginx"):
            raise Missing("nginx is not installed")
        self.folder = lab.new_folder("nginx")
        port = free_port()
        config = self.folder / "nginx.conf"
        config.write_text(f'''daemon off; worker_processes auto; worker_rlimit_nofile 20000;
pid {self.folder}/nginx.pid; error_log {self.folder}/nginx.log;
events {{ worker_connections 16384; }}
http {{ access_log off; keepalive_requests 1000000000; client_body_buffer_size 64k;
  client_body_temp_path {self.folder}/body; proxy_temp_path {self.folder}/proxy; fastcgi_temp_path {self.folder}/fastcgi;
  uwsgi_temp_path {self.folder}/uwsgi; scgi_temp_path {self.folder}/scgi;
  server {{ listen 127.0.0.1:{port} ssl backlog=4096; ssl_certificate {lab.certificate}; ssl_certificate_key {lab.private_key};
    ssl_protocols TLSv1.2 TLSv1.3; ssl_session_tickets on; location / {{ return 200 "ok\\n"; }} }} }}
''')
        self.begin(["nginx", "-c", config], port)


class Node(Server):
    name = "node"

    def __init__(self, lab):
        if not shutil.which("node"):
            raise Missing("Node is not installed")
        modules = self.install(lab.peers)
        self.folder = lab.new_folder("node")
        port = free_port()
        self.begin(["node", PEERS / "node.js", str(port), lab.certificate, lab.private_key, lab.shared_key, self.folder / "webhooks.db"],
                   port, env={**os.environ, "NODE_PATH": f"{modules}:/usr/share/nodejs:/usr/lib/nodejs"})

    @staticmethod
    def install(folder):
        """The fastest SQLite for Node, when npm can get it; else what is there is used."""
        modules = folder / "node_modules"
        if not (modules / "better-sqlite3").exists() and shutil.which("npm"):
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "package.json").write_text('{"private": true}\n')
            with contextlib.suppress(subprocess.TimeoutExpired):
                subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", "better-sqlite3@12"], cwd=folder, timeout=300,
                               capture_output=True)
        return modules


class Sinatra(Server):
    name = "sinatra"

    def __init__(self, lab):
        if not shutil.which("puma"):
            raise Missing("puma is not installed")
        self.folder = lab.new_folder("sinatra")
        with contextlib.closing(sqlite3.connect(self.folder / "webhooks.db")) as db:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("CREATE TABLE webhooks (id INTEGER PRIMARY KEY, received_at INTEGER, signature TEXT UNIQUE, body BLOB)")
        port = free_port()
        self.begin(["puma", "--quiet", "--workers", str(os.cpu_count()), "--threads", "5:5", "--environment", "production",
                    "--bind", f"ssl://127.0.0.1:{port}?key={lab.private_key}&cert={lab.certificate}", PEERS / "sinatra.ru"], port,
                   cwd=self.folder, env={**os.environ, "BENCH_KEY_FILE": str(lab.shared_key), "BENCH_DATABASE": str(self.folder / "webhooks.db")})
