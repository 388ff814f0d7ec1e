"""What `augcourse hub` says where no class can be held; tests/hub holds one."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from augcourse import hub
from augcourse.cli import app

ROOT = Path(__file__).parents[2]


@pytest.fixture
def place(tmp_path, monkeypatch) -> hub.Hub:
    """A class in a folder of its own, seen by root on a machine that has every program."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda program: f"/usr/bin/{program}")
    proxy = tmp_path / hub.PROXY
    proxy.parent.mkdir(parents=True)
    proxy.touch()
    return hub.Hub(tmp_path, tmp_path / "hub", prefix="nobodys", port=hub._free_port())


def test_nothing_stands_in_the_way_where_everything_is_there(place):
    assert hub.obstacle(place) == ""


def test_who_is_not_root_reads_what_to_run(place, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    for words in (["hub"], ["hub", "--remove"]):
        done = CliRunner().invoke(app, words)
        assert done.exit_code == 1
        assert "sudo make hub" in done.stderr
        assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("program", hub.PACKAGES)
def test_a_missing_program_names_its_package(place, monkeypatch, program):
    monkeypatch.setattr(shutil, "which", lambda name: None if name == program else f"/usr/bin/{name}")
    assert f"apt-get install {hub.PACKAGES[program]}" in hub.obstacle(place)


def test_a_missing_proxy_names_the_target_that_installs_it(place):
    (place.root / hub.PROXY).unlink()
    assert "make proxy" in hub.obstacle(place)


def test_missing_node_is_said(place, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None if name == "node" else f"/usr/bin/{name}")
    assert "Node.js" in hub.obstacle(place)


def test_what_a_killed_hub_left_can_be_removed(place):
    place.class_folder.mkdir(parents=True)
    place.marker.touch()
    assert "--remove" in hub.obstacle(place)
    assert hub.remove(place) == []
    assert not place.class_folder.exists()
    assert hub.obstacle(place) == ""


def test_a_folder_that_no_hub_made_is_neither_used_nor_removed(place):
    place.class_folder.mkdir(parents=True)
    assert "--folder" in hub.obstacle(place)
    assert hub.remove(place) == []
    assert place.class_folder.is_dir()


def test_the_page_lists_every_variable_of_the_configuration():
    config = (ROOT / "hub" / "jupyterhub_config.py").read_text(encoding="utf-8")
    page = (ROOT / "docs" / "hub.md").read_text(encoding="utf-8")
    asked = set(re.findall(r'os\.environ\.get\("(\w+)"', config))
    assert asked == set(re.findall(r"^\| `([A-Z_]+)` \|", page, re.M))
