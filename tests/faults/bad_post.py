"""Messages on their way to the workers that get lost, come twice or come late, whoever has sent them."""

import random
import threading
from collections import Counter

from redis import Redis
from redis.exceptions import RedisError

from workers.dispatch import FIRST_QUEUE, JOBS_QUEUE

EVERY_SECONDS = 0.02
LATEST_SECONDS = 4.0


class BadPost:
    """Takes messages out of the broker's queues, just before workers would; counts by what it did with them."""

    def __init__(self, redis_url: str, dice: random.Random) -> None:
        self.done: Counter[str] = Counter()
        self._redis = Redis.from_url(redis_url, socket_timeout=2)
        self._dice = dice
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Let every message through from now on."""
        self._stopped.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._stopped.wait(self._dice.uniform(0, 2 * EVERY_SECONDS)):
            try:
                self._take_one(self._dice.choice([FIRST_QUEUE, JOBS_QUEUE]))
            except RedisError:
                self._stopped.wait(0.2)

    def _take_one(self, queue: str) -> None:
        message = self._redis.rpop(queue)
        if not isinstance(message, bytes):
            return
        kind = self._dice.choice(["lost", "doubled", "delayed"])
        if kind == "doubled":
            self._redis.rpush(queue, message, message)
        if kind == "delayed":
            late = self._dice.uniform(0.1, LATEST_SECONDS)
            threading.Timer(late, self._put_back, (queue, message)).start()
        self.done[f"messages {kind} on purpose"] += 1

    def _put_back(self, queue: str, message: bytes) -> None:
        try:
            self._redis.lpush(queue, message)
        except RedisError:
            self.done["delayed messages lost with Redis"] += 1
