"""Files below ``/static/``, served in front of Django: compressed once, cached by browsers.

A file of the front end's build carries its hash in its name and is good for ever; any other is
asked for again and answered 304 while it is the same.
"""

import asyncio
import gzip
import mimetypes
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

from django.conf import settings
from django.http.request import split_domain_port, validate_host

Scope = Mapping[str, Any]
Send = Callable[[dict[str, Any]], Awaitable[None]]

PREFIX = "/static/"
_FOR_EVER = "public, max-age=31536000, immutable"
_COMPRESSED = {".js", ".css", ".svg", ".json", ".html", ".txt", ".map", ".xml"}
_WORTH_COMPRESSING = 1024
_TYPES = {".js": "text/javascript", ".woff2": "font/woff2", ".svg": "image/svg+xml"}


class Assets:
    """An ASGI application for a few folders, looked through in order; nothing else can be named."""

    def __init__(self, *roots: Path) -> None:
        self._roots = [root.resolve() for root in roots]

    async def __call__(self, scope: Scope, _receive: object, send: Send) -> None:
        """Answer one request."""
        asked = dict(scope["headers"])
        if not _is_our_host(asked.get(b"host", b"")):
            return await _answer(send, 400, b"Bad Request\n")
        if scope["method"] not in {"GET", "HEAD"}:
            return await _answer(send, 405, b"Method Not Allowed\n", [("allow", "GET, HEAD")])
        name = scope["path"].removeprefix(PREFIX)
        path = self._find(name)
        if path is None:
            return await _answer(send, 404, b"Not Found\n")
        found = path.stat()
        tag = f'"{found.st_mtime_ns:x}-{found.st_size:x}"'
        headers = [
            ("content-type", _content_type(path)),
            ("etag", tag),
            ("cache-control", _FOR_EVER if _is_hashed(name) else "no-cache"),
            ("vary", "accept-encoding"),
        ]
        if path.suffix == ".svg":
            headers.append(("content-security-policy", "default-src 'none'; sandbox"))
        if asked.get(b"if-none-match", b"").decode("latin-1") == tag:
            return await _answer(send, 304, b"", headers)
        if _may_compress(path, asked) and found.st_size >= _WORTH_COMPRESSING:
            body = await asyncio.to_thread(_compressed, path, found.st_mtime_ns)
            headers.append(("content-encoding", "gzip"))
        else:
            body = await asyncio.to_thread(path.read_bytes)
        if scope["method"] == "HEAD":
            headers.append(("content-length", str(len(body))))
            body = b""
        return await _answer(send, 200, body, headers)

    def _find(self, name: str) -> Path | None:
        parts = PurePosixPath(name).parts
        if not parts or ".." in parts or "\0" in name or name.startswith("/"):
            return None
        for root in self._roots:
            path = root.joinpath(*parts).resolve()
            if path.is_relative_to(root) and path.is_file():
                return path
        return None


def _is_hashed(name: str) -> bool:
    return name.startswith("build/assets/")


def _is_our_host(header: bytes) -> bool:
    name, _ = split_domain_port(header.decode("latin-1"))
    return bool(name) and validate_host(name, settings.ALLOWED_HOSTS)


def _may_compress(path: Path, asked: Mapping[bytes, bytes]) -> bool:
    return path.suffix in _COMPRESSED and b"gzip" in asked.get(b"accept-encoding", b"")


def _content_type(path: Path) -> str:
    kind = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0]
    kind = kind or "application/octet-stream"
    is_text = kind.startswith("text/") or kind in {"application/json", "image/svg+xml"}
    return f"{kind}; charset=utf-8" if is_text else kind


@lru_cache(maxsize=512)
def _compressed(path: Path, _changed_at: int) -> bytes:
    return gzip.compress(path.read_bytes(), compresslevel=6, mtime=0)


async def _answer(
    send: Send, status: int, body: bytes, headers: Iterable[tuple[str, str]] = ()
) -> None:
    always = [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ]
    if settings.SECURE_HSTS_SECONDS:
        always.append(("strict-transport-security", f"max-age={settings.SECURE_HSTS_SECONDS}"))
    everything = {"content-length": str(len(body)), **dict(always), **dict(headers)}
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in everything.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
