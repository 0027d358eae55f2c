"""Brings the dashboards into one folder of a Grafana: what is there already stays as it is.

Only dashboards of our uids in our folder are ever written. One of such a uid in another folder, or
one that a file provisions, is somebody else's decision and left alone. The dashboard of a domain
that is gone is named, and removed only when asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from dashboards.grafana.model import TAG, uid_of
from dashboards.grafana.remote import Conflict, Held, Remote
from streams.errors import Misconfigured, Unavailable

FOLDER_TITLE = "城市大脑 · citybrain"
OF_GRAFANA = ("id", "version")  # numbers that it gives itself
MESSAGE = "citybrain dashboards push"


class What(StrEnum):
    """What a push would do, or did, with one thing."""

    MAKE_FOLDER = "make folder"
    MAKE = "make"
    CHANGE = "change"
    SAME = "same"
    GONE = "left, its domain is gone:"
    REMOVE = "remove"


UNCHANGED = (What.SAME, What.GONE)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing of a push; `parts` say what is different."""

    what: What
    uid: str
    title: str
    parts: tuple[str, ...] = ()
    held: Held | None = None


def plan(
    remote: Remote,
    models: Sequence[Mapping[str, Any]],
    folder: str,
    datasource: str,
    namespace: str = TAG,
    *,
    prune: bool = False,
) -> tuple[list[Step], list[str]]:
    """What is to be done, and what could not be looked at; `prune`: dashboards of domains that are
    gone are to be removed. `Misconfigured`: Grafana is too old, the data source is missing, or a
    uid of ours is in use elsewhere."""
    told, mistakes = [], []
    if remote.check_version() is None:
        told.append("Grafana does not tell its version: not checked")
    match remote.has_datasource(datasource):
        case None:
            told.append(f"the token may not see data sources: {datasource} was not looked for")
        case False:
            mistakes.append(
                f"there is no data source {datasource} in Grafana: make a PostgreSQL one with this "
                "uid (`citybrain dashboards build` writes its provisioning file), or name another "
                "by CITYBRAIN_GRAFANA_DATASOURCE"
            )
    steps = []
    is_there = remote.has_folder(folder)
    if not is_there:
        steps.append(Step(What.MAKE_FOLDER, folder, FOLDER_TITLE))
    for model in models:
        held = remote.find(model["uid"])
        if held is not None and held.provisioned:
            mistakes.append(f"{model['uid']} comes from a provisioned file: change it there")
        elif held is not None and held.folder != folder:
            mistakes.append(
                f"{model['uid']} is in folder {held.folder or 'General'}, not in {folder}: it is "
                "left alone; move it, or set CITYBRAIN_GRAFANA_FOLDER"
            )
        else:
            steps.append(_step(model, held))
    if mistakes:
        raise Misconfigured(mistakes)
    if is_there:
        kept = {model["uid"] for model in models}
        steps += _gone(remote, kept, folder, namespace, What.REMOVE if prune else What.GONE)
    return steps, told


def carry_out(
    remote: Remote, steps: Iterable[Step], models: Iterable[Mapping[str, Any]], folder: str
) -> None:
    """Does what was planned. `Unavailable`: somebody saved one meanwhile; nothing of theirs is
    lost, and what was done before stays."""
    by_uid = {model["uid"]: model for model in models}
    for step in steps:
        match step.what:
            case What.MAKE_FOLDER:
                remote.make_folder(step.uid, step.title)
            case What.MAKE | What.CHANGE:
                _save(remote, by_uid[step.uid], step, folder)
            case What.REMOVE:
                _remove(remote, step, folder)
            case What.SAME | What.GONE:
                pass


def differences(ours: object, theirs: object, where: str = "") -> list[str]:
    """Where theirs does not hold what ours says; what theirs says beyond is not looked at."""
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        found = []
        for key, value in ours.items():
            place = f"{where}/{key}"
            found += differences(value, theirs[key], place) if key in theirs else [place]
        return found
    if isinstance(ours, list) and isinstance(theirs, list):
        if len(ours) != len(theirs):
            return [f"{where}: {len(theirs)} are there, {len(ours)} are ours"]
        pairs = enumerate(zip(ours, theirs, strict=True))
        return [d for i, (a, b) in pairs for d in differences(a, b, f"{where}/{i}")]
    return [] if ours == theirs else [where or "/"]


def _gone(
    remote: Remote, kept: set[str], folder: str, namespace: str, what: What
) -> Iterator[Step]:
    """Dashboards of domains of this namespace that are none of ours any more."""
    beginning = uid_of(namespace, "domain-")
    for uid in remote.uids(folder, TAG):
        if uid.startswith(beginning) and uid not in kept:
            held = remote.find(uid)
            if held is not None and held.folder == folder and not held.provisioned:
                yield Step(what, uid, str(held.model.get("title", "")), held=held)


def _remove(remote: Remote, step: Step, folder: str) -> None:
    held = remote.find(step.uid)
    if held is None:
        return
    seen = step.held.version if step.held is not None else None
    if held.folder != folder or held.version != seen:
        raise Unavailable(
            f"somebody saved or moved {step.uid} meanwhile; it was not removed: look at it, then "
            "push again"
        )
    remote.remove(step.uid)


def _step(model: Mapping[str, Any], held: Held | None) -> Step:
    if held is None:
        return Step(What.MAKE, model["uid"], model["title"])
    parts = tuple(differences(_ours(model), held.model))
    what = What.CHANGE if parts else What.SAME
    return Step(what, model["uid"], model["title"], parts, held)


def _save(remote: Remote, model: Mapping[str, Any], step: Step, folder: str) -> None:
    version = {"version": step.held.version} if step.held is not None else {}
    try:
        remote.save({**_ours(model), "id": None, **version}, folder, MESSAGE)
    except Conflict as conflict:
        held = remote.find(step.uid)  # an earlier try of ours may have got through
        if held is None or differences(_ours(model), held.model):
            raise Unavailable(
                f"somebody saved {step.uid} meanwhile; nothing was overwritten: look at it, then "
                "push again"
            ) from conflict


def _ours(model: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in model.items() if key not in OF_GRAFANA}
