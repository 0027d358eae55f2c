"""YAML with its lines: every scalar stays the text that was written, every mistake says where.

Nothing is constructed from a file: no tags, no anchors, no numbers that lose a digit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import yaml

LARGEST = 4_000_000  # bytes of a file


@dataclass(slots=True)
class Mistakes:
    """What is wrong, in the order in which it was found: "file:line: what"."""

    lines: list[str] = field(default_factory=list)

    def add(self, file: str, line: int, text: str) -> None:
        self.lines.append(f"{file}:{line}: {text}")


@dataclass(frozen=True, slots=True)
class Node:
    """A place in a file. Asking it for what it is not tells a mistake and gives nothing."""

    file: str
    node: yaml.Node
    mistakes: Mistakes
    key_line: int = 0  # of the key that it is the value of

    @property
    def line(self) -> int:
        """Where a person looks for it: at its key."""
        return self.key_line or self.node.start_mark.line + 1

    def wrong(self, text: str) -> None:
        """A mistake at this place."""
        self.mistakes.add(self.file, self.line, text)

    @property
    def is_list(self) -> bool:
        return isinstance(self.node, yaml.SequenceNode)

    @property
    def is_mapping(self) -> bool:
        return isinstance(self.node, yaml.MappingNode)

    def text(self, what: str) -> str:
        """The scalar as written."""
        if not isinstance(self.node, yaml.ScalarNode) or not self.node.value.strip():
            self.wrong(f"{what}: a text or a number is wanted")
            return ""
        return str(self.node.value).strip()

    def flag(self, what: str) -> bool | None:
        """true or false."""
        text = self.text(what)
        if text not in ("true", "false"):
            self.wrong(f"{what}: true or false is wanted")
            return None
        return text == "true"

    def entries(self, what: str) -> Iterator[tuple[str, Node]]:
        """Keys and values; a key that comes twice is a mistake."""
        if not isinstance(self.node, yaml.MappingNode):
            self.wrong(f"{what}: keys and values are wanted")
            return
        seen: set[str] = set()
        for key_node, value in self.node.value:
            key = Node(self.file, key_node, self.mistakes)
            name = key.text(what)
            if name in seen:
                key.wrong(f"{what}: {name} comes twice")
            elif name:
                seen.add(name)
                yield name, Node(self.file, value, self.mistakes, key.line)

    def fields(self, what: str, known: tuple[str, ...]) -> dict[str, Node]:
        """Those of the known keys that are there; any other is a mistake."""
        found = {}
        for name, value in self.entries(what):
            if name in known:
                found[name] = value
            else:
                value.wrong(f"{what}: {name!r} is not known: {', '.join(known)}")
        return found

    def items(self, what: str) -> list[Node]:
        """The entries of a list; one thing alone is a list of one."""
        if isinstance(self.node, yaml.SequenceNode):
            return [Node(self.file, one, self.mistakes) for one in self.node.value]
        if isinstance(self.node, yaml.ScalarNode):
            return [self]
        self.wrong(f"{what}: a list is wanted")
        return []

    def texts(self, what: str) -> tuple[str, ...]:
        """A list of texts."""
        return tuple(one.text(what) for one in self.items(what))


def read_file(path: Path, mistakes: Mistakes) -> Node | None:
    """The file's one document; None when it is empty or cannot be read."""
    name = str(path)
    try:
        content = path.read_bytes()
        if len(content) > LARGEST:
            mistakes.add(name, 1, f"more than {LARGEST:,} bytes")
            return None
        text = content.decode("utf-8-sig")
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                line = event.start_mark.line + 1 if event.start_mark else 1
                mistakes.add(name, line, "anchors and aliases are not read: write it out")
                return None
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except OSError as error:
        mistakes.add(name, 1, error.strerror or "cannot be read")
    except UnicodeDecodeError:
        mistakes.add(name, 1, "it is not UTF-8")
    except RecursionError:
        mistakes.add(name, 1, "nested too deeply")
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        mistakes.add(name, line, f"no YAML: {error.problem or error.context}")
    except yaml.YAMLError as error:
        mistakes.add(name, 1, f"no YAML: {error}")
    else:
        return None if node is None else Node(name, node, mistakes)
    return None


def files_of(folder: Path, mistakes: Mistakes) -> list[Path]:
    """The YAML files of a folder, in the order of their names."""
    if not folder.is_dir():
        mistakes.add(str(folder), 1, "there is no such folder")
        return []
    return sorted(p for p in folder.iterdir() if p.suffix in (".yaml", ".yml") and p.is_file())
