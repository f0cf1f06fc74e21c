"""security.md: `X-Forwarded-*` believed only from `SIGNALBOX_TRUSTED_PROXIES`."""

import pytest

from config.proxies import trusting


def scope(client, *headers, type_="http"):
    return {
        "type": type_,
        "scheme": "http" if type_ == "http" else "ws",
        "client": client,
        "headers": [(name.encode(), value.encode()) for name, value in headers],
    }


FORWARDED = (
    ("host", "inside:8000"),
    ("x-forwarded-for", "198.51.100.7"),
    ("x-forwarded-proto", "https"),
    ("x-forwarded-host", "signalbox.example.com"),
)


def test_x_forwarded_is_believed_from_a_trusted_proxy():
    read = trusting(["10.0.0.0/8"])(scope(("10.1.2.3", 5), *FORWARDED))

    assert read["client"] == ("198.51.100.7", 0)
    assert read["scheme"] == "https"
    assert read["headers"] == [(b"host", b"signalbox.example.com")]


@pytest.mark.parametrize("client", [("192.0.2.1", 5), None, ("not an address", 0)])
def test_x_forwarded_from_anybody_else_is_dropped(client):
    read = trusting(["10.0.0.0/8"])(scope(client, *FORWARDED))

    assert read["client"] == client
    assert read["scheme"] == "http"
    assert read["headers"] == [(b"host", b"inside:8000")]


def test_without_trusted_proxies_nobody_is_believed():
    assert trusting([])(scope(("127.0.0.1", 5), *FORWARDED))["client"] == ("127.0.0.1", 5)


def test_addresses_that_the_caller_wrote_in_front_are_not_believed():
    headers = (("x-forwarded-for", "1.1.1.1, 198.51.100.7, 10.0.0.9"),)

    read = trusting(["10.0.0.0/8"])(scope(("10.1.2.3", 5), *headers))

    assert read["client"] == ("198.51.100.7", 0)


def test_several_headers_of_one_name_count_as_one_list():
    headers = (("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "198.51.100.7"))

    read = trusting(["10.0.0.0/8"])(scope(("10.1.2.3", 5), *headers))

    assert read["client"] == ("198.51.100.7", 0)


def test_a_socket_becomes_a_secure_one():
    read = trusting(["10.0.0.0/8"])(scope(("10.1.2.3", 5), *FORWARDED, type_="websocket"))

    assert read["scheme"] == "wss"


def test_text_that_is_no_address_names_nobody():
    headers = (("x-forwarded-for", "<script>"),)

    read = trusting(["10.0.0.0/8"])(scope(("10.1.2.3", 5), *headers))

    assert read["client"] == ("10.1.2.3", 5)


def test_a_proxy_that_is_no_address_is_refused_at_start():
    with pytest.raises(ValueError, match="does not appear to be"):
        trusting(["proxy.local"])


async def test_it_holds_for_everything_the_process_answers(monkeypatch):
    """Pages, API, sockets and hooks all get the scope as the proxy rule left it."""
    from config import asgi

    seen = []

    async def never(*_):
        raise AssertionError("nothing is read or written before the part is chosen")

    async def note(scope, _receive, _send):
        seen.append(scope["client"])

    monkeypatch.setattr(asgi, "believed", trusting(["10.0.0.0/8"]))
    for part in ("gateway", "django_application", "assets", "live"):
        monkeypatch.setattr(asgi, part, note)
    paths = [("http", "/hooks/a/b"), ("http", "/"), ("http", "/static/x"), ("websocket", asgi.LIVE)]
    for type_, path in paths:
        await asgi.application(
            {**scope(("10.1.2.3", 5), *FORWARDED, type_=type_), "path": path}, never, never
        )

    assert seen == [("198.51.100.7", 0)] * 4
