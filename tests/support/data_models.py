"""The Smart Data Models' JSON Schemas, checked without a network: references lead to the files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from tests.support.shared_data import shared_data

BASE = "https://smart-data-models.github.io/"
FILES: Mapping[str, str] = {
    BASE + "data-models/common-schema.json": "common-schema.json",
    BASE + "dataModel.Weather/weather-schema.json": "weather-schema.json",
    BASE + "dataModel.Alert/alert-schema.json": "alert-schema.json",
    BASE + "dataModel.Environment/Environment-schema.json": "Environment-schema.json",
    "https://raw.githubusercontent.com/smart-data-models/dataModel.Environment/master/"
    "Environment-schema.json": "Environment-schema.json",
}


@cache
def validator(model: str) -> Draft202012Validator:
    """Checks key-values of the model; skips the test when the schemas are not on this machine."""
    folder = shared_data("smart-data-models")

    def read(name: str) -> Any:
        return json.loads((folder / name).read_text(encoding="utf-8"))

    registry: Registry[Any] = Registry().with_resources(
        (uri, Resource.from_contents(read(name))) for uri, name in FILES.items()
    )
    return Draft202012Validator(read(f"{model}/schema.json"), registry=registry)


def mistakes(entity: Mapping[str, Any]) -> list[str]:
    """What the schema of the entity's type has against it."""
    return [
        f"{'/'.join(map(str, error.path))}: {error.message}"
        for error in validator(entity["type"]).iter_errors(entity)
    ]
