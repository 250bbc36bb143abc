"""The version stands in one place."""

import re
from pathlib import Path

import pytest

import hoa_ops
from hoa_ops.cli.main import main
from tools import package

CHANGELOG = Path(__file__).resolve().parents[3] / "CHANGELOG.md"


def test_version_of_the_packages_is_what_the_command_line_says(capsys):
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"HOA Ops {package.version()}\n"


def test_changelog_has_the_version_or_what_is_not_released_yet():
    newest = re.search(r"^## \[(.+?)\]", CHANGELOG.read_text(), re.MULTILINE)[1]
    assert newest == ("Unreleased" if ".dev" in hoa_ops.__version__ else hoa_ops.__version__)
