"""The rule set of a namespace: what is in force there, and putting another one into force.

As with the registry, a set is saved as a version first and activated by a control record in every
partition; cut off half-way, running it again finishes it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deploy.registry_store import opened, tell
from streams.alerting.ruleset import RuleSet
from streams.alerting.soundness import rule_mistakes
from streams.catalog import Profile, Registry
from streams.contracts.domain import Domain
from streams.errors import Misconfigured

if TYPE_CHECKING:
    from streams.settings import Settings


@dataclass(frozen=True)
class InForce:
    """What holds in a namespace: registry, house numbers and rule set (`version` "": none)."""

    namespace: str
    registry: Registry
    values: Mapping[str, str]
    version: str
    rules: RuleSet


def in_force(conninfo: str, namespace: str) -> InForce:
    """Reads it. Raises `Misconfigured` when the namespace has no registry, `Unavailable`."""
    from streams.storage.registry import newest

    with opened(conninfo, namespace) as connection:
        registry = newest(connection, "registry")
        if registry is None:
            raise Misconfigured([f"namespace {namespace} has no registry: run `citybrain up` once"])
        profile = newest(connection, "profile")
        rules = newest(connection, "rules")
    return InForce(
        namespace,
        Registry.from_dict(registry[1]),
        Profile.from_dict(profile[1]).values if profile else {},
        rules[0] if rules else "",
        RuleSet.from_dict(rules[1]) if rules else RuleSet(),
    )


def stored_rules(conninfo: str, namespace: str, beginning: str) -> RuleSet:
    """A stored rule set by the beginning of its hash. `Misconfigured`: none, or several."""
    from streams.storage.registry import known_versions, load_version

    with opened(conninfo, namespace) as connection:
        known = known_versions(connection, beginning, "rules")
        if len(known) != 1:
            raise Misconfigured([f"{beginning!r} begins {len(known)} rule sets of {namespace}"])
        return RuleSet.from_dict(load_version(connection, known[0]))


def refuse_unusable(domains: Mapping[str, Domain], held: InForce, rules: RuleSet) -> None:
    """Raises `Misconfigured` when the set cannot hold with the profile and registry in force."""
    mistakes = rule_mistakes(domains, held.values, rules, held.registry)
    if mistakes:
        raise Misconfigured([str(one) for one in mistakes])


def put_into_force(
    settings: Settings, before: InForce, rules: RuleSet, clock_ms: Callable[[], int]
) -> tuple[str, int]:
    """Saves and activates the set where `before` holds; (version, partitions told)."""
    from streams.storage.registry import passed_versions, replace_rules

    with opened(settings.conninfo(), before.namespace) as connection:
        version = replace_rules(connection, before.version, rules)
        passed = passed_versions(connection, "rules") if version == before.version else {}
    count = before.registry.partition_count
    behind = [n for n in range(count) if passed.get(n) != version]
    tell(settings, before.namespace, behind, {"rules": version}, clock_ms())
    return version, len(behind)
