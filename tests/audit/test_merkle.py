from hashlib import sha256

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.audit import merkle
from tools import verify_audit

# The leaves and roots of the reference implementations of Certificate Transparency.
LEAVES = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
HASHES = [merkle.leaf_hash(bytes.fromhex(leaf)) for leaf in LEAVES]

leaves = st.lists(st.binary(max_size=8), max_size=70).map(
    lambda rows: [merkle.leaf_hash(row) for row in rows]
)


@pytest.mark.parametrize("count", range(1, 9))
def test_roots_are_those_of_certificate_transparency(count):
    assert merkle.root(HASHES[:count]).hex() == ROOTS[count - 1]


def test_the_root_over_nothing_is_the_hash_of_nothing():
    assert merkle.root([]) == sha256(b"").digest()


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(leaves)
def test_the_root_is_the_recursion_of_the_rfc(rows):
    assert merkle.root(rows) == verify_audit.merkle_root(rows)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(leaves.filter(bool), st.data())
def test_every_leaf_has_a_proof_that_leads_to_the_root_and_to_no_other(rows, data):
    index = data.draw(st.integers(0, len(rows) - 1))
    path = merkle.path(rows, index)

    for check in (merkle.root_from_path, verify_audit.root_from_path):
        assert check(rows[index], index, len(rows), path) == merkle.root(rows)
        assert check(merkle.leaf_hash(b"another row"), index, len(rows), path) != merkle.root(rows)
        assert check(rows[index], index, len(rows), [*path, bytes(32)]) is None
        assert path == [] or check(rows[index], index, len(rows), path[:-1]) is None
        assert check(rows[index], len(rows), len(rows), path) is None


def test_a_node_cannot_pass_as_a_leaf():
    left, right = HASHES[:2]
    assert merkle.leaf_hash(left + right) != merkle.root([left, right])


def test_there_is_no_proof_for_a_leaf_that_is_not_there():
    with pytest.raises(IndexError):
        merkle.path(HASHES, 8)
