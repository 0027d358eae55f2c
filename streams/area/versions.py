"""What holds together at one place in the log: registry, profile and rule set, each a version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from streams.alerting.ruleset import RuleSet
from streams.alerting.soundness import rule_mistakes
from streams.area.view import profile_mistakes
from streams.catalog import Profile, Registry, registry_of
from streams.contracts.domain import Domain
from streams.errors import Misconfigured


@dataclass(frozen=True, slots=True)
class Versions:
    """See the module. `rules` None: the domains' own rules hold as they are."""

    registry: Registry | None = None
    profile: Profile = field(default_factory=lambda: Profile("default"))
    rules: RuleSet | None = None

    def with_content(self, kind: str, version: str, content: Mapping[str, Any]) -> Versions:
        """These, with another version of this kind. `Misconfigured` for a content of another."""
        try:
            match kind:
                case "registry":
                    return replace(self, registry=registry_of(version, content))
                case "profile":
                    return replace(self, profile=Profile.from_dict(content))
                case _:
                    return replace(self, rules=RuleSet.from_dict(content))
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise Misconfigured([f"it is no {kind}: {error}"]) from error

    def mistakes(self, domains: Mapping[str, Domain], changed: str) -> list[str]:
        """Why they cannot hold together, now that the version of this kind has changed."""
        found = profile_mistakes(domains, self.profile) if changed == "profile" else []
        if self.rules is not None and not found:
            values = self.profile.values
            found += map(str, rule_mistakes(domains, values, self.rules, self.registry))
        return found
