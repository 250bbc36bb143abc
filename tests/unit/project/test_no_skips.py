"""A skipped test must not pass for a passed one where everything is to be tested."""

from pathlib import Path

import pytest

pytest_plugins = "pytester"

CHECKOUT = Path(__file__).resolve().parents[3]
TESTS = """
import pytest

def test_passes(): pass

@pytest.mark.xfail
def test_fails_as_expected(): assert False

@pytest.mark.skipif({condition}, reason="needs a program")
def test_needs_a_program(): pass
"""
SKIPPED_AS_A_WHOLE = """
import pytest

pytest.skip("needs a program", allow_module_level=True)
"""


@pytest.fixture
def run(pytester, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(CHECKOUT))
    return lambda *options: pytester.runpytest("-p", "tests.support.no_skips", *options)


@pytest.mark.parametrize(
    ("condition", "options", "status"),
    [
        (True, ["--no-skips"], pytest.ExitCode.TESTS_FAILED),
        (True, ["--no-skips", "--numprocesses", "1"], pytest.ExitCode.TESTS_FAILED),
        (True, [], pytest.ExitCode.OK),
        (False, ["--no-skips"], pytest.ExitCode.OK),
    ],
)
def test_run_that_skipped_a_test_fails_where_skips_are_not_allowed(pytester, run, condition, options, status):
    pytester.makepyfile(TESTS.format(condition=condition))
    ended = run(*options)
    assert ended.ret == status
    assert ("test_needs_a_program" in ended.stdout.str()) == (status != pytest.ExitCode.OK)


def test_module_that_is_skipped_as_a_whole_counts(pytester, run):
    pytester.makepyfile(TESTS.format(condition=False), test_skipped=SKIPPED_AS_A_WHOLE)
    ended = run("--no-skips")
    assert ended.ret == pytest.ExitCode.TESTS_FAILED
    assert "test_skipped.py" in ended.stdout.str()
