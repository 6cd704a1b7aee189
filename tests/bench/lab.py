"""Where measurements are made: programs, folders, keys, and the load."""
import json
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import tempfile
import time


class Lab:
    """Made by `with`; leaves nothing behind."""

    def __init__(self, programs, options):
        self.programs = programs.resolve() / "bin"
        self.tools = programs.resolve() / "tests" / "bench"
        self.peers = programs.resolve().parent / "bench-peers"
        self.options = options
        self.next_number = 1  # webhooks are sent once only

    def __enter__(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="bench-", dir=self.options.folder)).resolve()
        self.certificate, self.private_key = self.root / "cert.pem", self.root / "key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                        "-subj", "/CN=localhost", "-keyout", self.private_key, "-out", self.certificate], check=True, capture_output=True)
        self.shared_key = self.root / "shared.key"
        self.shared_key.touch(mode=0o600)
        self.shared_key.write_text("bench-shared-key\n")
        os.chmod(self.root, 0o755)  # nginx drops its rights
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.root, ignore_errors=True)

    def new_folder(self, name):
        return pathlib.Path(tempfile.mkdtemp(prefix=name + "-", dir=self.root))

    def say(self, text):
        print(text, file=sys.stderr, flush=True)

    def load(self, server, seconds=None, **options):
        """Sends for a while; what the sender and the server did. Options are those of `chargifyctl simulate load`."""
        seconds = seconds or self.options.seconds
        words = [self.programs / "chargifyctl", "simulate", "load", server.url, "--site", "acme", "--key-file", self.shared_key,
                 "--insecure", "--duration", str(seconds), "--first", str(self.next_number), "--json"]
        for name, value in options.items():
            words += [f"--{name.replace('_', '-')}"] + ([] if value is True else [str(value)])
        cpu = server.cpu_seconds()
        done = subprocess.run(words, capture_output=True, text=True, timeout=seconds + 120)
        if not done.stdout:
            raise RuntimeError("the load failed: " + done.stderr)
        used = max(server.cpu_seconds() - cpu, 1e-9)
        load = json.loads(done.stdout)
        self.next_number += load["sent"] + load["missed"]
        acked = load["acknowledged"]
        return {**{k: load[k] for k in ("seconds", "p50_ms", "p99_ms", "p999_ms", "max_ms", "late_p99_ms", "late_max_ms", "missed")},
                "acknowledged": acked, "not_acknowledged": load["refused"] + load["failed"],
                "per_second": acked / load["seconds"], "per_cpu_second": acked / used, "resumed": load["resumed"],
                "generator_cpu": load["cpu_seconds"] / load["seconds"]}

    def tool(self, *words, timeout=3600):
        """The results of bench_lab."""
        done = subprocess.run([self.tools / "bench_lab", *map(str, words)], capture_output=True, text=True, timeout=timeout)
        if done.returncode != 0:
            raise RuntimeError(done.stderr[-500:])
        return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def machine(folder):
    """What a reader has to know about where the numbers come from."""
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    disk = subprocess.run(["findmnt", "--noheadings", "--output", "FSTYPE", "--target", folder], capture_output=True, text=True).stdout.strip()
    return {"processor": model, "cores": os.cpu_count(), "memory_gib": round(pages / 2**30), "kernel": platform.release(),
            "file_system": disk, "sync_ms": round(sync_milliseconds(folder), 3)}


def sync_milliseconds(folder):
    """What one fdatasync of 4 KiB costs: durability is as fast as the disk."""
    times = []
    with tempfile.TemporaryFile(dir=folder) as f:
        for i in range(100):
            began = time.perf_counter()
            os.pwrite(f.fileno(), b"x" * 4096, 4096 * (i % 16))
            os.fdatasync(f.fileno())
            times.append(time.perf_counter() - began)
    return sorted(times)[50] * 1000
