"""`make bench`: measures on anvil and Ganache; a table for people, JSON in var/bench for machines."""

from __future__ import annotations

import argparse
import json
import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.benchmarks.bulk import measure_bulk, measure_engine
from tests.benchmarks.costs import measure_gas, measure_verify
from tests.benchmarks.single import measure_rest, measure_single
from tests.benchmarks.site import Site

#: Budgets: what, where in the result, at least or at most, by chain.
BULK = {"anvil": 10_000, "ganache": 5_000}


def measure(kind: str, count: int, seconds: float) -> dict[str, Any]:
    """Everything on one chain; the engine's own limit in the same run."""
    with Site(kind) as site:
        found: dict[str, Any] = {"rest": measure_rest(site)}
        print(f"  {kind}: bulk ...", flush=True)
        found["bulk"] = measure_bulk(site, count)
        print(f"  {kind}: single ...", flush=True)
        found["single"] = measure_single(site, seconds)
        found["verify"] = measure_verify(site)
        found["gas"] = measure_gas(site)
        print(f"  {kind}: engine ...", flush=True)
        found["engine"] = measure_engine(site, min(count, 60_000))
    found["ratio"] = round(found["bulk"]["proven_per_s"] / found["engine"]["leaves_per_s"], 2)
    return found


def rows(kind: str, found: dict[str, Any]) -> list[tuple[str, str, str, bool]]:
    """Name, measured, budget, met."""
    bulk, single, rest = found["bulk"], found["single"], found["rest"]
    engine = found["engine"]["leaves_per_s"]
    table = [
        (
            f"{kind}: bulk, HTTP to proof",
            f"{bulk['proven_per_s']}/s ({found['ratio']} of the engine's own {engine}/s)",
            f">= {BULK[kind]}/s",
            bulk["proven_per_s"] >= BULK[kind],
        ),
        (
            f"{kind}: single, HTTP to promise",
            f"{single['per_s']}/s, p50 {single['p50_ms']} ms, p99 {single['p99_ms']} ms",
            ">= 1000/s, p99 < 100 ms",
            single["per_s"] >= 1_000 and single["p99_ms"] < 100,
        ),
        (
            f"{kind}: one at rest, HTTP to proof",
            f"{rest['worst_s']} s = {rest['block_times']} block times",
            "< 2 block times",
            rest["block_times"] < 2,
        ),
        (
            f"{kind}: verify a bundle",
            f"{found['verify']['median_ms']} ms, p99 {found['verify']['p99_ms']} ms",
            "< 20 ms",
            found["verify"]["median_ms"] < 20,
        ),
        (
            f"{kind}: gas an invoice at " + ", ".join(found["gas"]),
            ", ".join(str(value) for value in found["gas"].values()),
            "< 800 at 1000",
            found["gas"]["1000"] < 800,
        ),
    ]
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chain", choices=["anvil", "ganache"], action="append")
    parser.add_argument("--count", type=int, default=100_000, help="invoices of the bulk run")
    parser.add_argument("--seconds", type=float, default=8.0, help="length of the single run")
    arguments = parser.parse_args()
    result: dict[str, Any] = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
    }
    table = []
    for kind in arguments.chain or ["anvil", "ganache"]:
        result[kind] = measure(kind, arguments.count, arguments.seconds)
        table += rows(kind, result[kind])
    folder = Path("var/bench")
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{result['at'].replace(':', '')}.json"
    file.write_text(json.dumps(result, indent=2))
    width = max(len(row[0]) for row in table)
    print(f"\n{result['machine']}")
    for name, measured, budget, met in table:
        print(f"  {'ok  ' if met else 'MISS'} {name:{width}}  {measured}  (budget {budget})")
    print(f"\n{file}")


if __name__ == "__main__":
    main()
