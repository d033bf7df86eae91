"""Trims an answer to what `fields=` asks for: `items[id,email],total_count`.

Its promise: it only ever leaves things out.
"""

from typing import Any

Selection = dict[str, "Selection"]


def parse_fields(text: str) -> Selection:
    """Read a `fields` expression; brackets that do not match end it early, as on the platform."""
    root: Selection = {}
    stack, name = [root], ""
    for letter in text + ",":
        if letter == "[":
            child: Selection = {}
            stack[-1][name.strip()] = child
            stack.append(child)
            name = ""
        elif letter in ",]":
            if name.strip():
                stack[-1].setdefault(name.strip(), {})
            name = ""
            if letter == "]" and len(stack) > 1:
                stack.pop()
        else:
            name += letter
    return root


def trim(value: Any, selection: Selection) -> Any:
    """Return `value` with nothing but the selected keys; an empty selection keeps all."""
    if not selection:
        return value
    if isinstance(value, list):
        return [trim(item, selection) for item in value]
    if isinstance(value, dict):
        return {
            name: trim(value[name], inner) for name, inner in selection.items() if name in value
        }
    return value
