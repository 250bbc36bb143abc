"""``--long`` and ``--page``: proofs tried at length, and a page with what was tried, how often, and what came of it."""

import platform
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

PROPERTY = "proof"
PAGE = """\
# Proof

What was tried against the jobs, how often, and what came of it. `make prove` tries it at length and writes this
page; `make test` runs the short form of the same.

Written {day}: {form}, {cores}, {system}, Python {python}.

| what was tried | trials | outcome |
|---|---|---|
{rows}

## What the design cannot survive

- **A database that loses what it committed.** The jobs rely on PostgreSQL's durability. With `fsync` off and a power
  cut, or restored from an older backup, months that were billed are billed again, and mail that left may leave again.
- **The schema owner, meaning harm.** The worker cannot break the books; the schema owner can disable a trigger.
  `check-books` finds what was left behind, unless it was made to add up.
- **A mail server that says yes and loses the message.** What a server accepted counts as sent.
- **A kill between handing a message over and recording the answer.** That message is *uncertain*: it is never sent
  again by itself, and a person decides.
- **A clock that is wrong by days.** The date of a run comes from the scheduler.
"""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="try each proof at length, not only in its short form")
    parser.addoption("--page", type=Path, help="write a page with the figures of all proofs")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("page") and not hasattr(config, "workerinput"):
        form = "long form" if config.getoption("long") else "short form"
        config.pluginmanager.register(_Page(config.getoption("page"), form))


@pytest.fixture
def proved(record_property: Callable[[str, object], None]) -> Callable[[str, int, str], None]:
    """Takes down for the page: what was tried, how often, and what came of it."""

    def take_down(tried: str, trials: int, outcome: str) -> None:
        record_property(PROPERTY, [tried, trials, outcome])

    return take_down


@pytest.fixture(scope="session")
def long(pytestconfig: pytest.Config) -> bool:
    """Whether to try at length."""
    return bool(pytestconfig.getoption("long"))


class _Page:
    def __init__(self, file: Path, form: str) -> None:
        self._file = file
        self._form = form
        self._rows: list[tuple[str, int, str]] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "teardown":
            return
        found = [value for name, value in report.user_properties if name == PROPERTY]
        if report.failed:
            self._rows.append((f"`{report.nodeid.rpartition('::')[2]}`", 1, "**failed**"))
        elif report.when == "call":
            self._rows += found  # type: ignore[arg-type]

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        import psutil

        rows = "\n".join(f"| {tried} | {trials:,} | {outcome} |" for tried, trials, outcome in self._rows)
        self._file.write_text(
            PAGE.format(
                form=self._form,
                day=f"{datetime.now(UTC):%Y-%m-%d}",
                cores=f"{psutil.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB of memory",
                system=platform.system(),
                python=platform.python_version(),
                rows=rows,
            ),
            encoding="utf-8",
        )
        terminalreporter.line(f"{self._file} is written.")
