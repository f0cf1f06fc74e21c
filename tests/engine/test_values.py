import json
import struct
from decimal import Decimal
from pathlib import Path
from timeit import repeat
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.engine.canonical import NotCanonical, canonical, content_hash, es6_number
from apps.engine.values import BadJson, NotJson, _CarefulScan, check, dumps, loads

GITHUB = Path(__file__).parents[3] / "shared/data/webhooks/github"

numbers = st.one_of(
    st.integers(-(10**34) + 1, 10**34 - 1),
    st.builds(
        lambda sign, digits, exponent: Decimal((sign, tuple(map(int, str(digits))), exponent)),
        st.sampled_from((0, 1)),
        st.integers(0, 10**34 - 1),
        st.integers(-6000, 6000),
    ),
)
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
values = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, texts),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(texts, inner)),
    max_leaves=30,
)


def read(text) -> Any:
    return loads(text)


def digits(value) -> Any:
    """A value with each number as its own text, so that 1.0 and 1.00 differ."""
    if isinstance(value, dict):
        return {key: digits(item) for key, item in value.items()}
    if isinstance(value, list):
        return [digits(item) for item in value]
    if isinstance(value, bool | str | None):
        return value
    return "0" if str(value) == "-0" else str(value)  # a whole number has no sign of zero


class TestLoads:
    def test_keeps_every_digit(self):
        assert digits(loads(b"[1, 1.50, 1E+6144, -0.0, 9999999999999999999999999999999999]")) == [
            "1", "1.50", "1E+6144", "-0.0", "9999999999999999999999999999999999",
        ]  # fmt: skip

    def test_reads_whole_numbers_as_int_and_others_as_decimal(self):
        assert [type(v) for v in read("[1, 1.0, 1e2]")] == [int, Decimal, Decimal]

    def test_passes_over_a_byte_order_mark(self):
        assert loads(b"\xef\xbb\xbf{}") == {}

    def test_takes_escapes_that_only_look_bad(self):
        assert loads(r'["\\u0000", "\ud83d\ude00", "\u00e9"]') == ["\\u0000", "😀", "é"]

    @pytest.mark.parametrize(
        ("text", "code", "position"),
        [
            ('["a\0"]', "bad_json", 3),
            (r'["a\u0000"]', "bad_json", 3),
            (r'{"\u0000": 1}', "bad_json", 2),
            (r'["\ud83d"]', "bad_json", 2),
            (r'["\ud83dx\ude00"]', "bad_json", 2),
            (r'["\ude00\ud83d"]', "bad_json", 2),
            ('["\ud83d"]', "bad_json", 2),
            ("[NaN]", "bad_json", 1),
            ("[1, -Infinity]", "bad_json", 4),
            ("Infinity", "bad_json", 0),
            ("[99999999999999999999999999999999999]", "bad_json", 1),
            ("[0.00000000000000000000000000000000000001, 1.0000000000000000000000000000000000]", "bad_json", 43),
            ("9" * 100_000, "bad_json", 0),
            ("1e6145", "bad_json", 0),
            ("1e-6145", "bad_json", 0),
            ("1e99999999999999999999", "bad_json", 0),
            ('{"a": 1, "b": 2, "a": 3}', "bad_json", 17),
            ('{"a": {"b": 1, "\\u0062": 2}}', "bad_json", 15),
            ("[" * 65 + "]" * 65, "bad_json", 64),
            ("[" * 100_000, "bad_json", 64),
            ('{"a":' * 100_000, "bad_json", 320),
            (b'{"a": "\xff"}', "bad_json", 7),
            (b'"\xed\xa0\x80"', "bad_json", 1),
            ("", "malformed_json", 0),
            ("{", "malformed_json", 1),
            ("[1,]", "malformed_json", 3),
            ('{"a" 1}', "malformed_json", 5),
            ("{'a': 1}", "malformed_json", 1),
            ("[1] x", "malformed_json", 4),
            ('"a\nb"', "malformed_json", 2),
            (r'"\x"', "malformed_json", 1),
            (r'"\u12"', "malformed_json", 1),
            ("01", "malformed_json", 1),
            ("tru", "malformed_json", 0),
        ],
    )  # fmt: skip
    def test_refuses_with_code_and_position(self, text, code, position):
        with pytest.raises(BadJson) as error:
            loads(text)
        assert (error.value.code, error.value.position) == (code, position)
        assert error.value.message

    def test_tells_line_and_column(self):
        with pytest.raises(BadJson) as error:
            loads('{\n  "a": 1,\n  "a": 2\n}')
        assert (error.value.line, error.value.column) == (3, 3)

    def test_allows_64_levels_and_as_many_as_it_is_told(self):
        assert loads("[" * 64 + "]" * 64)
        with pytest.raises(BadJson):
            loads("[[[]]]", max_depth=2)

    @given(values)
    def test_reads_what_dumps_wrote(self, value):
        assert digits(loads(dumps(value))) == digits(value)
        assert digits(loads(dumps(value).encode())) == digits(value)

    @given(st.one_of(st.text(), st.text('{}[]",:\\u0dn19.eE-+ truefalsN')))
    def test_agrees_with_the_careful_scan(self, text):
        def outcome(read):
            try:
                return digits(read())
            except BadJson as error:
                return error.code, error.position

        assert outcome(lambda: loads(text)) == outcome(
            lambda: _CarefulScan(text.replace("\ufeff", " ", text.startswith("\ufeff")), 64).run()
        )

    def test_is_quick(self):
        small = json.dumps(
            {"id": "ord-1", "items": [{"sku": "a", "qty": 2}] * 10, "pad": "x" * 640}
        )
        assert min(repeat(lambda: loads(small), number=100, repeat=5)) / 100 < 5 * 50e-6

    @pytest.mark.skipif(not GITHUB.exists(), reason="the sample deliveries are not here")
    def test_is_quick_on_real_deliveries(self):
        bodies = [path.read_bytes() for path in GITHUB.glob("*.json")]
        largest = max(bodies, key=len)
        assert all(digits(loads(dumps(loads(body)))) == digits(loads(body)) for body in bodies)
        assert min(repeat(lambda: loads(largest), number=10, repeat=5)) / 10 < 5 * 500e-6


class TestDumps:
    def test_writes_compact_json_with_the_digits_of_each_number(self):
        value = {"a": [Decimal("1E+6144"), Decimal("1.50"), 1, True, None], "ü": 'x"y'}
        assert dumps(value) == '{"a":[1E+6144,1.50,1,true,null],"ü":"x\\"y"}'

    def test_is_not_fooled_by_texts_that_look_like_its_marks(self):
        value = ["\\u00001.5", '"\\u0000', Decimal("1.5"), '"\\u00001.5"']
        assert loads(dumps(value)) == value

    @pytest.mark.parametrize(
        ("value", "path"),
        [
            (1.5, ()),
            ({"a": [1, {"b c": 1.5}]}, ("a", 1, "b c")),
            ([float("nan")], (0,)),
            ([Decimal("NaN")], (0,)),
            ([Decimal("1E+6145")], (0,)),
            ([10**34], (0,)),
            ([True, Decimal(10**34)], (1,)),
            ({1: 2}, ()),
            ([(1, 2)], (0,)),
            ({"a": {1, 2}}, ("a",)),
            ([b"x"], (0,)),
            (["a", "\0"], (1,)),
            (["a", "\ud800"], (1,)),
            ([Decimal(1), "\x001.5"], (1,)),
            ({"\0": 1}, ()),
            ({"\ud800": 1}, ()),
        ],
    )
    def test_refuses_what_is_not_json_and_names_the_place(self, value, path):
        for refuse in (dumps, check, canonical):
            with pytest.raises(NotJson) as error:
                refuse(value)
            assert error.value.path == path

    def test_refuses_more_than_64_levels(self):
        value: list[Any] = []
        for _ in range(63):
            value = [value]
        assert dumps(value) == "[" * 64 + "]" * 64
        with pytest.raises(NotJson):
            dumps([value])
        loop: list[Any] = []
        loop.append(loop)
        with pytest.raises(NotJson):
            dumps(loop)


class TestCanonical:
    @pytest.mark.parametrize(
        ("bits", "text"),
        [
            ("0000000000000000", "0"),
            ("8000000000000000", "0"),
            ("0000000000000001", "5e-324"),
            ("8000000000000001", "-5e-324"),
            ("7fefffffffffffff", "1.7976931348623157e+308"),
            ("ffefffffffffffff", "-1.7976931348623157e+308"),
            ("4340000000000000", "9007199254740992"),
            ("c340000000000000", "-9007199254740992"),
            ("4430000000000000", "295147905179352830000"),
            ("44b52d02c7e14af5", "9.999999999999997e+22"),
            ("44b52d02c7e14af6", "1e+23"),
            ("44b52d02c7e14af7", "1.0000000000000001e+23"),
            ("444b1ae4d6e2ef4e", "999999999999999700000"),
            ("444b1ae4d6e2ef4f", "999999999999999900000"),
            ("444b1ae4d6e2ef50", "1e+21"),
            ("3eb0c6f7a0b5ed8c", "9.999999999999997e-7"),
            ("3eb0c6f7a0b5ed8d", "0.000001"),
            ("41b3de4355555553", "333333333.3333332"),
            ("41b3de4355555554", "333333333.33333325"),
            ("41b3de4355555555", "333333333.3333333"),
            ("41b3de4355555556", "333333333.3333334"),
            ("41b3de4355555557", "333333333.33333343"),
            ("becbf647612f3696", "-0.0000033333333333333333"),
            ("43143ff3c1cb0959", "1424953923781206.2"),
        ],
    )
    def test_writes_numbers_as_rfc_8785_appendix_b(self, bits, text):
        (number,) = struct.unpack(">d", bytes.fromhex(bits))
        assert es6_number(number) == text

    def test_writes_the_sample_of_rfc_8785(self):
        sample = r"""{
            "numbers": [333333333.3333333, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
            "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
            "literals": [null, true, false]
        }"""
        assert canonical(loads(sample)).decode() == (
            r'{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
            r'"string":"€$\u000f\nA'
            "'"
            r'B\"\\\\\"/"}'
        )

    def test_sorts_names_by_utf_16_code_units(self):
        names = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
        order = list(read(canonical(dict.fromkeys(names))))
        assert order == ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]

    @pytest.mark.parametrize(
        "number",
        [
            Decimal("333333333.33333329"),
            9007199254740993,
            Decimal("0.1000000000000000055511151231257827"),
            Decimal("1E+400"),
            Decimal("1E-400"),
            10**33 + 1,
        ],
    )
    def test_refuses_numbers_that_are_not_doubles(self, number):
        with pytest.raises(NotCanonical) as error:
            canonical({"a": [number]})
        assert error.value.path == ("a", 0)

    def test_hashes_equal_documents_alike(self):
        assert content_hash({"b": 1, "a": Decimal("0.50")}) == content_hash(
            {"a": Decimal("0.5"), "b": Decimal(1)}
        )
        assert (
            content_hash({}) == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
        )

    @given(st.floats(allow_nan=False, allow_infinity=False))
    def test_writes_every_double_so_that_it_reads_back(self, number):
        assert float(es6_number(number)) == number
        assert canonical(Decimal(repr(number))) == es6_number(number).encode()
