"""`citybrain simulate`: plays a scenario over a simulated Zhejiang into a namespace of its own."""

from __future__ import annotations

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Adds the verb."""

    @app.command()
    def simulate(
        scenario: Annotated[
            str, typer.Argument(help="typhoon, ordinary, smog, heat-wave or cold-wave.")
        ],
        namespace: Annotated[str, typer.Option(help="Schema to play into.")] = "play",
        seed: Annotated[int, typer.Option(help="Same seed, same bytes.", min=0)] = 7,
        points: Annotated[
            int, typer.Option(help="Flood points; 20 fill one county, 1800 all.", min=1, max=20_000)
        ] = 1_800,
        speed: Annotated[str, typer.Option(help="Times real time, or max.")] = "60",
        hours: Annotated[
            float | None, typer.Option(help="Simulated hours (else: until stopped; max: 24).")
        ] = None,
        fault: Annotated[
            list[str] | None,
            typer.Option(
                help="KIND[:ARG], may be repeated: stuck, spiking, dead, skewed-clock, "
                "gateway-down, late, duplicates, out-of-order, drift, unit-change; see "
                "docs/simulation.md."
            ),
        ] = None,
        start: Annotated[
            str | None, typer.Option(help="First moment, ISO 8601 (Asia/Shanghai).")
        ] = None,
        ahead: Annotated[
            int, typer.Option(help="Records that may wait for the worker; 0: any number.", min=0)
        ] = 2_000,
        fresh: Annotated[
            bool, typer.Option("--fresh", help="Drop what the namespace holds.")
        ] = False,
        dry_run: Annotated[
            bool, typer.Option("--dry-run", help="Compute and encode, write nothing.")
        ] = False,
    ) -> None:
        """Play a scenario; started again, it goes on where the log ends."""
        from deploy.city.simulation import Options, simulate_city

        simulate_city(
            Options.parse(
                scenario,
                namespace=namespace,
                seed=seed,
                points=points,
                speed=speed,
                hours=hours,
                faults=tuple(fault or ()),
                start=start,
                ahead=ahead,
                fresh=fresh,
                dry_run=dry_run,
            )
        )
