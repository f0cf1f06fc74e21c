"""security.md, on ``/hooks/``, through everything that the process answers with."""

import asyncio

import pytest

from config.asgi import application
from tests.triggers.conftest import bells, call, committed, hooks, shop

__all__ = ["bells", "committed", "hooks", "shop"]

REFUSALS = [
    ({"method": "GET"}, 405),
    ({"method": "OPTIONS"}, 405),
    ({"method": "PUT"}, 405),
    ({"body": b"{not json"}, 400),
    ({"body": b"x", "headers": {"content-type": "text/html"}}, 415),
    ({"body": b"<script>", "headers": {"content-type": "application/xml"}}, 415),
    ({"body": b'"' + b"x" * 1_100_000 + b'"'}, 413),
    ({"path": "nobody"}, 404),
    ({"headers": {"host": "evil.example"}}, 400),
]


@pytest.fixture
def ask(shop, bells):
    """One call to the whole application, as the web process answers it."""
    shop.flow(path="orders")

    def asked(body=b"{}", path="orders", **options):
        address = f"/hooks/{shop.workspace.slug}/{path}"

        async def once():
            from config.asgi import gateway

            try:
                return await call(application, address, body, **options)
            finally:
                await gateway.close()

        return asyncio.run(once())

    return asked


@pytest.mark.parametrize(("options", "status"), [({}, 202), *REFUSALS])
def test_answers_are_json_or_plain_text_nosniff_in_a_sandbox_without_cookies_or_cors(
    ask, options, status
):
    headers = {
        "origin": "https://evil.test",
        "cookie": "sessionid=stolen; csrftoken=stolen",
        **options.pop("headers", {}),
    }
    reply = ask(headers=headers, **options)
    assert reply.status == status
    kind = reply.headers["content-type"].partition(";")[0]
    assert kind in {"application/json", "application/problem+json", "text/plain"}
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert "set-cookie" not in reply.headers
    assert not [name for name in reply.headers if name.startswith("access-control-")]
    assert b"stolen" not in reply.body


def test_no_cookie_is_read(ask, shop):
    """What a browser that is signed in sends along is not kept but as a mark."""
    assert ask(headers={"cookie": "sessionid=stolen-value"}).status == 202
    (delivery,) = shop.deliveries
    assert "stolen-value" not in str(delivery.headers)


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "", "localhost@evil.example", "a b"]
)
@pytest.mark.parametrize("path", ["/hooks/acme/orders", "/static/pages.css", "/sign-in/"])
def test_allowed_hosts_also_on_the_raw_asgi_path(committed, host, path):
    method = "POST" if path.startswith("/hooks/") else "GET"
    reply = asyncio.run(call(application, path, b"{}", method=method, headers={"host": host}))
    assert reply.status == 400


@pytest.mark.parametrize("path", ["/ws/other/", "/ws/live/x", "/hooks/ws/"])
def test_there_is_one_socket_and_no_other(path):
    async def connect():
        sent = []

        async def receive():
            return {"type": "websocket.connect"}

        async def send(message):
            sent.append(message["type"])

        scope = {"type": "websocket", "path": path, "headers": [], "query_string": b""}
        await application({**scope, "client": ("127.0.0.1", 1), "subprotocols": []}, receive, send)
        return sent

    assert asyncio.run(connect()) == ["websocket.close"]


def test_headers_and_query_become_fingerprints_before_storage_and_masked_paths_too(shop, hooks):
    shop.flow(path="masked", masked=["card.number"])
    names = (
        "authorization",
        "cookie",
        "x-hub-signature-256",
        "x-my-token",
        "x-secret-of",
        "api-key",
    )
    reply = hooks.post(
        "masked",
        {"card": {"number": "4111-PLANTED"}},
        headers=dict.fromkeys(names, "PLANTED"),
        query="access_token=PLANTED&my_secret=PLANTED&key=PLANTED&page=1",
    )
    trigger = shop.started_with(reply.json["run"])
    (delivery,) = shop.deliveries
    assert "PLANTED" not in f"{trigger} {delivery.headers} {delivery.query} {delivery.summary}"
    assert all(trigger["headers"][name].startswith("fp:") for name in names)
    assert b"PLANTED" not in bytes(delivery.body)
