"""The domains, one folder each, found by scanning: a new domain is a new folder, no more."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from streams.contracts.domain import Domain
from streams.errors import Misconfigured


def find_domains(extra: Iterable[Path] = ()) -> Mapping[str, Domain]:
    """All domains by name: the folders beside this file and the folders inside each `extra` path.

    Raises `Misconfigured` with every mistake: a folder without `DOMAIN`, a name used twice, a
    property that two domains claim, one that a domain reads and none owns.
    """
    mistakes: list[str] = []
    found: dict[str, Domain] = {}
    owners: dict[str, str] = {}
    for name, path in _folders(extra):
        domain = getattr(_load(name, path), "DOMAIN", None)
        if not isinstance(domain, Domain):
            mistakes.append(f"domain folder {path or name} exports no DOMAIN")
            continue
        if domain.name in found:
            mistakes.append(f"two domain folders claim the name {domain.name!r}")
            continue
        for prop in domain.properties:
            owner = owners.setdefault(prop.name, domain.name)
            if owner != domain.name:
                mistakes.append(f"property {prop.name!r} is claimed by {owner} and {domain.name}")
        found[domain.name] = domain
    for domain in found.values():
        missing = sorted(set(domain.reads) - set(owners))
        mistakes += [f"domain {domain.name} reads {name!r}: nobody owns it" for name in missing]
    if mistakes:
        raise Misconfigured(mistakes)
    return dict(sorted(found.items()))


def _folders(extra: Iterable[Path]) -> list[tuple[str, Path | None]]:
    own: list[tuple[str, Path | None]] = [
        (f"{__name__}.{info.name}", None) for info in pkgutil.iter_modules(__path__) if info.ispkg
    ]
    for root in extra:
        own += [
            (f"citybrain_domain_{init.parent.name}", init)
            for init in sorted(root.glob("*/__init__.py"))
        ]
    return own


def _load(name: str, path: Path | None) -> object:
    if path is None:
        return importlib.import_module(name)
    if name in sys.modules and getattr(sys.modules[name], "__file__", None) == str(path):
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(
        name, path, submodule_search_locations=[str(path.parent)]
    )
    if spec is None or spec.loader is None:
        raise Misconfigured([f"domain folder {path.parent} cannot be loaded"])
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
