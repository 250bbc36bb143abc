"""The pages that people read, and the shell blocks in them.

A block opened by ```bash stack runs as it stands against what `make up` starts, with its env.sh sourced. One opened by
```bash alone has placeholders, or needs something that is not on this machine.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


@dataclass(frozen=True)
class ShellBlock:
    """A shell block of a page.

    :param line: number of its first line.
    :param marks: the words after its language.
    """

    page: Path
    line: int
    marks: tuple[str, ...]
    script: str

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"


def shell_blocks(page: Path) -> Iterator[ShellBlock]:
    """Return the shell blocks of a page, in order."""
    text = page.read_text()
    for block in re.finditer(r"^( *)```bash(.*)\n((?:.*\n)*?)\1```", text, flags=re.MULTILINE):
        line = text.count("\n", 0, block.start()) + 2
        yield ShellBlock(page, line, tuple(block[2].split()), block[3])
