"""Merkle trees over leaf hashes, and proofs that one leaf is in a tree.

Leaves and nodes are hashed with different first bytes, so that a node can never
pass as a row.

Source: RFC 6962, section 2.1 (the tree) and 2.1.1 (proofs).
"""

from collections.abc import Sequence
from hashlib import sha256

__all__ = ["EMPTY", "Tree", "leaf_hash", "path", "root", "root_from_path"]

EMPTY = sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    """The hash of one leaf."""
    return sha256(b"\x00" + data).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf hashes, level by level.

    Pairing neighbours and carrying an odd last one up gives the tree of the RFC, which
    is defined by splitting at the largest power of two.
    """
    if not leaves:
        return EMPTY
    level = list(leaves)
    while len(level) > 1:
        level = _parents(level)
    return level[0]


class Tree:
    """A tree kept whole, for the proofs of several of its leaves."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self._levels = [list(leaves)]
        while len(self._levels[-1]) > 1:
            self._levels.append(_parents(self._levels[-1]))

    def path(self, index: int) -> list[bytes]:
        """The hashes that lead from one leaf to the root, lowest first.

        Raises:
            IndexError: The tree has no such leaf.
        """
        count = len(self._levels[0])
        if not 0 <= index < count:
            raise IndexError(f"The tree has {count} leaves; there is no leaf {index}.")
        steps = []
        for level in self._levels[:-1]:
            sibling = index ^ 1
            if sibling < len(level):
                steps.append(level[sibling])
            index >>= 1
        return steps


def path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The hashes that lead from one leaf to the root, lowest first.

    Raises:
        IndexError: The tree has no such leaf.
    """
    return Tree(leaves).path(index)


def root_from_path(leaf: bytes, index: int, count: int, steps: Sequence[bytes]) -> bytes | None:
    """The root that a proof leads to, or None where the proof has the wrong length."""
    if not 0 <= index < count:
        return None
    left = list(reversed(steps))
    last, found = count - 1, leaf
    while last:
        if index & 1 or index < last:
            if not left:
                return None
            step = left.pop()
            found = _node(step, found) if index & 1 else _node(found, step)
        index, last = index >> 1, last >> 1
    return None if left else found


def _parents(level: list[bytes]) -> list[bytes]:
    above = [
        sha256(b"\x01" + level[at] + level[at + 1]).digest() for at in range(0, len(level) - 1, 2)
    ]
    if len(level) % 2:
        above.append(level[-1])
    return above


def _node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()
