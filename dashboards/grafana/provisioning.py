"""Files that a new Grafana reads at its start: our data source, where our dashboards lie. Pure.

Passwords stay in the environment: Grafana fills `$NAME` in when it reads the files.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import yaml

from dashboards.grafana.assemble import DATASOURCE_TYPE
from dashboards.grafana.push import FOLDER_TITLE
from dashboards.grafana.settings import GrafanaSettings
from streams.storage.reader import ROLE

DASHBOARDS = "/etc/citybrain/dashboards"
HOST = "$READER_POSTGRES"  # host:port
DATABASE = "$READER_DATABASE"
SSLMODE = "$READER_SSLMODE"
PASSWORD = "$CITYBRAIN_READER_PASSWORD"  # noqa: S105 (a name)
CONNECTIONS = 8


def files(settings: GrafanaSettings) -> dict[str, str]:
    """Text by path below Grafana's folder `provisioning`. Alerting and contacts are left alone."""
    source = {
        "name": "citybrain",
        "uid": settings.datasource,
        "type": DATASOURCE_TYPE,
        "access": "proxy",
        "url": HOST,
        "user": ROLE,
        "editable": False,
        "jsonData": {
            "database": DATABASE,
            "sslmode": SSLMODE,
            "postgresVersion": 1700,
            "timescaledb": False,
            "maxOpenConns": CONNECTIONS,
            "maxIdleConns": CONNECTIONS,
            "connMaxLifetime": 3600,
        },
        "secureJsonData": {"password": PASSWORD},
    }
    provider = {
        "name": "citybrain",
        "orgId": 1,
        "type": "file",
        "folder": FOLDER_TITLE,
        "folderUid": settings.folder,
        "disableDeletion": False,
        "allowUiUpdates": False,
        "updateIntervalSeconds": 60,
        "options": {"path": DASHBOARDS},
    }
    return {
        "datasources/citybrain.yaml": _yaml({"apiVersion": 1, "datasources": [source]}),
        "dashboards/citybrain.yaml": _yaml({"apiVersion": 1, "providers": [provider]}),
    }


def borders(shapes: Mapping[str, Mapping[str, Any]]) -> str:
    """The ground of the maps: the areas' borders as GeoJSON, by code."""
    features = [
        {"type": "Feature", "id": code, "properties": {"code": code}, "geometry": shapes[code]}
        for code in sorted(shapes)
    ]
    whole = {"type": "FeatureCollection", "features": features}
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":")) + "\n"


def _yaml(content: Mapping[str, Any]) -> str:
    return yaml.safe_dump(content, allow_unicode=True, sort_keys=False)
