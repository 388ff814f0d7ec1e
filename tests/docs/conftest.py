"""The site, built once for all tests of its pages."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

ROOT = Path(__file__).parents[2]
# The machine as it is, but for its network.
OFFLINE = ("bwrap", "--dev-bind", "/", "/", "--unshare-net", "--die-with-parent", "--")


@dataclass(frozen=True)
class Page:
    """One page of the site."""

    path: Path

    @cached_property
    def html(self) -> BeautifulSoup:
        return BeautifulSoup(self.path.read_text(encoding="utf-8"), "html.parser")

    @cached_property
    def text(self) -> str:
        """What stands on the page, folded or not."""
        return self.html.get_text()

    @cached_property
    def open_text(self) -> str:
        """What a reader sees without a click."""
        html = BeautifulSoup(str(self.html), "html.parser")
        for folded in html.find_all("details"):
            summary = folded.find("summary")
            folded.replace_with(summary.get_text() if summary else "")
        return html.get_text()


@dataclass(frozen=True)
class Site:
    """The folder that a browser is pointed at, and what was said while it was built."""

    folder: Path
    output: str
    returncode: int

    def __getitem__(self, name: str) -> Page:
        return self._by_name[name]

    @property
    def pages(self) -> Iterable[Page]:
        """All pages that Sphinx wrote; the samples are files of their own, made elsewhere."""
        return self._by_name.values()

    @cached_property
    def _by_name(self) -> dict[str, Page]:
        paths = {path.relative_to(self.folder): path for path in sorted(self.folder.rglob("*.html"))}
        return {str(name.with_suffix("")): Page(path) for name, path in paths.items() if name.parts[0] != "samples"}


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The site, built by the command of `make docs`, in a world without a network."""
    folder = tmp_path_factory.mktemp("docs")
    words = [sys.executable, "-m", "sphinx", "-b", "html", "-W", "--keep-going", "-q", "docs", str(folder / "site")]
    done = subprocess.run([*OFFLINE, *words], cwd=ROOT, capture_output=True, text=True, check=False)
    return Site(folder / "site", done.stdout + done.stderr, done.returncode)
