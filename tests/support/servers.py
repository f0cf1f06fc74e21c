"""Small real servers on 127.0.0.1 that answer exactly what a test says, byte for byte."""

import datetime
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Server:
    """One thread; each connection is read up to the end of its body and given to ``answer``.

    ``answer(request) -> bytes`` or a function that gets the socket too and writes by itself.
    """

    def __init__(self, answer, context: ssl.SSLContext | None = None) -> None:
        self.answer, self.context = answer, context
        self.requests: list[bytes] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(0.1)
        self.port: int = self.listener.getsockname()[1]
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        while not self.stopping.is_set():
            try:
                peer, _ = self.listener.accept()
            except (TimeoutError, OSError):
                continue
            try:
                self._handle(peer)
            except (OSError, ssl.SSLError):
                pass
            finally:
                peer.close()

    def _handle(self, peer: socket.socket) -> None:
        peer.settimeout(5)
        if self.context is not None:
            peer = self.context.wrap_socket(peer, server_side=True)
        request = _read_request(peer)
        self.requests.append(request)
        if isinstance(self.answer, bytes):
            peer.sendall(self.answer)
        else:
            said = self.answer(request, peer, self.stopping)
            if said is not None:
                peer.sendall(said)
        peer.close()

    def stop(self) -> None:
        self.stopping.set()
        self.listener.close()
        self.thread.join(5)


@contextmanager
def serving(answer: bytes | Callable[..., bytes | None], context: ssl.SSLContext | None = None):
    """A running server that answers so."""
    server = Server(answer, context)
    try:
        yield server
    finally:
        server.stop()


def response(
    body: bytes = b"", *headers: str, status: str = "200 OK", length: int | None = None
) -> bytes:
    """A whole HTTP/1.1 answer."""
    size = len(body) if length is None else length
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {size}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def _read_request(peer: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = peer.recv(65536)
        if not piece:
            return data
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    size = 0
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            size = int(line.split(b":")[1])
    while len(body) < size:
        piece = peer.recv(65536)
        if not piece:
            break
        body += piece
    return head + b"\r\n\r\n" + body


def certificate(folder: Path, *names: str) -> tuple[Path, Path]:
    """A self-signed certificate for these names and addresses: its file and its key's."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    now = datetime.datetime.now(datetime.UTC)
    alternatives: list[x509.GeneralName] = []
    for name in names:
        try:
            alternatives.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            alternatives.append(x509.DNSName(name))
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "server.pem", folder / "server.key"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return paths
