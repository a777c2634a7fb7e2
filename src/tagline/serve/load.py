"""How much waits and how fast it is computed: whether one more is let in, and how much makes a batch.

No thread, no clock: plain rules, called under the lock of those who ask. See docs/decisions/0010.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from tagline.serve.metrics import CLASSES, Metrics

_MEMORY = 8_192  # sub-tokens after which what was measured counts a third
_LEAST = 64  # sub-tokens of a batch, however slow it is
_GUESS = 0.02 / 512  # seconds a sub-token, until something was measured


class Refused(Exception):
    """Too much waits.

    Attributes:
        seconds: about how long what waits will take.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(f"about {seconds:.1f} s of work are waiting already")
        self.seconds = seconds


@dataclass(frozen=True)
class LoadSettings:
    """What may wait, and what is computed at once.

    Attributes:
        slots: batches that are computed at the same time.
        budget: most sub-tokens of a batch, padding included.
        batch_seconds: about how long a batch may take while others wait: what comes in must wait so long.
        max_wait: seconds of computing before a short job, beyond which it is refused.
        max_wait_long: the same for a long one.
    """

    slots: int = 1
    budget: int = 512
    batch_seconds: float = 0.01
    max_wait: float = 0.1
    max_wait_long: float = 10.0


class Load:
    """Counts what waits, and measures how fast it goes.

    Args:
        settings: what may wait.
        metrics: is told of what waits and of refusals.
    """

    def __init__(self, settings: LoadSettings, metrics: Metrics) -> None:
        self._settings, self._metrics = settings, metrics
        self._pending = [0.0, 0.0]  # sub-tokens of short and of long jobs
        self._jobs = [0, 0]
        self._seconds, self._tokens = _GUESS * _MEMORY, float(_MEMORY)
        self._fresh = True

    @property
    def speed(self) -> float:
        """Sub-tokens a second of one slot, padding not counted."""
        return self._tokens / self._seconds

    @property
    def batch(self) -> int:
        """Sub-tokens that the next batch may have, padding included."""
        wanted = int(self.speed * self._settings.batch_seconds)
        return min(self._settings.budget, max(_LEAST, wanted))

    def is_long(self, tokens: int) -> bool:
        """Whether a job of so many sub-tokens is computed in slices between others."""
        return tokens > self._settings.budget

    def wait(self, long: bool) -> float:
        """Seconds until a job that came now would be computed; 0 where it goes with the next batches anyway."""
        mine, other = self._pending[long], self._pending[not long]
        if mine <= self._settings.budget * self._settings.slots:
            return 0.0  # however slow they seemed so far
        share = 1.0 if not other else 3.0 if long else 1.5  # of the computing the queue gives short ones two thirds
        return mine * share / (self.speed * self._settings.slots)

    def admit(self, long: bool) -> None:
        """Lets a job in.

        Raises:
            Refused: too much waits already.
        """
        wait = self.wait(long)
        if wait > (self._settings.max_wait_long if long else self._settings.max_wait):
            self._metrics.add("tagline_refused_total", CLASSES[long])
            raise Refused(wait)

    def add(self, long: bool, tokens: float, jobs: int = 0) -> None:
        """Counts what begins to wait, or with negative numbers no longer does."""
        self._pending[long] += tokens
        self._jobs[long] += jobs
        self._metrics.put("tagline_queue_tokens", CLASSES[long], value=max(0.0, self._pending[long]))
        if jobs:
            self._metrics.put("tagline_queue_requests", CLASSES[long], value=self._jobs[long])

    def measured(self, seconds: float, tokens: int) -> None:
        """A slot took so long for so many sub-tokens."""
        if self._fresh:  # what was measured replaces the guess
            self._fresh, self._seconds, self._tokens = False, seconds, float(tokens)
            return
        fade = math.exp(-tokens / _MEMORY)
        self._seconds, self._tokens = self._seconds * fade + seconds, self._tokens * fade + tokens
