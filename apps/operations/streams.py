"""Answers that are too long to hold: lines sent as they are made."""

from collections.abc import AsyncIterator, Iterable, Iterator
from itertools import chain

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import StreamingHttpResponse
from rest_framework.request import Request

CHUNK_BYTES = 65_536


def streamed_lines(request: Request, lines: Iterable[bytes], *, name: str) -> StreamingHttpResponse:
    """JSON lines as a file to save, in pieces of some 64 KB.

    What can be refused is refused before the first byte: the first line is made here. An error
    later breaks the answer off, so a format needs an end that shows it is whole.
    """
    iterator = iter(lines)
    first = list(next_lines(iterator))
    pieces = chain([b"".join(first)], _pieces(iterator))
    return streamed_bytes(request, pieces, name=name, content_type="application/x-ndjson")


def streamed_bytes(
    request: Request, pieces: Iterable[bytes], *, name: str, content_type: str
) -> StreamingHttpResponse:
    """A file to save, sent piece by piece as it is read."""
    pieces = iter(pieces)
    # Django gathers an ordinary iterator in memory under ASGI, an asynchronous one under WSGI.
    is_asgi = isinstance(request._request, ASGIRequest)  # noqa: SLF001 - DRF hides what it wraps
    response = StreamingHttpResponse(
        _in_thread(pieces) if is_asgi else pieces, content_type=content_type
    )
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response


def next_lines(lines: Iterator[bytes]) -> Iterator[bytes]:
    """Lines until they are a piece; nothing at the end."""
    size = 0
    for line in lines:
        yield line
        size += len(line)
        if size >= CHUNK_BYTES:
            return


def _pieces(lines: Iterator[bytes]) -> Iterator[bytes]:
    while piece := b"".join(next_lines(lines)):
        yield piece


async def _in_thread(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Each piece is made in the request's own thread, which holds its database connection."""
    while piece := await sync_to_async(lambda: next(pieces, b""))():
        yield piece
