"""`citybrain events`: what programs are told, in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from api.queries.database import Database
    from api.reading import Followed

LOOK_S = 0.5


def register(app: typer.Typer) -> None:
    """Adds the group of verbs."""
    group = typer.Typer(no_args_is_help=True, help="What programs are told of alerts.")
    group.command("follow")(follow)
    app.add_typer(group, name="events")


def follow(
    area: Annotated[str | None, typer.Option(help="This area and everything under it.")] = None,
    domain: Annotated[str | None, typer.Option(help="Only this domain.")] = None,
    after: Annotated[
        str | None,
        typer.Option(help="Cursor: of GET /v1/alerts, of an event, or of an interrupted call."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    namespace: Annotated[
        str | None, typer.Option(help="Default: CITYBRAIN_NAMESPACE, or citybrain.")
    ] = None,
) -> None:
    """Prints every transition of every alert as it becomes visible, each once, in one order.

    Without --after it begins with now. Ctrl-C tells the cursor to go on from (exit code 130); a
    cursor that is too old ends with 2, a database that does not answer with 3.
    """
    import asyncio
    import sys

    from deploy.interruption import until_interrupted
    from deploy.var_dir import settings_here

    settings = settings_here()
    follower = _Follower(namespace or settings.namespace, area, domain, after, as_json)
    try:
        asyncio.run(until_interrupted(follower.run(settings.conninfo())))
    except BrokenPipeError:  # whoever read has seen enough
        sys.stdout = None
    finally:
        if follower.after is not None:
            print(f"go on with: --after {follower.after}", file=sys.stderr)


class _Follower:
    """What was asked for, and how far it has come."""

    def __init__(
        self,
        namespace: str,
        area: str | None,
        domain: str | None,
        after: str | None,
        as_json: bool,
    ) -> None:
        self._namespace = namespace
        self._area, self._domain, self._as_json = area, domain, as_json
        self.after = after

    async def run(self, conninfo: str) -> None:
        """For ever."""
        import asyncio

        from api.reading import opened

        async with opened(conninfo) as database:
            while True:
                found = await self._look(database)
                for event in found.events:
                    print(_line(event, self._as_json), flush=True)
                    self.after = event["cursor"]
                self.after = found.after
                if not found.more:
                    await asyncio.sleep(LOOK_S)

    async def _look(self, database: Database) -> Followed:
        from api.reading import events_after, viewing

        async with viewing(database, self._namespace) as view:
            return await events_after(view, self.after, self._area, self._domain)


def _line(event: dict[str, Any], as_json: bool) -> str:
    from api.colour import colour
    from api.moment import from_ms, iso

    if as_json:
        import orjson

        return orjson.dumps(event).decode()
    alert = event["alert"]
    value = f"{alert['value'] or '–'} / {alert['threshold'] or '–'} {alert['unit']}"
    marks = [] if event["status"] == "Actual" else [event["status"]]
    marks += [name for name in ("stale", "unverified") if alert[name]]
    when, place = iso(from_ms(alert["event_ms"])), f"{alert['area']} {alert['subject']}"
    told = f"{when}  {colour(alert['severity']).zh}  {alert['change']:13} {place}  {value}"
    return "  ".join([told, *marks])
