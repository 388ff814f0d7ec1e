"""Messages of kernels: any text, any value that a kernel may send."""

from __future__ import annotations

import numpy as np
import pytest
from jupyter_client.session import Session

from gradebox.packing import PACKER, UNPACKER, pack, unpack


@pytest.mark.parametrize("text", ["plain", "ünï ☃ 😀", "\\ud800 spelled out", "\x00\x1b[0m\n", ""])
def test_a_text_arrives_as_it_was_sent(text):
    assert unpack(pack({"text": [text, {text: 1}]})) == {"text": [text, {text: 1}]}


HIGH, LOW, RAW = chr(0xD800), chr(0xDFFF), chr(0xDC80)


@pytest.mark.parametrize("half", [HIGH, LOW, RAW, HIGH + HIGH, f"{HIGH}😀"], ids=ascii)
def test_half_a_surrogate_pair_arrives_as_a_text_that_a_file_can_hold(half):
    (arrived,) = unpack(pack([f"before{half}after"]))
    assert arrived.encode("utf-8").decode("utf-8") == arrived
    assert arrived.startswith("before")
    assert arrived.endswith("after")
    assert "\ufffd" in arrived


@pytest.mark.filterwarnings("ignore:Message serialization failed")
def test_what_jupyter_client_packs_is_packed():
    content = {"number": np.int64(3), "nothing": float("nan"), "bytes": b"abc", "tuple": (1, 2)}
    theirs, ours = Session(packer="json"), Session(packer=PACKER, unpacker=UNPACKER)
    assert ours.unpack(ours.pack(content)) == theirs.unpack(theirs.pack(content))


def test_a_session_reads_what_jupyter_client_wrote():
    theirs, ours = Session(packer="json"), Session(packer=PACKER, unpacker=UNPACKER)
    message = theirs.msg("stream", {"text": "ünï ☃ 😀"})
    assert ours.unpack(theirs.pack(message["content"])) == message["content"]
