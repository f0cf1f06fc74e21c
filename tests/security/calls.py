"""Outgoing calls to servers of the test, by names that resolve as it says."""

import ssl

from apps.connections import outgoing, wire
from apps.connections.outgoing import OutgoingClient
from apps.core.models import uuid7
from tests.support.servers import certificate, response, serving

PUBLIC = "93.184.215.14"


def nobody(_host, _port):
    return False


def everybody(_host, _port):
    return True


def client(*addresses, allowed=everybody, own_ports=frozenset()):
    resolver = (lambda _host, _port: list(addresses)) if addresses else outgoing.system_resolver
    return OutgoingClient(uuid7(), own_ports, resolver=resolver, is_allowed=allowed)


def get(port, path="/", via=None, **options):
    return (via or client("127.0.0.1")).request(
        "GET", f"http://api.test:{port}{path}", **{"timeout_s": 10, **options}
    )


def tls_server(folder, monkeypatch, asked_for, *names):
    pair = certificate(folder, *names)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pair)
    context.sni_callback = lambda _sock, name, _context: asked_for.append(name)
    trusting = ssl.create_default_context(cafile=str(pair[0]))
    trusting.sslsocket_class = wire.TimedTLSSocket
    monkeypatch.setattr(wire, "tls_context", lambda: trusting)
    return serving(response(b"secure"), context)
