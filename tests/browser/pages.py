"""What a page owes to whoever reads it: no errors, no sideways scrolling, names for pictures, readable text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page

from .lab import ELSEWHERE

__all__ = ["LEAST_CONTRAST", "Looked", "look"]

LEAST_CONTRAST = 4.5  # WCAG 2.2, 1.4.3, for text of any size

SIDEWAYS = "() => document.documentElement.scrollWidth > document.documentElement.clientWidth"

UNNAMED = """() => [...document.querySelectorAll("img, svg, [role=img]")]
  .filter(e => e.checkVisibility() && !e.closest("[aria-hidden=true]") && !e.parentElement.closest("svg, [role=img]"))
  .filter(e => {
    const named = (e.getAttribute("aria-labelledby") || "").split(/\\s+/).map(i => document.getElementById(i));
    const words = [e.getAttribute("alt"), e.getAttribute("aria-label"), e.querySelector(":scope > title")?.textContent,
                   ...named.map(n => n?.textContent)];
    return !words.some(w => w && w.trim());
  })
  .map(e => e.outerHTML.slice(0, 120))"""

# What is below a text: the backgrounds of its ancestors, and in an SVG the shapes that were drawn there before it.
FAINT = """least => {
  const paint = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const rgba = colour => {
    paint.clearRect(0, 0, 1, 1); paint.fillStyle = colour; paint.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = paint.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, below) => top.slice(0, 3).map((c, i) => c * top[3] + below[i] * (1 - top[3]));
  const background = e => {
    const layers = [];
    for (; e; e = e.parentElement) layers.push(rgba(getComputedStyle(e).backgroundColor));
    const canvas = matchMedia("(prefers-color-scheme: dark)").matches
      && getComputedStyle(document.documentElement).colorScheme.includes("dark") ? [18, 18, 18] : [255, 255, 255];
    return layers.reduceRight((below, layer) => over(layer, below), canvas);
  };
  const shapes = (e, below) => {
    const {left, top, width, height} = e.getBoundingClientRect();
    for (const shape of e.ownerSVGElement?.querySelectorAll("rect, path, circle, polygon, ellipse") || []) {
      if (shape === e || !(shape.compareDocumentPosition(e) & Node.DOCUMENT_POSITION_FOLLOWING)) continue;
      const screen = shape.getScreenCTM(), style = getComputedStyle(shape);
      if (!screen || shape.closest("defs, clipPath, marker") || style.fill === "none") continue;
      const middle = new DOMPoint(left + width / 2, top + height / 2).matrixTransform(screen.inverse());
      if (!shape.isPointInFill(middle)) continue;
      const [red, green, blue, alpha] = rgba(style.fill);
      below = over([red, green, blue, alpha * style.fillOpacity * style.opacity], below);
    }
    return below;
  };
  const luminance = colour => {
    const [r, g, b] = colour.map(c => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const found = {};
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim(), e = walker.currentNode.parentElement;
    if (!text || e.closest("title, style, script, metadata, defs")
        || !e.checkVisibility({opacityProperty: true, visibilityProperty: true})) continue;
    const style = getComputedStyle(e), below = shapes(e, background(e));
    const ink = over(rgba(e instanceof SVGElement ? style.fill : style.color), below);
    const [light, dark] = [luminance(ink), luminance(below)].sort((a, b) => b - a);
    const contrast = (light + 0.05) / (dark + 0.05);
    if (contrast < least) found[`${text.slice(0, 40)}: ${contrast.toFixed(2)}`] = true;
  }
  return Object.keys(found);
}"""


@dataclass(frozen=True)
class Looked:
    """What there is to complain about in a page.

    Attributes:
        errors: of its console and its scripts, requests that failed, and requests that leave this machine.
        scrolls_sideways: whether the page as a whole is wider than its window.
        unnamed_pictures: the beginnings of pictures that a screen reader cannot name.
        faint_texts: texts whose contrast is below `LEAST_CONTRAST`, in the light or the dark colours, with it.
    """

    errors: list[str]
    scrolls_sideways: bool
    unnamed_pictures: list[str]
    faint_texts: list[str]


def look(page: Page, address: str, width: int) -> Looked:
    """Open a page in a window of `width` pixels, and look at it in light and in dark; light is what it is left in."""
    errors: list[str] = []
    listeners: dict[str, Callable[[Any], None]] = {
        "console": lambda message: errors.append(message.text) if message.type == "error" else None,
        "pageerror": lambda error: errors.append(str(error)),
        "requestfailed": lambda request: errors.append(f"failed: {request.url}"),
        "request": lambda request: errors.append(f"asks for {request.url}") if ELSEWHERE.match(request.url) else None,
    }
    for event, listener in listeners.items():
        page.on(event, listener)  # type: ignore[call-overload]
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(address, wait_until="load")
    faint: list[str] = []
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        faint += [f"{scheme}: {text}" for text in page.evaluate(FAINT, LEAST_CONTRAST)]
    looked = Looked(errors, page.evaluate(SIDEWAYS), page.evaluate(UNNAMED), faint)
    for event, listener in listeners.items():
        page.remove_listener(event, listener)
    return looked
