"""What one machine carries, computed from the results of a run."""
import statistics

DAY = 86_400
# Assumptions, named in docs/capacity.md.
HEADROOM = 4            # mean to what is measured: peaks, backups, a slower disk
WEBHOOKS_A_RENEWAL = 5  # monthly: renewal, payment, statement, and some of what is rarer
CHARGIFY_2020 = 400_000  # webhooks a day, from their ids
GROWTH = 10             # since then: assumed
PEAK = 50               # the busiest minute to the mean


def median(rows, key):
    return statistics.median(row[key] for row in rows)


def table(head, rows):
    return "\n".join(["| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head)] + rows]) + "\n"


def size(count):
    unit, name = next((u, n) for u, n in ((2**40, "TiB"), (2**30, "GiB"), (2**20, "MiB")) if count >= u or n == "MiB")
    return f"{count / unit:,.1f} {name}"


def percent(share):
    return f"{share:.0%}" if share >= 0.1 else f"{share:.1%}" if share >= 0.001 else "under 0.1%"


def tables(results):
    """Empty while what they need was not measured."""
    cases, cores = results["cases"], results["machine"]["cores"]
    if not {"kept", "connect", "disk"} <= set(cases):
        return {}
    together = median(cases["kept"]["chargifyd, applying"], "applied_per_second")
    kept = median(cases["kept"]["chargifyd, applying"], "per_second")
    anew = median(cases["connect"]["chargifyd, full"], "per_cpu_second") * cores
    alone = median(cases["kept"]["chargifyd, not applying"], "caught_up_per_second")
    body, share = median(cases["disk"]["lives"], "body_bytes"), median(cases["disk"]["lives"], "compressed_share")
    sustained = min(alone, kept)
    mean = sustained / HEADROOM
    limits = table(["", "per second", "per day"],
                   [[what, f"{rate:,.0f}", f"{rate * DAY / 1e6:,.0f} million"] for what, rate in (
                       ("acknowledged, connections kept, while applying", kept), ("acknowledged, a TLS connection for each", anew),
                       ("applied, nothing else to do", alone), ("applied while acknowledging all that can be sent", together),
                       (f"to plan with: the least of those that last, divided by {HEADROOM}", min(mean, anew / HEADROOM)))])
    planned = min(mean, anew / HEADROOM) * DAY
    now = CHARGIFY_2020 * GROWTH
    rows = []
    for what, daily in (("1,000 subscriptions", 1000 * WEBHOOKS_A_RENEWAL / 30), ("100,000 subscriptions", 100_000 * WEBHOOKS_A_RENEWAL / 30),
                        ("1 million subscriptions", 1e6 * WEBHOOKS_A_RENEWAL / 30), ("all of Chargify, 2020", CHARGIFY_2020),
                        (f"all of Chargify, {GROWTH} times 2020", now)):
        busiest = daily / DAY * PEAK
        rows.append([what, f"{daily:,.0f}", f"{busiest:,.1f}", size(daily * 365 * body),
                     size(daily * 365 * body * share), percent(daily / planned), percent(busiest / sustained)])
    needs = table(["", "webhooks a day", "a second in the busiest minute", "received a year", "journal of a year, compressed",
                   "share of what to plan with", "busiest minute: share of the most"], rows)
    return {"limits": limits, "needs": needs}
