"""A live namespace that knows its areas, and `citybrain registry` in it."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from deploy import cli
from streams.catalog import Registry
from streams.contracts.codec import decode
from streams.contracts.frame import Control
from streams.log.postgres import PostgresLog
from streams.storage.connect import connect
from streams.storage.registry import newest

HEAD = "id,type,area,name,lon,lat,crs,sensor,gateway,properties,attr.gauge,id.bureau"
ROWS = (
    "fp-1,flood_point,330106,桥下,120.13,30.26,wgs84,fp-1-d,gw-1,depth,rg-1,HZ-7\n"
    "rg-1,rain_gauge,330106,雨量站,120.131,30.261,wgs84,rg-1-r,gw-1,rain,,\n"
    "fp-2,flood_point,330104,下沙,120.47,30.29,wgs84,fp-2-d,gw-2,depth,,\n"
)


@dataclass(frozen=True)
class City:
    """A live namespace that knows its areas, and the command in it."""

    conninfo: str
    namespace: str
    folder: Path
    capsys: pytest.CaptureFixture[str]

    def run(self, *arguments: object) -> tuple[int, str]:
        """Exit code and everything told."""
        code = cli.run(["registry", *map(str, arguments)])
        told = self.capsys.readouterr()
        return code, told.out + told.err

    def json(self, *arguments: object) -> tuple[int, Any]:
        """Exit code and the answer of `--json`."""
        code = cli.run(["registry", *map(str, arguments), "--json"])
        return code, json.loads(self.capsys.readouterr().out)

    def file(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def points(self, rows: str = ROWS, name: str = "points.csv") -> Path:
        return self.file(name, f"{HEAD}\n{rows}")

    def registry(self) -> Registry:
        with connect(self.conninfo, self.namespace) as connection:
            found = newest(connection, "registry")
        assert found is not None
        return Registry.from_dict(found[1])

    def activations(self) -> list[list[str]]:
        """Registry versions in the log, by partition."""
        log = PostgresLog(self.conninfo, self.namespace)
        records = [[decode(r) for r in log.read(n, 0)] for n in range(log.partitions())]
        log.close()
        return [
            [e.version for e in events if isinstance(e, Control) and e.kind == "registry"]
            for events in records
        ]


def read_rejects(path: Path) -> list[dict[str, str]]:
    """The rows that were not taken, as they were written aside."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))
