"""The cases. Each takes the lab and gives what it measured: rows of numbers, by round."""
import contextlib
import json
import resource
import subprocess
import threading
import time

from lab import Lab
from servers import Chargifyd, Missing, Nginx, Node, Sinatra


@contextlib.contextmanager
def running(lab, *kinds):
    """The servers that can be started, in order."""
    servers = []
    try:
        for kind in kinds:
            try:
                servers.append(kind(lab))
            except Missing as e:
                lab.say(f"bench: without {kind.name}: {e}")
        yield servers
    finally:
        for server in servers:
            server.stop()


def rounds(lab, what):
    """`what` is a list of (name, function): all take turns, so that none has a better hour than the others."""
    rows = {name: [] for name, _ in what}
    for i in range(lab.options.rounds):
        for name, measure in what:
            rows[name].append(measure())
            row = rows[name][-1]
            lab.say(f"  round {i + 1}: {name}: {row['per_second']:,.0f}/s, {row['per_cpu_second']:,.0f} per CPU-second")
    return rows


def with_memory(server, row):
    return {**row, "peak_mib": server.memory_kib("VmHWM") / 1024}


def load_applying(lab, server, **options):
    before = server.status()["applied_sequence"]
    row = with_memory(server, lab.load(server, **options))
    at_end = server.status()
    row["applied_per_second"] = (at_end["applied_sequence"] - before) / row["seconds"]
    row["lag_webhooks"] = at_end["apply_lag_webhooks"]
    server.wait_applied()
    return row


def load_not_applying(lab, server, **options):
    with contextlib.closing(server.hold_apply()):
        row = lab.load(server, **options)
    waiting, began = server.status()["apply_lag_webhooks"], time.monotonic()
    server.wait_applied()
    # It looks again every second.
    row["caught_up_per_second"] = waiting / max(time.monotonic() - began - 0.5, 0.1)
    return with_memory(server, row)


def kept(lab):
    """Kept TLS connections, 64 of them, signed 4 KiB."""
    with running(lab, Nginx, Chargifyd, Node, Sinatra) as servers:
        what = []
        for server in servers:
            if server.name == "chargifyd":
                what.append(("chargifyd, applying", lambda s=server: load_applying(lab, s)))
                what.append(("chargifyd, not applying", lambda s=server: load_not_applying(lab, s)))
            else:
                what.append((server.name, lambda s=server: with_memory(s, lab.load(s))))
        return rounds(lab, what)


def connect(lab):
    """A connection for each webhook, with full and with resumed TLS handshakes."""
    with running(lab, Nginx, Chargifyd) as servers:
        return rounds(lab, [(f"{s.name}, {kind}", lambda s=s, o=o: lab.load(s, no_keep_alive=True, **o))
                            for kind, o in (("full", {}), ("resumed", {"resume": True})) for s in servers])


def latency(lab):
    """Webhooks that come at fixed moments, whether or not the server keeps up."""
    with running(lab, Chargifyd) as servers:
        def at(rate):
            row = load_applying(lab, servers[0], rate=rate, connections=128)
            return {**row, "rate": rate}
        return rounds(lab, [(str(rate), lambda rate=rate: at(rate)) for rate in lab.options.rates])


def connections(lab):
    """The same load over more and more kept connections."""
    with running(lab, Nginx, Chargifyd) as servers:
        def at(server, count):
            load = load_applying if server.name == "chargifyd" else Lab.load
            return {**(load(lab, server, connections=count)), "connections": count}
        return rounds(lab, [(f"{s.name}, {n}", lambda s=s, n=n: at(s, n)) for n in lab.options.connections for s in servers])


def watch_lag(lab, server):
    """A load at 5,000/s, and how old the state was while it ran."""
    lags, over = [], threading.Event()

    def sample():
        while not over.wait(0.02):
            lags.append(server.status()["apply_lag_seconds"] * 1000)
    watching = threading.Thread(target=sample)
    watching.start()
    row = lab.load(server, rate=5000, connections=128)
    over.set()
    watching.join()
    lags.sort()
    lab.say(f"  lag at 5,000/s: at most {lags[-1]:.0f} ms")
    return {**row, "lag_p50_ms": lags[len(lags) // 2], "lag_p99_ms": lags[len(lags) * 99 // 100], "lag_max_ms": lags[-1]}


def apply(lab):
    """How far the state is behind at an offered rate; then the state made anew from all that."""
    with running(lab, Chargifyd) as (server,):
        rows = {"lag": [watch_lag(lab, server) for _ in range(lab.options.rounds)], "rebuild": []}
        while server.status()["applied_sequence"] < lab.options.rebuild:
            load_applying(lab, server)
    for _ in range(lab.options.rounds):
        done = subprocess.run([lab.programs / "chargifyctl", "rebuild", "--config", server.config, "--json"], check=True,
                              capture_output=True, text=True, timeout=1800)
        found = json.loads(done.stdout)
        rows["rebuild"].append({"webhooks": found["webhooks"], "per_second": found["webhooks"] / found["seconds"]})
        lab.say(f"  rebuild: {rows['rebuild'][-1]['per_second']:,.0f}/s")
    return rows


def growth(lab):
    """CPU time of applying one webhook, at growing numbers of subscriptions."""
    return {"sizes": lab.tool("growth", lab.new_folder("growth"), 20000, *lab.options.sizes, timeout=4 * 3600)}


def memory(lab):
    """Idle TLS connections."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    count = min(lab.options.idle, most - 1000)
    rows = {}
    with running(lab, Nginx, Chargifyd) as servers:
        for server in servers:
            lab.load(server, seconds=1)
            before, seen = server.memory_kib("VmRSS"), []
            sender = threading.Thread(target=lab.load, args=(server,), kwargs={"seconds": 5, "connections": count, "rate": 10})
            sender.start()
            while sender.is_alive():
                seen.append(server.memory_kib("VmRSS"))
                time.sleep(0.1)
            held = seen[-20]  # all are open and none has been closed
            rows[server.name] = [{"connections": count, "kib_per_connection": (held - before) / count, "total_mib": held / 1024}]
    return rows


def disk(lab):
    """The journal after its segments were compressed."""
    found = lab.tool("compress", lab.new_folder("disk"), lab.options.compress)[0]
    return {"lives": [{"compressed_share": found["compressed_bytes"] / found["received_bytes"],
                       "body_bytes": found["received_bytes"] / found["webhooks"], "mib_per_second": found["received_bytes"] / found["seconds"] / 2**20}]}


def start(lab):
    """A journal with many webhooks: until it is opened, and what an answer then costs."""
    rows = {}
    for webhooks in (lab.options.journalled, lab.options.terabyte):
        folder = lab.new_folder("start")
        lab.tool("journal", folder, webhooks)
        rows[f"start with {webhooks:,}"] = []
        for _ in range(lab.options.rounds):
            server = Chargifyd(lab, folder)
            server.stop()
            rows[f"start with {webhooks:,}"].append({"webhooks": webhooks, "start_seconds": server.start_seconds})
    with running(lab, Chargifyd) as (empty,):
        full = Chargifyd(lab, folder)
        try:
            rows.update(rounds(lab, [("empty journal", lambda: load_not_applying(lab, empty)),
                                     ("journal of a terabyte", lambda: load_not_applying(lab, full))]))
        finally:
            full.stop()
    return rows


CASES = {case.__name__: case for case in (kept, connect, latency, connections, apply, growth, memory, disk, start)}
