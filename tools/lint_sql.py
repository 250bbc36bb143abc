"""``python -m tools.lint_sql``: checks all SQL with sqlfluff, by the rules in ``pyproject.toml``.

sqlfluff reads Jinja's includes or psycopg's placeholders, never both in one file, and it cannot parse a fragment, which
is only a piece of a query. So it checks a copy of the files in which every placeholder is a literal of the same
length and every fragment is a query of its own. Lines and columns stay those of the real files.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

CHECKOUT = Path(__file__).resolve().parent.parent
QUERIES = Path("include/sql")
FOLDERS = (QUERIES, Path("devstack/demo_data"), Path("docs/adopting"))
INCLUDED = Path("included")
"""Where the copy has the files as other files include them; ``pyproject.toml`` names it as the search path."""

_PLACEHOLDER = re.compile(r"%\((\w+)\)s")
_BRACED_NAME = re.compile(r"(?<!\{)\{(\w+)\}(?!\})")
FROZEN = {"0001_associations.sql", "0002_operations.sql"}
"""Left out: migrations that were released before there was this check, and are never changed."""

_CTE = re.compile(r"^(\w+)(?: \([\w, ]+\))? AS (?:MATERIALIZED )?\($", re.MULTILINE)


def with_literals(sql: str) -> str:
    """Return a query with a literal or a name in place of whatever is filled in later, each as long as that."""
    return _BRACED_NAME.sub(r"_\1_", _PLACEHOLDER.sub(r"'(\1)'", sql).replace("%%", "||"))


def as_query(sql: str) -> str:
    """Return a fragment as a query that uses all of its CTEs; any other file as it is."""
    if not sql.startswith("{#-"):
        return sql
    comment, ctes = sql.split("-#}", 1)
    uses = ", ".join(_CTE.findall(ctes))
    return f"{comment} #}}\nWITH {ctes.strip()}\nSELECT *\n  FROM {uses}\n"


def copy(target: Path) -> None:
    """Write what sqlfluff is to check, and its configuration, into a folder."""
    shutil.copy(CHECKOUT / "pyproject.toml", target)
    for folder in FOLDERS:
        for path in sorted((CHECKOUT / folder).rglob("*.sql")):
            if path.name in FROZEN:
                continue
            sql = path.read_text(encoding="utf-8")
            if folder == QUERIES:
                sql = with_literals(sql)
                _write(target / INCLUDED / path.relative_to(CHECKOUT / QUERIES), sql)
            _write(target / path.relative_to(CHECKOUT), as_query(sql))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def main() -> int:
    """Check all SQL; return sqlfluff's exit status."""
    with TemporaryDirectory() as name:
        copy(Path(name))
        command = [sys.executable, "-m", "sqlfluff", "lint", "--disable-progress-bar", "--processes", "2"]
        # With two processes, Python complains at the end that one of them left a semaphore behind.
        environment = os.environ | {"PYTHONWARNINGS": "ignore"}
        return subprocess.run([*command, *map(str, FOLDERS)], cwd=name, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
