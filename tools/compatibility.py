"""``python -m tools.compatibility``: check requirements and tests with each Python and Airflow that platforms have.

For each pair, in a virtual environment of its own: Airflow alone, as on the day of its release, which is what its
constraints pin and platforms install. Then the requirements on top, of that day; no package of Airflow's may change,
nor would it with the releases of today. Then the tests run there. Needs the network, and minutes for each pair.
"""

import argparse
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Self

CHECKOUT = Path(__file__).resolve().parent.parent
VENVS = CHECKOUT / ".local" / "compatibility"
DAY_AFTER_RELEASE = {"3.3.1": "2026-08-13", "3.3.2": "2026-09-18"}
PAIRS = ("3.11/3.3.1", "3.12/3.3.1", "3.12/3.3.2", "3.13/3.3.1", "3.13/3.3.2")
# The first one that can leave out what was uploaded after a day.
PIP = "pip>=26"
TESTS = ("tests/unit", "tests/integration")


class CompatibilityError(RuntimeError):
    """A combination does not work; the message says which, and why."""


@dataclass(frozen=True)
class Combination:
    """One Python with one Airflow, written ``3.12/3.3.1``."""

    python: str
    airflow: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``3.12/3.3.1``.

        :raises argparse.ArgumentTypeError: if it is no such pair, or an Airflow whose day is not known.
        """
        python, _, airflow = text.partition("/")
        if airflow not in DAY_AFTER_RELEASE:
            known = ", ".join(DAY_AFTER_RELEASE)
            message = f"{text!r} is no PYTHON/AIRFLOW such as 3.12/3.3.1; known of Airflow: {known}"
            raise argparse.ArgumentTypeError(message)
        return cls(python, airflow)

    @property
    def venv(self) -> Path:
        """Where its virtual environment is."""
        return VENVS / f"python{self.python}-airflow{self.airflow}"

    def check(self, tests: list[str]) -> None:
        """Install, compare and test.

        :raises CompatibilityError: at the first thing that does not work.
        """
        self._make_venv()
        as_released = ("--uploaded-prior-to", f"{DAY_AFTER_RELEASE[self.airflow]}T00:00:00Z")
        self._install(*as_released, f"apache-airflow=={self.airflow}")
        alone = self._airflow_packages()
        print(f"  Airflow alone: {_listed(alone)}", flush=True)

        changed = self._would_change(alone, "--requirement", "requirements.txt")
        if changed:
            message = f"today's releases for requirements.txt would change {_listed(changed)}"
            raise CompatibilityError(message)
        self._install(*as_released, "--requirement", "requirements.txt")
        self._expect_unchanged(alone, "requirements.txt")
        with_ours = self._airflow_packages()
        added = {name: version for name, version in with_ours.items() if name not in alone}
        print(f"  requirements.txt changes none of them, today or then, and adds {_listed(added)}", flush=True)

        if tests:
            self._install("--requirement", "requirements-dev.txt")
            self._expect_unchanged(with_ours, "requirements-dev.txt")
            self._run("-m", "pytest", "-q", *tests)

    def _make_venv(self) -> None:
        interpreter = shutil.which(f"python{self.python}")
        if interpreter is None:
            message = f"there is no python{self.python} on the PATH"
            raise CompatibilityError(message)
        shutil.rmtree(self.venv, ignore_errors=True)
        subprocess.run([interpreter, "-m", "venv", self.venv], check=True)
        self._install(PIP)

    def _install(self, *arguments: str) -> None:
        self._run("-m", "pip", "install", "--quiet", *arguments)

    def _airflow_packages(self) -> dict[str, str]:
        listed = json.loads(self._run("-m", "pip", "list", "--format", "json", capture=True))
        return {
            package["name"]: package["version"] for package in listed if package["name"].startswith("apache-airflow")
        }

    def _would_change(self, installed: dict[str, str], *arguments: str) -> dict[str, str]:
        """Return what of ``installed`` an installation would replace, with the new version."""
        report = json.loads(
            self._run("-m", "pip", "install", "--quiet", "--dry-run", "--report", "-", *arguments, capture=True)
        )
        planned = {item["metadata"]["name"]: item["metadata"]["version"] for item in report["install"]}
        return {name: version for name, version in planned.items() if name in installed}

    def _expect_unchanged(self, before: dict[str, str], cause: str) -> None:
        now = self._airflow_packages()
        changed = {name: now.get(name, "none") for name, version in before.items() if now.get(name) != version}
        if changed:
            message = f"{cause} changed {_listed(changed)}"
            raise CompatibilityError(message)

    def _run(self, *arguments: str, capture: bool = False) -> str:
        process = subprocess.run(
            [self.venv / "bin" / "python", *arguments],
            cwd=CHECKOUT,
            stdout=subprocess.PIPE if capture else None,
            text=True,
            check=False,
        )
        if process.returncode != 0:
            message = f"python {' '.join(arguments)} ended with status {process.returncode}"
            raise CompatibilityError(message)
        return process.stdout or ""


def _listed(packages: dict[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in sorted(packages.items())) or "nothing"


def main() -> int:
    """Check the combinations one after the other; return 1 if one of them does not work."""
    parser = argparse.ArgumentParser(prog="python -m tools.compatibility", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "combinations",
        nargs="*",
        type=Combination.parse,
        default=[Combination.parse(pair) for pair in PAIRS],
        metavar="PYTHON/AIRFLOW",
        help=f"default: {' '.join(PAIRS)}",
    )
    parser.add_argument(
        "--tests", nargs="*", default=list(TESTS), help=f"what pytest runs (default: {' '.join(TESTS)})"
    )
    given = parser.parse_args()
    failed = 0
    for combination in given.combinations:
        print(f"\nPython {combination.python}, Airflow {combination.airflow}", flush=True)
        try:
            combination.check(given.tests)
        except CompatibilityError as error:
            print(f"  failed: {error}", file=sys.stderr, flush=True)
            failed += 1
    print(f"\n{len(given.combinations) - failed} work, {failed} do not")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
