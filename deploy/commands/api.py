"""`citybrain api`: the HTTP API and the start page as a process."""

from __future__ import annotations

import typer

ADVANCE_S = 1.0  # how often what follows from alerts by itself is looked after
GRACE_S = 3  # open live streams are cut after so long on stop


def register(app: typer.Typer) -> None:
    """Adds the verb."""
    app.command("api")(api)


def api() -> None:
    """Serves the HTTP API under /v1 and the start page under /.

    Settings: CITYBRAIN_API_HOST, CITYBRAIN_API_PORT, CITYBRAIN_NAMESPACE (read when a request
    names none; its accounts and keys hold), CITYBRAIN_API_OPEN and CITYBRAIN_OIDC_…. Listens on
    loopback unless told otherwise.
    """
    from functools import partial

    import uvicorn

    from api.access.settings import AccessSettings
    from api.actions.settings import load_acting_settings
    from api.app import create_app
    from api.delivery.settings import load_deliver_settings
    from api.freshness import FreshnessSettings
    from deploy.var_dir import settings_here
    from streams.domains import find_domains
    from streams.log.opening import open_log

    settings = settings_here()
    uvicorn.run(
        create_app(
            settings.conninfo(),
            settings.namespace,
            find_domains(settings.domain_path),
            keep_events_days=settings.keep_events_days,
            acting=load_acting_settings(),
            advance_s=ADVANCE_S,
            deliver=load_deliver_settings(),
            settings=AccessSettings.load(),
            patience=FreshnessSettings.load(),
            open_log=partial(open_log, settings),
        ),
        host=settings.api_host,
        port=settings.api_port,
        log_level=settings.log_level.lower(),
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
    )
