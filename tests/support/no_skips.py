"""``--no-skips``: a run that skipped a test has not tested everything, so it fails and names what was skipped."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--no-skips", action="store_true", help="fail the run if any test was skipped")


def pytest_configure(config: pytest.Config) -> None:
    # With several processes, the one that prints the summary hears of every test.
    if config.getoption("no_skips") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_NoSkips())


class _NoSkips:
    def __init__(self) -> None:
        self.skipped: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        # An expected failure is reported as skipped, too.
        if report.skipped and not hasattr(report, "wasxfail"):
            self.skipped.append(report.nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.skipped:
            self.skipped.append(report.nodeid)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.skipped and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.skipped:
            terminalreporter.section("skipped, which --no-skips does not allow", red=True)
            for nodeid in self.skipped:
                terminalreporter.line(nodeid)
            terminalreporter.line("`make system-packages` installs the programs that tests need.")
