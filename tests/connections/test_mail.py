"""The mail server stands behind the same guard as any other host."""

import socket
import threading

import pytest
from django.core.mail import EmailMessage

from apps.connections import mail, outgoing
from apps.connections.mail import GuardedBackend
from apps.connections.outgoing import OutgoingError, Refused
from tests.support.servers import certificate


class PostOffice:
    """Takes one mail, as plain as SMTP can be."""

    def __init__(self):
        self.lines = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        peer, _ = self.listener.accept()
        peer.settimeout(5)
        with peer, peer.makefile("rwb") as stream:
            self._say(stream, "220 post office")
            in_data = False
            for raw in stream:
                line = raw.decode().rstrip("\r\n")
                self.lines.append(line)
                if in_data:
                    in_data = line != "."
                    if not in_data:
                        self._say(stream, "250 taken")
                elif line.upper() == "DATA":
                    in_data = True
                    self._say(stream, "354 go on")
                elif line.upper() == "QUIT":
                    self._say(stream, "221 bye")
                    return
                else:
                    self._say(stream, "250 yes")

    @staticmethod
    def _say(stream, text):
        stream.write(text.encode() + b"\r\n")
        stream.flush()

    def close(self):
        self.listener.close()
        self.thread.join(5)


@pytest.fixture
def office():
    office = PostOffice()
    yield office
    office.close()


def send(backend):
    return backend.send_messages([EmailMessage("Subject", "Text", "from@x.test", ["to@x.test"])])


def test_a_mail_goes_to_the_address_that_was_checked(office, monkeypatch):
    asked = []
    real = outgoing.check_host

    def checked(host, port, **options):
        asked.append(host)
        return real("127.0.0.1", port, **options)

    monkeypatch.setattr(mail, "check_host", checked)

    assert send(GuardedBackend(host="mail.test", port=office.port, timeout=5)) == 1

    assert asked == ["mail.test"]
    assert "Subject: Subject" in office.lines


@pytest.mark.parametrize("host", ["169.254.169.254", "0.0.0.0", "::ffff:127.0.0.1", "2130706433"])
def test_addresses_that_nobody_may_call_are_refused(host):
    with pytest.raises(OutgoingError):
        send(GuardedBackend(host=host, port=25, timeout=1))


def test_the_product_itself_is_no_mail_server(settings):
    with pytest.raises(Refused):
        send(GuardedBackend(host="127.0.0.1", port=settings.PORT, timeout=1))


def test_nobody_listens():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(ConnectionRefusedError):
        send(GuardedBackend(host="127.0.0.1", port=port, timeout=1))


def test_tls_is_wrapped_under_the_servers_name(tmp_path, monkeypatch):
    """The certificate is for the name, though the connection went to an address."""
    import ssl

    pair = certificate(tmp_path, "mail.test")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pair)
    names = []
    context.sni_callback = lambda _sock, name, _context: names.append(name)
    monkeypatch.setattr(mail, "check_host", lambda *_a, **_o: ("127.0.0.1",))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(5)

        def answer():
            peer, _ = listener.accept()
            with peer, pytest.raises(ssl.SSLError):
                context.wrap_socket(peer, server_side=True)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        backend = GuardedBackend(
            host="mail.test", port=listener.getsockname()[1], use_ssl=True, timeout=5
        )
        with pytest.raises(ssl.SSLCertVerificationError):
            send(backend)
        thread.join(5)

    assert names == ["mail.test"]
