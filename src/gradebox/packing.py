"""Messages of a kernel, in JSON that any text survives.

A Python text may hold half a surrogate pair, which UTF-8 has no bytes for. jupyter_client's own packer raises on it in
the kernel's output thread, which may then never say that the cell has ended.
"""

import json
from typing import Any

from jupyter_client.jsonutil import json_clean, json_default

__all__ = ["PACKER", "UNPACKER", "pack", "unpack"]

PACKER, UNPACKER = f"{__name__}.pack", f"{__name__}.unpack"
"""Names for `Session.packer` in a kernel, and for `Session.unpacker` where its messages are read."""


def pack(content: Any) -> bytes:
    """A part of a message as JSON in ASCII; like jupyter_client, clean what is no JSON."""
    try:
        return _dumps(content)
    except (TypeError, ValueError):
        return _dumps(json_clean(content))


def _dumps(content: Any) -> bytes:
    return json.dumps(content, default=json_default, allow_nan=False).encode("ascii")


def unpack(packed: bytes | str) -> Any:
    """A part of a message, with U+FFFD in the place of what no file could hold."""
    text = packed.decode("utf-8", "replace") if isinstance(packed, bytes) else packed
    content = json.loads(text)
    return _whole(content) if "\\ud" in text.lower() else content


def _whole(content: Any) -> Any:
    if isinstance(content, str):
        return content.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(content, list):
        return [_whole(each) for each in content]
    if isinstance(content, dict):
        return {_whole(name): _whole(each) for name, each in content.items()}
    return content
