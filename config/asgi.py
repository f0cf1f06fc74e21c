"""The ASGI application: the gateway for ``/hooks/``, Channels for sockets, Django for the rest."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from django.core.asgi import get_asgi_application

django_application = get_asgi_application()

# Only now: these need Django's applications to be ready.
from django.conf import settings  # noqa: E402

from apps.accounts.consumers import LiveConsumer  # noqa: E402
from apps.triggers.gateway import PREFIX, Gateway, Receive, Scope, Send  # noqa: E402
from config.assets import PREFIX as ASSETS_PREFIX  # noqa: E402
from config.assets import Assets  # noqa: E402
from config.proxies import trusting  # noqa: E402

LIVE = "/ws/live/"

believed = trusting(settings.TRUSTED_PROXIES)
gateway = Gateway()
live = LiveConsumer.as_asgi()
# What the running version collected, then what a build has just put beside it.
assets = Assets(settings.STATIC_ROOT, settings.BASE_DIR / "static")


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Hand each connection to the part that answers it."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
        return
    scope = believed(scope)
    if scope["type"] == "websocket":
        await _socket(scope, receive, send)
    elif scope["path"].startswith(PREFIX):
        await gateway(scope, receive, send)
    elif scope["path"].startswith(ASSETS_PREFIX):
        await assets(scope, receive, send)
    else:
        await django_application(scope, receive, send)


async def _socket(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["path"] != LIVE:
        await receive()
        await send({"type": "websocket.close"})
        return
    await live(scope, receive, send)


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        else:
            await gateway.close()
            await send({"type": "lifespan.shutdown.complete"})
            return
