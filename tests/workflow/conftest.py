"""The report of the tiny experiment, in a real browser."""

from __future__ import annotations

import pytest

from tests.workflow.browser import Report, chromium


@pytest.fixture(scope="session")
def browser():
    """Run one browser for all tests."""
    with chromium() as browser:
        yield browser


@pytest.fixture
def report(browser, experiment):
    """Open the report of the finished run."""
    opened = Report(browser, experiment / "results" / "report.html")
    yield opened
    opened.context.close()
