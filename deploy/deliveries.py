"""How delivery stands in every namespace, for `citybrain status` and `doctor`. Reads only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from api.delivery.settings import load_deliver_settings
from api.delivery.standing import Standing, look
from deploy.finding import Finding, Verdict
from deploy.plan import LIVE_NAMESPACE
from streams.settings import Settings
from streams.storage.connect import connect, translated
from streams.storage.migrate import namespace_log

PATIENCE_S = 60.0  # a delivery that waits longer is worth a look


def standings(settings: Settings, namespaces: Iterable[str]) -> tuple[Standing, ...]:
    """The live namespace, and those in which somebody delivers or wants to be told.

    Raises `Unavailable`, or `Misconfigured` when the deliverer's settings are wrong.
    """
    own, found = load_deliver_settings(), []
    for namespace in namespaces:
        with translated(), connect(settings.conninfo(), namespace, "citybrain status") as open_one:
            standing = look(open_one, namespace, own, namespace_log(open_one))
        if standing is not None and (_is_live(standing) or _is_used(standing)):
            found.append(standing)
    return tuple(found)


def is_whole(found: Iterable[Standing]) -> bool:
    """Whether somebody delivers where `citybrain up` sees to it that somebody does."""
    return not any(_is_live(each) and each.is_missing for each in found)


def findings(found: Iterable[Standing]) -> Iterator[Finding]:
    """What the doctor says. Dead letters and late deliveries are for people to look at, and no
    fault of this installation."""
    for each in found:
        name = f"delivery of {each.namespace}"
        broken = _is_live(each) and each.is_missing
        fine = each.leader is not None and not each.dead and not _is_late(each)
        verdict = Verdict.BROKEN if broken else Verdict.FINE if fine else Verdict.OFF
        yield Finding(name, verdict, f"{leader(each)}; {counts(each)}")
        for why in each.off:
            yield Finding("channel", Verdict.OFF, why)


def leader(each: Standing) -> str:
    """Who delivers."""
    if each.leader is None or each.since is None:
        return f"nobody delivers: `citybrain deliver --namespace {each.namespace}`"
    return f"{each.leader} delivers since {each.since.isoformat(' ', 'seconds')}"


def counts(each: Standing) -> str:
    """How much waits and died, and who waits longest."""
    paused = f" ({each.paused} paused)" if each.paused else ""
    told = [f"{each.subscriptions} subscriptions{paused}", f"{each.waiting} deliveries wait"]
    if each.longest_s is not None:
        told.append(f"the oldest for {each.longest_s:.0f} s: {each.longest_of}")
    told.append(f"{each.behind} events not handed over")
    if each.acting_behind is not None:
        told.append(f"{each.acting_behind} not heeded for closures and call-outs")
    if each.dead:
        told.append(f"{each.dead} dead letters: `citybrain delivery list ID`")
    return ", ".join(told)


def _is_live(each: Standing) -> bool:
    return each.namespace == LIVE_NAMESPACE


def _is_used(each: Standing) -> bool:
    return each.leader is not None or each.subscriptions > 0


def _is_late(each: Standing) -> bool:
    return each.longest_s is not None and each.longest_s > PATIENCE_S
