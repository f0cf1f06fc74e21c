"""What is taken out before anything is stored."""

from base64 import b64encode, urlsafe_b64encode
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.connections import masking

SECRET = "s3cr/t+välue"


class TestHeaders:
    @pytest.mark.parametrize(
        "name",
        [
            "authorization", "Authorization", "Proxy-Authorization", "cookie", "Set-Cookie",
            "X-Hub-Signature-256", "webhook-signature", "X-Api-Key", "x-auth-token", "Client-Secret",
            "X-My-Password", "apikey", "sig",
        ],
    )  # fmt: skip
    def test_sensitive_ones_become_fingerprints(self, name):
        masked = masking.mask_headers({name: SECRET})

        assert masked == {name: masking.fingerprint(SECRET)}
        assert SECRET not in str(masked)

    @pytest.mark.parametrize(
        "name", ["content-type", "user-agent", "x-github-delivery", "webhook-id"]
    )
    def test_others_stay(self, name):
        assert masking.mask_headers({name: "value"}) == {name: "value"}

    def test_equal_values_stay_recognisable(self):
        masked = masking.mask_headers({"x-token": "a", "y-token": "a", "z-token": "b"})

        assert masked["x-token"] == masked["y-token"] != masked["z-token"]

    def test_query_fields_may_be_lists(self):
        masked = masking.mask_query({"token": ["a", "b"], "page": ["1"]})

        assert masked == {
            "token": [masking.fingerprint("a"), masking.fingerprint("b")],
            "page": ["1"],
        }


class TestPaths:
    def test_named_paths_become_fingerprints(self):
        body: dict[str, Any] = {
            "card": {"number": "4111", "name": "Ann"},
            "lines": [{"iban": 1}, {"iban": 2}, {"x": 3}],
        }

        masked = masking.mask_paths(body, ["card.number", "lines[].iban"])

        assert masked["card"] == {"number": masking.fingerprint("4111"), "name": "Ann"}
        assert [set(line) for line in masked["lines"]] == [{"iban"}, {"iban"}, {"x"}]
        assert all(str(line.get("iban", "fp:")).startswith("fp:") for line in masked["lines"])
        assert masked["lines"][2] == {"x": 3}
        assert body["card"]["number"] == "4111", "the original is left alone"

    def test_a_whole_branch_can_be_named(self):
        masked = masking.mask_paths({"person": {"name": "Ann", "age": Decimal(7)}}, ["person"])

        assert masked["person"].startswith("fp:")

    @pytest.mark.parametrize("path", ["nothing", "a.b.c", "a[].b", "a.0", ""])
    @pytest.mark.parametrize("body", [None, 1, "text", [], {}, {"a": 1}, {"a": [1, None]}])
    def test_a_path_that_is_not_there_does_no_harm(self, body, path):
        masking.mask_paths(body, [path])


class TestEcho:
    @pytest.mark.parametrize(
        "echo",
        [
            SECRET,
            quote(SECRET, safe=""),
            b64encode(SECRET.encode()).decode(),
            urlsafe_b64encode(SECRET.encode()).decode(),
            SECRET.replace("ä", "\\u00e4"),
        ],
    )
    def test_a_secret_echoed_in_a_response_is_masked_however_written(self, echo):
        masked = masking.mask_secret_echo(f"you sent {echo}.".encode(), [SECRET]).decode()

        assert echo not in masked
        assert masking.ECHO in masked

    @given(before=st.binary(max_size=7), after=st.binary(max_size=7))
    def test_also_inside_longer_base64(self, before, after):
        secret = "a-long-enough-secret"
        text = b64encode(before + secret.encode() + after)

        masked = masking.mask_secret_echo(text, [secret])

        assert masking.ECHO.encode() in masked

    def test_in_json_values_and_names(self):
        masked = masking.mask_echo_in(
            {"a": [f"x {SECRET}", 1, None], SECRET: True}, [SECRET, "other"]
        )

        assert masked == {"a": [f"x {masking.ECHO}", 1, None], masking.ECHO: True}

    def test_one_secret_within_another_leaves_no_rest(self):
        masked = masking.mask_secret_echo(b"abcdefgh", ["abcd", "abcdefgh"])

        assert masked == masking.ECHO.encode()

    def test_very_short_ones_are_left(self):
        assert masking.mask_secret_echo(b"a cat", ["a", ""]) == b"a cat"
