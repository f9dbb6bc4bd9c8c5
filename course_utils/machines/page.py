"""Machines on one HTML page that needs no kernel and no network."""

import html
import json
import pathlib
from collections.abc import Iterable, Mapping
from typing import Any

from .machine import WIDEST, Machine

SCRIPT = pathlib.Path(__file__).parents[1] / "front" / "machine.js"
_STYLE = """:root { color-scheme: light dark; }
body { margin: 0 auto; max-width: 700px; padding: 16px 10px 60px; background: #fff; color: #1b2330;
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; }
.a-machine { margin: 0 0 56px; } h1 { overflow-wrap: anywhere; }
@media (prefers-color-scheme: dark) { body { background: #14181f; color: #e8ecf2; } }"""


def _in_a_script(spec: Mapping[str, Any]) -> str:
    """A machine as JSON that ends no script."""
    return json.dumps(spec, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")


def inline(machine: Machine) -> str:
    """One machine as a piece of HTML, for a page that also has `script()`."""
    data = _in_a_script(machine.spec())
    words = "".join(f"<p>{html.escape(line)}</p>" for line in machine.in_words().splitlines())
    return f'<div class="a-machine"><script type="application/json">{data}</script><noscript>{words}</noscript></div>'


def script() -> str:
    """The module, and what mounts every `inline` machine of the page: it works from a file too."""
    start = """for (const el of document.querySelectorAll(".a-machine")) {
  mount(el, JSON.parse(el.querySelector("script").textContent));
}"""
    return f'<script type="module">\n{SCRIPT.read_text(encoding="utf-8")}\n{start}\n</script>'


def still(spec: Mapping[str, Any]) -> str:
    """A page of one machine, given as JSON, that shows its first variant's last step and no controls: for a picture."""
    last = len(spec["variants"][0]["steps"]) - 1
    data = _in_a_script({**spec, "variants": spec["variants"][:1]})
    return (
        f'<!doctype html><html><head><meta charset="utf-8"><style>{_STYLE}\nbody {{ padding: 8px 0; width: {WIDEST}px; }}\n'
        ".machine .row, .machine .read, .machine details, .machine .ghost { display: none !important; }\n"
        ".machine :is(.past, .future):not(.quiet) { opacity: 1 !important; }</style></head>"
        f'<body></body><script type="module">\n{SCRIPT.read_text(encoding="utf-8")}\n'
        f"mount(document.body, {data}, {{ step: {last} }});\n</script></html>"
    )


def page(title: str, machines: Iterable[Machine]) -> str:
    """A whole page, one machine below the other."""
    head = (
        f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{html.escape(title)}</title>'
    )
    body = "\n".join(inline(machine) for machine in machines)
    return (
        f'<!doctype html><html lang="en"><head>{head}<style>{_STYLE}</style></head>'
        f"<body><main><h1>{html.escape(title)}</h1>{body}</main>{script()}</body></html>"
    )
