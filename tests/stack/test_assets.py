"""Files below /static/ are served with the right headers, and nothing else is."""

import gzip

import pytest

from config.assets import Assets


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "static"
    (root / "build" / "assets").mkdir(parents=True)
    (root / "build" / "assets" / "main-abc123.js").write_text("let a = 1;\n" * 400)
    (root / "logo.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    (tmp_path / "secret.txt").write_text("not yours")
    return root


async def ask(root, path, *, method="GET", host="127.0.0.1:8000", **headers):
    sent = []

    async def send(message):
        sent.append(message)

    named = {"host": host, **{name.replace("_", "-"): value for name, value in headers.items()}}
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "headers": [(name.encode(), value.encode()) for name, value in named.items()],
    }
    await Assets(root)(scope, None, send)
    start, body = sent
    return start["status"], {k.decode(): v.decode() for k, v in start["headers"]}, body["body"]


async def test_a_built_file_is_kept_for_ever_and_never_sniffed(folder):
    status, headers, body = await ask(folder, "/static/build/assets/main-abc123.js")

    assert status == 200
    assert headers["content-type"] == "text/javascript; charset=utf-8"
    assert "immutable" in headers["cache-control"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-length"] == str(len(body))


async def test_it_is_compressed_for_who_can_read_that(folder):
    plain = await ask(folder, "/static/build/assets/main-abc123.js")
    small = await ask(folder, "/static/build/assets/main-abc123.js", accept_encoding="br, gzip")

    assert small[1]["content-encoding"] == "gzip"
    assert gzip.decompress(small[2]) == plain[2]


async def test_another_file_is_asked_for_again_and_answered_304(folder):
    _, headers, _ = await ask(folder, "/static/logo.svg")
    status, _, body = await ask(folder, "/static/logo.svg", if_none_match=headers["etag"])

    assert headers["cache-control"] == "no-cache"
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert (status, body) == (304, b"")


@pytest.mark.parametrize(
    "path",
    [
        "/static/../secret.txt",
        "/static/build/../../secret.txt",
        "/static//etc/passwd",
        "/static/",
        "/static/build",
        "/static/a\0b",
        "/static/gone.js",
    ],
)
async def test_nothing_else_can_be_named(folder, path):
    assert (await ask(folder, path))[0] == 404


async def test_only_reading_and_only_our_hosts(folder):
    assert (await ask(folder, "/static/logo.svg", method="POST"))[0] == 405
    assert (await ask(folder, "/static/logo.svg", host="evil.example"))[0] == 400
    status, headers, body = await ask(folder, "/static/logo.svg", method="HEAD")
    assert (status, body) == (200, b"")
    assert int(headers["content-length"]) > 0
