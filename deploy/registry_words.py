"""What an import, a check or a comparison found: in the terminal, as JSON, as a report file."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sensors.registry.assemble import Draft
from sensors.registry.check import ADVICE as FINDING_ADVICE
from sensors.registry.check import Finding
from sensors.registry.line import ADVICE, Note, Refused
from sensors.registry.merge import Change, How
from streams.errors import Misconfigured

REJECT_COLUMNS = ("file", "row", "column", "reason", "detail", "what_to_do", "content")
SHOWN = 20
SIGNS = {How.ADDED: "+", How.REMOVED: "-", How.CHANGED: "~"}


def draft_lines(draft: Draft, all_refused: bool) -> Iterator[str]:
    """The account of what was read: rows = taken + refused, with reasons."""
    yield f"rows     {draft.rows:>9,}" + (f"  ({draft.blank:,} blank ones)" if draft.blank else "")
    yield f"taken    {draft.taken:>9,}"
    yield f"refused  {len(draft.refused):>9,}"
    for fault, count in Counter(r.fault for r in draft.refused).most_common():
        yield f"  {fault.value:<22}{count:>7,}  {ADVICE[fault]}"
    shown = draft.refused if all_refused else draft.refused[:SHOWN]
    yield from (f"  {refused_text(r)}" for r in shown)
    if len(shown) < len(draft.refused):
        yield f"  … and {len(draft.refused) - len(shown):,} more"
    yield from _remark_lines(draft)


def _remark_lines(draft: Draft) -> Iterator[str]:
    counts = Counter(r.note for r in draft.remarks)
    if counts:
        yield "taken, with a remark"
    for note in Note:
        if counts[note]:
            yield f"  {note.value:<22}{counts[note]:>7,}"
            details = Counter(r.detail for r in draft.remarks if r.note is note)
            for detail, count in details.most_common(SHOWN):
                examples = [
                    r.subject for r in draft.remarks if r.note is note if r.detail == detail
                ]
                more = " …" if count > 3 else ""
                yield f"    {count:>7,}  {detail}: {', '.join(examples[:3])}{more}"
            if len(details) > SHOWN:
                yield f"    … and {len(details) - SHOWN:,} more kinds"


def refused_text(refused: Refused) -> str:
    """File, row, column, reason, and what to do, in one line."""
    where = f"{refused.file}: row {refused.row}" + (
        f", column {refused.column}" if refused.column else ""
    )
    return f"{where}: {refused.fault.value}: {refused.detail} — {refused.advice}"


def change_lines(changes: Sequence[Change], everything: bool = False) -> Iterator[str]:
    """Counts by kind, then the differences one by one."""
    if not changes:
        yield "nothing changes"
        return
    for kind in ("area", "point", "sensor", "gateway"):
        counts = Counter(c.how for c in changes if c.kind == kind)
        if counts:
            told = ", ".join(f"{counts[how]:,} {how.value}" for how in How if counts[how])
            yield f"{kind + 's':<9}{told}"
    shown = changes if everything else changes[:SHOWN]
    yield from (f"  {change_text(change)}" for change in shown)
    if len(shown) < len(changes):
        yield f"  … and {len(changes) - len(shown):,} more (all of them: --json)"


def change_text(change: Change) -> str:
    """`~ point fp-1: name 'a' → 'b'`."""
    fields = ", ".join(f"{n} {old!r} → {new!r}" for n, (old, new) in change.fields.items())
    return f"{SIGNS[change.how]} {change.kind} {change.id}" + (f": {fields}" if fields else "")


def finding_lines(findings: Sequence[Finding], everything: bool = False) -> Iterator[str]:
    """Findings by kind with what to do."""
    for kind, count in sorted(Counter(f.kind for f in findings).items()):
        yield f"{kind.value:<20}{count:>7,}  {FINDING_ADVICE[kind]}"
        of_kind = [f for f in findings if f.kind is kind]
        shown = of_kind if everything else of_kind[:SHOWN]
        yield from (f"  {f.subject}: {f.detail}" for f in shown)
        if len(shown) < count:
            yield f"  … and {count - len(shown):,} more (all of them: --json)"


def draft_json(draft: Draft) -> dict[str, Any]:
    """The account for programs, with every refused row and every remark."""
    return {
        "rows": draft.rows,
        "blank": draft.blank,
        "taken": draft.taken,
        "refused": len(draft.refused),
        "refused_by_reason": _counts(r.fault.value for r in draft.refused),
        "refusals": [_refused_json(r) for r in draft.refused],
        "remarks_by_kind": _counts(r.note.value for r in draft.remarks),
        "areas_mapped": _counts(r.detail for r in draft.remarks if r.note is Note.AREA_MAPPED),
        "remarks": [
            {
                "file": r.file,
                "row": r.row,
                "kind": r.note.value,
                "id": r.subject,
                "detail": r.detail,
            }
            for r in draft.remarks
        ],
    }


def changes_json(changes: Iterable[Change]) -> list[dict[str, Any]]:
    """Every difference."""
    return [
        {
            "kind": c.kind,
            "id": c.id,
            "how": c.how.value,
            "fields": {name: list(pair) for name, pair in c.fields.items()},
        }
        for c in changes
    ]


def findings_json(findings: Iterable[Finding]) -> list[dict[str, str]]:
    """Every finding."""
    return [
        {"kind": f.kind.value, "id": f.subject, "detail": f.detail, "what_to_do": f.advice}
        for f in findings
    ]


def write_rejects(path: Path, refused: Iterable[Refused]) -> None:
    """The refused rows as CSV, with their content; UTF-8 with a mark, so that Excel reads it."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(REJECT_COLUMNS)
    for r in refused:
        content = json.dumps(dict(r.content), ensure_ascii=False)
        writer.writerow((r.file, r.row, r.column, r.fault.value, r.detail, r.advice, content))
    write_file(path, out.getvalue().encode("utf-8-sig"))


def write_file(path: Path, content: bytes) -> None:
    """Writes it, or raises `Misconfigured` with why that is not possible."""
    try:
        path.write_bytes(content)
    except OSError as error:
        raise Misconfigured([f"{path} cannot be written: {error.strerror}"]) from error


def _refused_json(refused: Refused) -> dict[str, Any]:
    return {
        "file": refused.file,
        "row": refused.row,
        "column": refused.column,
        "reason": refused.fault.value,
        "detail": refused.detail,
        "what_to_do": refused.advice,
    }


def _counts(texts: Iterable[str]) -> Mapping[str, int]:
    return dict(Counter(texts).most_common())
