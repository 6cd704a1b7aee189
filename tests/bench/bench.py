#!/usr/bin/env python3
"""Runs chargifyd and nginx in turns under the same load and prints what each did. Called by scripts/bench.

usage: bench.py DIRECTORY-OF-BINARIES [--seconds N] [--rounds N] [--connections N] [--body-bytes N]
"""
import argparse
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pids):
    """User and system time that the processes have used."""
    total = 0
    for pid in pids:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def peak_memory_mib(pids):
    total = 0
    for pid in pids:
        total += int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1])
    return total / 1024


def wait_until(condition, what, seconds=300):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    sys.exit(f"bench: {what} never happened")


class Chargifyd:
    name = "chargifyd"

    def __init__(self, binaries, folder):
        self.log = folder / "chargifyd.log"
        config = folder / "chargifyd.toml"
        config.write_text(f'''state_directory = "{folder}/state"
[ingress]
https = ["127.0.0.1:0"]
certificate = "{folder}/cert.pem"
private_key = "{folder}/key.pem"
[admin]
listen = "127.0.0.1:0"
[[site]]
name = "acme"
shared_key_files = ["{folder}/shared.key"]
[log]
format = "json"
''')
        self.process = subprocess.Popen([binaries / "chargifyd", "--config", config], stderr=open(self.log, "w"))
        ready = wait_until(self.find_ready, "chargifyd being ready", 30)
        self.url = f"https://{ready['https']}/webhooks/acme"
        self.admin = int(ready["admin"].rsplit(":", 1)[1])
        self.pids = [self.process.pid]

    def find_ready(self):
        for line in self.log.read_text().splitlines():
            if '"ready"' in line:
                return json.loads(line)
        return None

    def get(self, path):
        c = http.client.HTTPConnection("127.0.0.1", self.admin, timeout=60)
        c.request("GET", path)
        body = c.getresponse().read().decode()
        c.close()
        return body

    def metric(self, name):
        return float(re.search(rf"^chargifyd_{name} (\S+)$", self.get("/metrics"), re.M)[1])

    def status(self):
        return json.loads(self.get("/readyz"))

    def before(self):
        self.batches = self.metric("journal_batch_webhooks_count"), self.metric("journal_batch_webhooks_sum")
        self.applied = self.status()["applied_sequence"]
        self.began = time.monotonic()

    def after(self, report):
        at_the_end = self.status()
        count, total = self.metric("journal_batch_webhooks_count"), self.metric("journal_batch_webhooks_sum")
        report["webhooks per commit"] = (total - self.batches[1]) / max(1, count - self.batches[0])
        report["applied/s during the load"] = (at_the_end["applied_sequence"] - self.applied) / report["seconds"]
        report["lag at the end (webhooks)"] = at_the_end["apply_lag_webhooks"]
        rest, since = at_the_end["apply_lag_webhooks"], time.monotonic()
        wait_until(lambda: self.status()["apply_lag_webhooks"] == 0, "everything being applied")
        took = time.monotonic() - since
        report["lag at the end (s until applied)"] = took
        if rest > 10000:
            report["applied/s catching up alone"] = rest / took


class Nginx:
    name = "nginx return 200"

    def __init__(self, folder):
        config = folder / "nginx.conf"
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        config.write_text(f'''daemon off; worker_processes auto; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{ worker_connections 4096; }}
http {{ access_log off; keepalive_requests 1000000000; client_body_buffer_size 64k;
  server {{ listen 127.0.0.1:{port} ssl backlog=4096; ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem;
    ssl_protocols TLSv1.2 TLSv1.3; location / {{ return 200 "ok\\n"; }} }} }}
''')
        self.process = subprocess.Popen(["nginx", "-c", config], stderr=subprocess.DEVNULL)
        workers = lambda: subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True).stdout.split()
        self.pids = [int(p) for p in wait_until(workers, "nginx being ready", 30)]
        self.url = f"https://127.0.0.1:{port}/webhooks/acme"

    def before(self):
        pass

    def after(self, report):
        pass


def run_round(server, binaries, folder, options, first):
    server.before()
    cpu = cpu_seconds(server.pids)
    done = subprocess.run([binaries / "chargifyctl", "simulate", "load", server.url, "--site", "acme", "--key-file", folder / "shared.key",
                           "--insecure", "--connections", str(options.connections), "--duration", str(options.seconds),
                           "--body-bytes", str(options.body_bytes), "--first", str(first), "--json"],
                          capture_output=True, text=True)
    if not done.stdout:
        sys.exit("bench: the load failed: " + done.stderr)
    load = json.loads(done.stdout)
    used = cpu_seconds(server.pids) - cpu
    report = {"seconds": load["seconds"], "acks/s": load["acknowledged"] / load["seconds"],
              "not acknowledged": load["refused"] + load["failed"],
              "p50 (ms)": milliseconds(load, "p50"), "p99 (ms)": milliseconds(load, "p99"), "p99.9 (ms)": milliseconds(load, "p999"),
              "server CPU per webhook (us)": used / max(1, load["acknowledged"]) * 1e6,
              "acks per server CPU-second": load["acknowledged"] / max(used, 1e-9),
              "generator CPU (of one core)": load["cpu_seconds"] / load["seconds"]}
    server.after(report)
    report["peak memory (MiB)"] = peak_memory_mib(server.pids)
    return report, load["sent"]


def milliseconds(load, name):
    for key, factor in ((f"{name}_ms", 1), (f"{name}_us", 0.001), (f"{name}_microseconds", 0.001)):
        if key in load:
            return load[key] * factor
    raise KeyError(f"{name} in {sorted(load)}")


def main():
    parser = argparse.ArgumentParser(usage="scripts/bench [--seconds N] [--rounds N] [--connections N] [--body-bytes N]")
    parser.add_argument("binaries", type=pathlib.Path)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--body-bytes", type=int, default=4096)
    options = parser.parse_args()
    options.binaries = options.binaries.resolve()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="chargifyd-bench-", dir=os.environ.get("TMPDIR")))
    servers = []
    try:
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                        "-subj", "/CN=localhost", "-keyout", folder / "key.pem", "-out", folder / "cert.pem"], check=True,
                       capture_output=True)
        (folder / "shared.key").touch(mode=0o600)
        (folder / "shared.key").write_text("bench-shared-key\n")
        servers = [Nginx(folder), Chargifyd(options.binaries, folder)]
        reports = {s.name: [] for s in servers}
        first = 1
        for i in range(options.rounds):
            for server in servers:
                report, sent = run_round(server, options.binaries, folder, options, first)
                reports[server.name].append(report)
                first += sent
                print(f"round {i + 1}: {server.name}: {report['acks/s']:.0f} acks/s", file=sys.stderr)
        print_table(reports, options)
    finally:
        for server in servers:
            server.process.send_signal(signal.SIGTERM)
            server.process.wait(60)
        shutil.rmtree(folder, ignore_errors=True)


def print_table(reports, options):
    names = list(reports)
    rows = list(dict.fromkeys(k for report in reports.values() for r in report for k in r if k != "seconds"))
    print(f"{options.rounds} rounds of {options.seconds} s, {options.connections} connections, {options.body_bytes}-byte bodies, TLS "
          f"kept alive, {os.cpu_count()} cores shared with the generator; median (lowest to highest)\n")
    print(f"{'':34}" + "".join(f"{n:>36}" for n in names))
    for row in rows:
        line = f"{row:34}"
        for name in names:
            values = sorted(r[row] for r in reports[name] if row in r)
            if not values:
                line += f"{'-':>36}"
                continue
            digits = 0 if values[-1] >= 100 else 2
            line += f"{f'{statistics.median(values):,.{digits}f} ({values[0]:,.{digits}f} to {values[-1]:,.{digits}f})':>36}"
        print(line)
    ratio = [statistics.median(r["acks per server CPU-second"] for r in reports[n]) for n in names]
    print(f"\nchargifyd / nginx, acks per server CPU-second: {ratio[1] / ratio[0]:.2f}")


if __name__ == "__main__":
    main()
