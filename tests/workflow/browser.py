"""A real browser for the tests of the report; they skip with a reason where there is none."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# No sandbox: continuous integration runs as root. The others keep the browser itself off the net.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextmanager
def chromium() -> Iterator[Any]:
    """Start a headless Chromium; skip the test where none is installed."""
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip("no Chromium is installed (Debian: apt-get install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


class Report:
    """A page in which reports are opened, and what went wrong or out to the net meanwhile."""

    def __init__(self, browser: Any):
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.untouched = False  # whether all stands as a report opens
        self.page = browser.new_context().new_page()
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))

    def load(self, path: Path, *, width: int = 1280, color_scheme: Any = "light") -> None:
        """Open a report; nothing is left of what was open before."""
        self.page.emulate_media(media="null", color_scheme=color_scheme)
        self.page.set_viewport_size({"width": width, "height": 900})
        self.page.goto("about:blank")
        self.complaints.clear()
        self.requests.clear()
        self.untouched = False
        self.page.goto(path.as_uri())
        self.page.wait_for_function("() => document.documentElement.dataset.ready === 'yes'")

    def status(self) -> str:
        """Return the line that counts what passes the filters."""
        return self.page.inner_text("#status")

    def download(self, button: str) -> tuple[str, bytes]:
        """Click a button and return the name and content of the file that comes down."""
        with self.page.expect_download() as waiting:
            self.page.click(button)
        return waiting.value.suggested_filename, Path(waiting.value.path()).read_bytes()

    def click_bar(self, histogram: int, bar: int, trace: int) -> None:
        """Click in the middle of a bar of a histogram."""
        div = f"#histogram-{histogram}"
        self.page.locator(div).scroll_into_view_if_needed()
        box = self.page.evaluate(
            """([div, trace, bar]) => {
              const own = document.querySelector(div).querySelectorAll('.barlayer .trace')[trace];
              const box = own.querySelectorAll('.point path')[bar].getBoundingClientRect();
              return [box.left + box.width / 2, box.top + box.height / 2];
            }""",
            [div, trace, bar],
        )
        self.page.mouse.click(*box)
