"""``geomrelu verify``: the claims of the registry, verified."""

from __future__ import annotations

import argparse

from geomrelu.cli.shared import Command, add_time, clock_of, complain, progress_bar

__all__ = ["add"]

VERIFYING = """\
DIR also keeps the evidence: claims whose proof, depth and sources have not changed since are not verified again.
When --time is over, what is not verified is named, and the exit code is 3; what is, is said and kept as always.
Exit code 1 if a claim is refuted or its evidence broken, or one that is false as printed is not refuted exactly."""


def add(command: Command) -> None:
    """The arguments of the command."""
    sub = command("verify", "verify the claims of the registry: derive, enumerate, decide, sample", epilog=VERIFYING)
    sub.add_argument("labels", nargs="*", metavar="LABEL", help="only these claims and what they use (default: all)")
    sub.add_argument("--thorough", action="store_true", help="larger families and more trials")
    sub.add_argument("--format", choices=("text", "json", "markdown", "latex"), default="text")
    sub.add_argument("--report", metavar="DIR", help="write a page (index.html), figures, evidence and certificates")
    sub.add_argument("--workers", type=int, metavar="N", help="processes (default: one for each processor)")
    sub.add_argument("--scheduler", metavar="ADDRESS", help="a Dask scheduler instead (tcp://host:port)")
    add_time(sub, None)
    sub.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Verify, print, report."""
    budget = clock_of(options)
    from geomrelu.claims import registry as claims
    from geomrelu.claims import render, runner
    from geomrelu.claims.outcome import Result

    registry = claims.load(labels=options.labels or None)
    results: list[Result] = []
    asked = claims.ordered(options.labels or None, registry)
    kept = None if options.report is None else runner.Kept(options.report)
    workers = runner.cores() if options.workers is None else options.workers
    depth = "thorough" if options.thorough else "default"
    if kept is not None:
        before = sum(kept.read(claim, depth) is not None for claim in asked)
        if before:
            complain(f"{before} of {len(asked)} claims are verified in {options.report} already")
    with progress_bar("verifying", budget) as (advance, clear):
        try:
            for result in runner.run(
                options.labels or None, depth,
                workers=workers, scheduler=options.scheduler, kept=kept, progress=advance, budget=budget,
            ):  # fmt: skip
                results.append(result)
                if options.format == "text":
                    clear()
                    print(result.as_text(), flush=True)
        except KeyboardInterrupt:
            again = "" if kept is None else f"; the same command goes on from what is in {options.report}"
            raise KeyboardInterrupt(f"{len(results)} of {len(asked)} claims are verified{again}") from None
        finally:  # interrupted or not: what was verified is said
            clear()
            if results or options.format == "json":
                print(render.results_as(options.format, results, registry), flush=True)
            if results and options.report is not None:
                from geomrelu.claims import report

                whole = claims.load()
                page = report.write(options.report, results, whole, complete=len(results) == len(asked))
                complain(f"the page is {page}")
    done = {result.label for result in results}
    left = [claim.label for claim in asked if claim.label not in done]
    if left:
        complain(f"the time was over; not verified: {', '.join(left)}")
    return 1 if any(result.failed for result in results) else 3 if left else 0
