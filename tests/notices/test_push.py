"""Messages to browsers: encrypted as the standard says, signed, without a fact, and forgotten."""

import base64
import json
from datetime import UTC, datetime

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from apps.connections import rotation, vault
from apps.connections.models import AllowedHost
from apps.core import clock
from apps.core.errors import Invalid
from apps.notices import choosing, pushing
from apps.notices.models import Delivery, PushKey, PushSubscription
from apps.notices.pushing import Address, decoded, encoded
from tests.inbox.support import move_clock
from tests.notices.support import Receiver, ask, relay

pytestmark = pytest.mark.django_db
CURVE = ec.SECP256R1()


class Browser:
    """What a browser does: makes keys, and opens what only it can open."""

    def __init__(self):
        self.private = ec.generate_private_key(CURVE)
        self.auth = bytes(range(16))

    @property
    def public(self):
        return pushing.public_bytes(self.private)

    def open(self, body):
        """Source: RFC 8188, section 2.1 and RFC 8291, section 3.4; written apart from the sender."""
        salt, size, length = body[:16], int.from_bytes(body[16:20], "big"), body[20]
        sender, sealed = body[21 : 21 + length], body[21 + length :]
        assert len(sealed) <= size
        theirs = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, sender)
        shared = self.private.exchange(ec.ECDH(), theirs)

        def hkdf(salt, key, info, length):
            return HKDF(hashes.SHA256(), length, salt, info).derive(key)

        info = b"WebPush: info" + bytes(1) + self.public + sender
        key = hkdf(self.auth, shared, info, 32)
        content = hkdf(salt, key, b"Content-Encoding: aes128gcm" + bytes(1), 16)
        nonce = hkdf(salt, key, b"Content-Encoding: nonce" + bytes(1), 12)
        padded = AESGCM(content).decrypt(nonce, sealed, None).rstrip(bytes(1))
        assert padded[-1:] == b"\x02"
        return json.loads(padded[:-1])


def claims(header):
    """What the sender says of itself, if the signature is good; see RFC 8292."""
    kind, _, rest = header.partition(" ")
    assert kind == "vapid"
    fields = dict(part.strip().split("=", 1) for part in rest.split(","))
    head, body, signature = fields["t"].split(".")
    raw = decoded(signature)
    key = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, decoded(fields["k"]))
    key.verify(
        encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")),
        f"{head}.{body}".encode(),
        ec.ECDSA(hashes.SHA256()),
    )
    assert json.loads(decoded(head)) == {"typ": "JWT", "alg": "ES256"}
    return json.loads(decoded(body)), fields["k"]


@pytest.fixture
def receiver():
    with Receiver() as one:
        yield one


@pytest.fixture
def browser():
    return Browser()


def subscribe(desk, name, receiver, browser, path="/push/key-of-ada"):
    """Let a person's browser show messages; the receiver stands inside, as the allow-list says."""
    AllowedHost.objects.get_or_create(
        workspace=desk.workspace, host="127.0.0.1", port=receiver.port, defaults={"reason": "test"}
    )
    return choosing.add_browser(
        actor=desk.actor(desk.someone(name)),
        endpoint=f"http://127.0.0.1:{receiver.port}{path}",
        p256dh=encoded(browser.public),
        auth=encoded(browser.auth),
        label="Firefox on Linux",
        now=clock.now(),
    )


def pushed(name="ada"):
    return Delivery.objects.get(channel="push", notice__user__email=f"{name}@acme.test")


def test_the_standards_own_example_comes_out_to_the_letter():
    """Source: RFC 8291, section 5 and appendix A."""
    to = Address(
        "https://push.example.net/",
        decoded(
            "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
        ),
        decoded("BTBZMqHH6r4Tts7J_aSIgg"),
    )
    number = int.from_bytes(decoded("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"), "big")
    found = pushing.encrypt(
        b"When I grow up, I want to be a watermelon",
        to,
        salt=decoded("DGv6ra1nlYgDCS1FRnbzlw"),
        sender=ec.derive_private_key(number, CURVE),
    )
    assert encoded(found) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27ml"
        "mlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPT"
        "pK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


class TestAMessage:
    def test_arrives_and_opens_in_the_browser_that_asked_alone(self, desk, receiver, browser):
        subscribe(desk, "ada", receiver, browser)
        task = ask(desk, "ada", title="Pay Ms Rossi 98765 euros")
        relay()
        [got] = receiver.got
        assert got.path == "/push/key-of-ada"
        assert got.headers["content-encoding"] == "aes128gcm"
        assert int(got.headers["ttl"]) > 0
        assert got.headers["urgency"] == "normal"
        shown = browser.open(got.body)
        assert shown == {
            "title": "Signalbox",
            "body": "A decision waits for you.",
            "path": f"/inbox/{task.pk}/",
            "tag": str(task.pk),
        }
        assert pushed().state == "sent"
        with pytest.raises(InvalidTag):
            Browser().open(got.body)

    def test_holds_no_fact(self, desk, receiver, browser):
        subscribe(desk, "ada", receiver, browser)
        ask(desk, "ada", title="Pay Ms Rossi 98765 euros", details="for her idea")
        relay()
        told = json.dumps(browser.open(receiver.got[0].body))
        for fact in ("Rossi", "98765", "120", "idea", "ada"):
            assert fact not in told

    def test_speaks_the_readers_language(self, desk, receiver, browser):
        ada = desk.someone("ada")
        ada.language = "de"
        ada.save()
        subscribe(desk, "ada", receiver, browser)
        ask(desk, "ada")
        relay()
        assert browser.open(receiver.got[0].body)["body"] == "Eine Entscheidung wartet auf Sie."

    def test_is_signed_for_this_receiver_with_the_key_that_browsers_are_given(
        self, desk, receiver, browser
    ):
        subscribe(desk, "ada", receiver, browser)
        ask(desk, "ada")
        relay()
        said, key = claims(receiver.got[0].headers["authorization"])
        assert said["aud"] == f"http://127.0.0.1:{receiver.port}"
        assert 0 < said["exp"] - clock.now().timestamp() <= 24 * 3600
        assert said["sub"].startswith("http")
        assert key == pushing.public_key()

    def test_goes_to_each_of_a_persons_browsers(self, desk, receiver, browser):
        subscribe(desk, "ada", receiver, browser)
        subscribe(desk, "ada", receiver, browser, path="/push/phone")
        ask(desk, "ada")
        relay()
        assert sorted(one.path for one in receiver.got) == ["/push/key-of-ada", "/push/phone"]

    @pytest.mark.parametrize("status", [404, 410])
    def test_to_a_browser_that_has_ended_it_removes_it(self, desk, receiver, browser, status):
        subscribe(desk, "ada", receiver, browser)
        receiver.answers = [status]
        ask(desk, "ada")
        relay()
        assert not PushSubscription.objects.exists()
        row = pushed()
        assert (row.state, row.attempts) == ("failed", 1)
        assert row.last_error == "This browser does not take messages any more."
        ask(desk, "ada")
        relay()
        assert len(receiver.got) == 1

    @pytest.mark.parametrize("status", [429, 500, 503])
    def test_is_tried_again_where_the_receiver_is_busy(self, desk, receiver, browser, status):
        subscribe(desk, "ada", receiver, browser)
        receiver.answers = [status, 201]
        ask(desk, "ada")
        relay()
        assert (pushed().state, pushed().attempts) == ("waiting", 1)
        assert pushed().last_error == f"The receiver answered {status}."
        move_clock(minutes=1)
        relay()
        assert (pushed().state, pushed().attempts) == ("sent", 2)
        assert pushed().last_error == ""
        assert PushSubscription.objects.count() == 1

    @pytest.mark.parametrize("status", [400, 401, 403, 413])
    def test_is_given_up_where_it_is_refused(self, desk, receiver, browser, status):
        subscribe(desk, "ada", receiver, browser)
        receiver.answers = [status]
        ask(desk, "ada")
        relay()
        assert pushed().state == "failed"
        assert PushSubscription.objects.count() == 1

    def test_follows_no_redirect(self, desk, receiver, browser):
        subscribe(desk, "ada", receiver, browser)
        receiver.answers = [302]
        ask(desk, "ada")
        relay()
        assert pushed().state == "failed"
        assert len(receiver.got) == 1


class TestABrowser:
    @pytest.mark.parametrize(
        "endpoint",
        [
            "http://127.0.0.1:9/",
            "https://169.254.169.254/latest/meta-data",
            "https://[::1]/",
            "https://0x7f.1/",
            "http://9.9.9.9/open",
            "ftp://push.example.net/",
            "https://user:word@9.9.9.9/",
            "javascript:alert(1)",
            "",
            "https://9.9.9.9/" + "x" * 2000,
        ],
    )
    def test_is_refused_where_its_address_leads_inside_or_is_none(self, desk, browser, endpoint):
        with pytest.raises(Invalid):
            choosing.add_browser(
                actor=desk.actor(desk.someone("ada")),
                endpoint=endpoint,
                p256dh=encoded(browser.public),
                auth=encoded(browser.auth),
                label="",
                now=clock.now(),
            )
        assert not PushSubscription.objects.exists()

    @pytest.mark.parametrize(
        ("p256dh", "auth"),
        [
            ("", "BTBZMqHH6r4Tts7J_aSIgg"),
            ("AAAA", "BTBZMqHH6r4Tts7J_aSIgg"),
            ("B" * 87, "BTBZMqHH6r4Tts7J_aSIgg"),
            (None, ""),
            (None, "%%%"),
            (None, "AAAA"),
        ],
    )
    def test_is_refused_with_keys_that_are_none(self, desk, browser, p256dh, auth):
        with pytest.raises(Invalid):
            choosing.add_browser(
                actor=desk.actor(desk.someone("ada")),
                endpoint="https://9.9.9.9/",
                p256dh=encoded(browser.public) if p256dh is None else p256dh,
                auth=auth,
                label="",
                now=clock.now(),
            )

    def test_that_leads_inside_once_it_is_stored_is_not_called(self, desk, receiver, browser):
        subscribe(desk, "ada", receiver, browser)
        AllowedHost.objects.all().delete()
        ask(desk, "ada")
        relay()
        assert receiver.got == []
        assert pushed().state == "failed"
        assert "inside a private network" in pushed().last_error

    def test_belongs_to_who_subscribed_last_in_it(self, desk, receiver, browser):
        subscribe(desk, "ada", receiver, browser)
        subscribe(desk, "bob", receiver, browser)
        assert PushSubscription.objects.get().user == desk.someone("bob")

    def test_there_are_not_too_many_of_one_person(self, desk, receiver, browser):
        for number in range(choosing.MOST_BROWSERS):
            subscribe(desk, "ada", receiver, browser, path=f"/{number}")
        with pytest.raises(Invalid, match="At most 10"):
            subscribe(desk, "ada", receiver, browser, path="/one-more")

    def test_its_address_and_keys_are_kept_sealed(self, desk, receiver, browser):
        row = subscribe(desk, "ada", receiver, browser)
        stored = bytes(PushSubscription.objects.get().sealed)
        assert b"key-of-ada" not in stored
        assert encoded(browser.auth).encode() not in stored
        assert pushing.address_of(row).endpoint.endswith("/push/key-of-ada")
        told = json.dumps([one.values for one in desk.trail("browser.add")], default=str)
        assert "key-of-ada" not in told
        assert "127.0.0.1" in told


class TestTheInstallationsKey:
    def test_is_made_once_and_kept_sealed(self, db):
        first, again = pushing.public_key(), pushing.public_key()
        assert first == again
        assert PushKey.objects.count() == 1
        number = pushing.private_key().private_numbers().private_value
        assert number.to_bytes(32, "big") not in bytes(PushKey.objects.get().sealed)

    def test_goes_along_when_keys_are_rotated(self, db, settings):
        first = pushing.public_key()
        new = base64.b64encode(bytes(range(32))).decode()
        settings.ENCRYPTION_KEYS = [new, *settings.ENCRYPTION_KEYS]
        [column] = [one for one in rotation.registered() if one.model == "notices.PushKey"]
        assert rotation.reseal(column).resealed == 1
        settings.ENCRYPTION_KEYS = [new]
        assert pushing.public_key() == first
        assert vault.is_current(PushKey.objects.get().sealed)


def test_a_signature_is_not_good_for_more_than_a_day():
    key = ec.generate_private_key(CURVE)
    now = datetime(2026, 11, 21, tzinfo=UTC)
    said, _ = claims(pushing.authorization("https://push.example.net:8443/x/y", key, now))
    assert said["aud"] == "https://push.example.net:8443"
    assert said["exp"] - now.timestamp() < 24 * 3600
