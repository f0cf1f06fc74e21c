"""End a worker that hears no bells any more, so that the supervisor starts a new one.

Celery's consumer can come out of a broker's restart connected and in its loop, yet without
asking for messages ever again: bells lie in the queue and nothing is driven. The worker itself
is the only one that knows how busy it is, so it looks: bells waiting, hands free, and nothing
received, several looks in a row.
"""

import logging
import os
import threading
from collections.abc import Callable, Sequence

import redis

EVERY_S = 2.5
LOOKS = 6

_log = logging.getLogger(__name__)


class Hearing:
    """What one worker hears."""

    def __init__(
        self,
        queues: Sequence[str],
        *,
        bells: Callable[[str], int],
        free_hands: Callable[[], int],
    ) -> None:
        """``bells`` says how many lie in a queue; ``free_hands`` how many tasks could be taken."""
        self._queues = queues
        self._bells = bells
        self._free_hands = free_hands
        self._received = 0
        self._seen = 0
        self._deaf_looks = 0

    def received(self) -> None:
        """A message has come."""
        self._received += 1

    def is_lost(self) -> bool:
        """Look once; true when it has been deaf for as many looks as it may be."""
        heard = self._received != self._seen
        self._seen = self._received
        if heard or self._free_hands() <= 0 or not any(map(self._bells, self._queues)):
            self._deaf_looks = 0
        else:
            self._deaf_looks += 1
        return self._deaf_looks >= LOOKS

    def watch(self) -> None:
        """Look for ever in a thread of its own; ends the process when hearing is lost."""
        threading.Thread(target=self._watch, name="hearing", daemon=True).start()

    def _watch(self) -> None:
        pause = threading.Event()
        while not pause.wait(EVERY_S):
            try:
                if self.is_lost():
                    _log.error("bells lie in %s and none is heard: this worker ends", self._queues)
                    os._exit(70)
            except (OSError, redis.RedisError) as error:
                _log.info("hearing not tested: %s", error)
                self._deaf_looks = 0
