"""Details are a fixed subset of Markdown; whatever else comes is text. No database."""

import re
import time
from html.parser import HTMLParser

import pytest

from apps.inbox.details import as_markup

ALLOWED = {
    "p", "strong", "em", "code", "ul", "ol", "li", "h3", "h4", "br", "blockquote", "a",
}  # fmt: skip


class Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.links = set(), []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag == "a":
            self.links.append(dict(attrs))
        else:
            assert not attrs or set(dict(attrs)) == {"start"}, (tag, attrs)


def read(text):
    reader = Reader()
    reader.feed(str(as_markup(text)))
    return reader


@pytest.mark.parametrize(
    ("text", "markup"),
    [
        ("**a** *b* `c`", "<p><strong>a</strong> <em>b</em> <code>c</code></p>\n"),
        ("# Title", "<h3>Title</h3>\n"),
        ("#### Deep", "<h4>Deep</h4>\n"),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n"),
        ("2. a\n3. b", '<ol start="2">\n<li>a</li>\n<li>b</li>\n</ol>\n'),
        ("a\nb", "<p>a<br>\nb</p>\n"),
        ("<b>x</b>", "<p>&lt;b&gt;x&lt;/b&gt;</p>\n"),
        ("&lt;b&gt;", "<p>&amp;lt;b&amp;gt;</p>\n"),
    ],
)
def test_the_subset(text, markup):
    assert as_markup(text) == markup


def test_a_link_says_where_it_leads_and_lets_nothing_through():
    [link] = read("[bank](https://evil.test/?a=1&b=2)").links
    assert link == {
        "href": "https://evil.test/?a=1&b=2",
        "title": "https://evil.test/?a=1&b=2",
        "rel": "noopener noreferrer nofollow",
        "target": "_blank",
    }


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\tscript:alert(1)", "&#106;avascript:x",
        "data:text/html,<script>1</script>", "vbscript:x", "file:///etc/passwd", "/sign-out/",
        "//evil.test", "sign-out", "#x", "https:evil", "http://", "ftp://a.b", "%6Aavascript:1",
    ],
)  # fmt: skip
def test_other_addresses_stay_text(address):
    reader = read(f"[x]({address}) [x](<{address}>) <{address}>\n\n[r]: {address}\n[r]")
    assert reader.links == []
    assert reader.tags <= ALLOWED


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "![x](https://evil.test/x.png)",
        "![x](javascript:alert(1))",
        '[x](https://a.b/"onmouseover="alert(1))',
        "[x](https://a.b 'title\" onmouseover=alert(1)')",
        "`<script>`",
        "    <script>alert(1)</script>",
        "```\n<script>alert(1)</script>\n```",
        "<!-- --><svg/onload=alert(1)>",
        "<a href=javascript:alert(1)>x</a>",
        "[<img src=x onerror=1>](https://a.b)",
        "# <script>",
        "| a | <b> |\n|---|---|\n| 1 | 2 |",
        "<?php ?>\n\n<![CDATA[x]]>\n\n</style><style>*{}",
        "&#60;script&#62;",
        "\\<script\\>",
        "a\u202eb\x01\x1b[31m",
    ],
)
def test_nothing_but_the_subset_comes_out(text):
    reader = read(text)
    assert reader.tags <= ALLOWED
    for link in reader.links:
        assert set(link) <= {"href", "title", "rel", "target"}
        assert re.match(r"https?://|mailto:", link["href"])


@pytest.mark.parametrize(
    "text", ["*a" * 5000, "[" * 10_000, "> " * 5000, "`" * 10_000, "- " * 5000, "_*" * 5000]
)
def test_the_longest_details_are_read_in_time(text):
    before = time.process_time()
    as_markup(text)
    assert time.process_time() - before < 5
