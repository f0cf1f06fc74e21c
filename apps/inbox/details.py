"""A task's details: a fixed subset of Markdown, and no HTML.

The one place that gives markup to a page as safe. That is sound because markdown-it escapes every
text it writes, ``html`` is off so that markup in the source is text, only the rules below are on
(no images), and a link stays text unless its address is http, https or mailto. The source may hold
whatever outside data a flow puts there; ``tests/inbox/test_details.py`` feeds it the worst.
"""

import re
from collections.abc import MutableMapping, Sequence
from typing import Any

from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

RULES = ("emphasis", "backticks", "list", "heading", "link", "newline", "escape", "blockquote")
#: The page has a heading of its own and one for each part.
LOWEST, HIGHEST = 3, 4
_ADDRESS = re.compile(r"(https?://[^/\s]|mailto:[^\s@]+@[^\s@])", re.IGNORECASE)


def as_markup(text: str) -> SafeString:
    """The details as HTML that can stand in a page as it is."""
    markup: str = _renderer.render(text)
    return mark_safe(markup)  # noqa: S308 - see the module


def _lower_headings(tokens: Sequence[Token]) -> None:
    for one in tokens:
        if one.type in {"heading_open", "heading_close"}:
            level = int(one.tag[1])
            one.tag = f"h{min(HIGHEST, level + LOWEST - 1)}"


def _open_link(
    renderer: RendererHTML,
    tokens: Sequence[Token],
    index: int,
    options: Any,
    env: MutableMapping[str, Any],  # noqa: ARG001 - markdown-it's signature
) -> str:
    # The words of a link may say anything; where it leads stands in its title.
    tokens[index].attrSet("title", str(tokens[index].attrGet("href")))
    tokens[index].attrSet("rel", "noopener noreferrer nofollow")
    tokens[index].attrSet("target", "_blank")
    return renderer.renderToken(tokens, index, options, {})


def _make() -> MarkdownIt:
    markdown = MarkdownIt("zero", {"html": False, "linkify": False, "breaks": True})
    markdown.enable(list(RULES))
    markdown.validateLink = lambda url: bool(_ADDRESS.match(url))  # type: ignore[method-assign]
    markdown.core.ruler.push("lower_headings", lambda state: _lower_headings(state.tokens))
    markdown.add_render_rule("link_open", _open_link)
    return markdown


_renderer = _make()
