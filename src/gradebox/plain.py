"""Text that commands nothing: what anyone wrote, on its way to a terminal, a log, a page or a name.

A terminal obeys escape sequences, and control characters for the direction of writing can make a name read as another
one. Both are shown as what they are: `\\x1b`, `\\u202e`.
"""

import unicodedata

__all__ = ["visible"]

DIRECTIONS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
KEPT = frozenset("\n\t")


def visible(text: str) -> str:
    """The text with each control character, and each character that turns the direction of writing, written out.

    Line breaks and tabs stay. Lone surrogates, which no file can hold, are written out as well.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_written_out(each) for each in text)


def _written_out(character: str) -> str:
    if character in KEPT:
        return character
    if character in DIRECTIONS or unicodedata.category(character) in ("Cc", "Cs"):
        return (
            character.encode("ascii", "backslashreplace").decode()
            if ord(character) > 127
            else f"\\x{ord(character):02x}"
        )
    return character
