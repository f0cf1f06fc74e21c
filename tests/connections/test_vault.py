"""Encryption at rest and its keys."""

from base64 import b64encode, urlsafe_b64encode
from secrets import token_bytes

import pytest
from django.core.exceptions import ImproperlyConfigured

from apps.connections import vault


def key():
    return b64encode(token_bytes(32)).decode()


@pytest.fixture
def keys(settings):
    """Sets the list of keys; the first encrypts."""

    def put(*texts):
        settings.ENCRYPTION_KEYS = list(texts)

    return put


class TestSealing:
    def test_what_was_sealed_opens(self):
        assert vault.open(vault.seal(b"hush", "row:1"), "row:1") == b"hush"
        assert vault.open(memoryview(vault.seal(b"", "row:1")), "row:1") == b""

    def test_the_same_value_never_looks_the_same(self):
        assert vault.seal(b"hush", "row:1") != vault.seal(b"hush", "row:1")

    def test_it_is_bound_to_its_row(self):
        with pytest.raises(vault.CannotOpen, match="another row"):
            vault.open(vault.seal(b"hush", "row:1"), "row:2")

    @pytest.mark.parametrize("at", [0, 1, 6, 18, 30, -1])
    def test_a_changed_byte_is_found(self, at):
        sealed = bytearray(vault.seal(b"hush", "row:1"))
        sealed[at] ^= 1
        with pytest.raises(vault.CannotOpen):
            vault.open(bytes(sealed), "row:1")

    @pytest.mark.parametrize("length", [0, 1, 28, 44])
    def test_a_cut_one_is_found(self, length):
        with pytest.raises(vault.CannotOpen):
            vault.open(vault.seal(b"hush", "row:1")[:length], "row:1")


class TestKeys:
    def test_the_first_encrypts_all_decrypt(self, keys):
        old, new = key(), key()
        keys(old)
        sealed = vault.seal(b"hush", "row:1")

        keys(new, old)

        assert vault.open(sealed, "row:1") == b"hush"
        assert not vault.is_current(sealed)
        assert vault.is_current(vault.seal(b"hush", "row:1"))

    def test_without_its_key_a_value_stays_shut(self, keys):
        keys(key())
        sealed = vault.seal(b"hush", "row:1")
        keys(key())

        with pytest.raises(vault.CannotOpen, match="SIGNALBOX_ENCRYPTION_KEYS"):
            vault.open(sealed, "row:1")

    def test_both_ways_to_write_base64_will_do(self, keys):
        raw = b"\xfb\xff" * 16
        keys(b64encode(raw).decode())
        sealed = vault.seal(b"hush", "row:1")
        keys(urlsafe_b64encode(raw).decode())

        assert vault.open(sealed, "row:1") == b"hush"

    @pytest.mark.parametrize("text", ["", "short", "!!!", b64encode(b"x" * 31).decode()])
    def test_what_is_no_key_says_how_to_make_one(self, keys, text):
        keys(text)
        with pytest.raises(ImproperlyConfigured, match="openssl rand"):
            vault.seal(b"hush", "row:1")


def test_a_fingerprint_is_equal_for_equal_values_under_one_key_only(keys):
    keys(key())
    first = vault.fingerprint(b"hush")
    assert first == vault.fingerprint(b"hush")
    assert first != vault.fingerprint(b"hush!")
    assert first.startswith("fp:")
    assert len(first) == 19

    keys(key())
    assert vault.fingerprint(b"hush") != first
