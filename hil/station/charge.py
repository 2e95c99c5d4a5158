"""What a guard is told when it is started: one line of JSON on its standard input."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

HEARTBEAT_S = 2.0  # silence after which the guard acts
STALL_S = 10.0  # time after which a run whose main thread does nothing stops its own heartbeat; longer than any link's


@dataclass(frozen=True, slots=True)
class Post:
    """An instrument that the guard makes safe."""

    role: str
    driver: str
    resource: str


@dataclass(frozen=True, slots=True)
class Charge:
    """Whom the guard watches, and what it makes safe, in order."""

    station: str
    run_pid: int
    posts: tuple[Post, ...]
    heartbeat_s: float = HEARTBEAT_S
    record: str = ""  # the run's folder; empty: there is none
    control: str = ""  # of a simulated station, host:port; empty: a real bench
    usb: str = ""  # of a simulated station, host:port
    locks: tuple[tuple[str, int], ...] = ()  # path and inherited descriptor

    def to_json(self) -> str:
        """Return it as one line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, line: str) -> Charge:
        """Read that line."""
        said = json.loads(line)
        posts = tuple(Post(**post) for post in said.pop("posts"))
        locks = tuple((str(path), int(fd)) for path, fd in said.pop("locks"))
        return cls(posts=posts, locks=locks, **said)
