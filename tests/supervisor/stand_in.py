"""A supervisor with a real Postgres and a stand-in for Temporal and for every part of ours: ready in two seconds.

`python -m tests.supervisor.stand_in up [--demo]` is `allotment up`; any other word is a part that serves or sleeps.
"""

import http.server
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from typing_extensions import override

if TYPE_CHECKING:
    from supervisor.base import Ground
    from supervisor.engine import Engine
    from supervisor.process import Spec

ROOT = Path(__file__).parents[2]

BROKEN, STUBBORN = "STAND_IN_BROKEN", "STAND_IN_STUBBORN"
"""Variables that name a part which ends as soon as it starts, and one which ignores SIGTERM."""


class _Healthy(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    @override
    def log_message(self, *_words: object) -> None:
        pass


def _serve() -> None:
    with http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["ALLOTMENT_PORT"])), _Healthy) as server:
        server.serve_forever()


def _play(part: str) -> None:
    if os.environ.get(BROKEN) == part:
        sys.exit(f"the {part} is broken on purpose")
    stubborn = os.environ.get(STUBBORN) == part
    signal.signal(signal.SIGTERM, signal.SIG_IGN if stubborn else lambda *_: os._exit(0))
    if part == "api":
        _serve()
    if part == "worker":
        # A grandchild in a session of its own, which outlives its parent unless somebody looks after it.
        subprocess.Popen(["sleep", "600"], start_new_session=True)
    time.sleep(3600)


def _stand_in(*words: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "tests.supervisor.stand_in", *words)


def _part(name: str, words: tuple[str, ...], environment: dict[str, str], *, seconds: float) -> "Spec":
    from supervisor.process import Spec

    command = ("true",) if name == "seed" else _stand_in(*words)
    return Spec(name, command, environment=environment, folder=ROOT, stop_seconds=seconds)


def _temporal(ground: "Ground", _programs: tuple[Path, ...], _owner_url: str) -> "Engine":
    from supervisor.engine import Engine
    from supervisor.process import Spec

    spec = Spec("temporal", _stand_in("temporal"), folder=ROOT)
    ground.crew.start(spec)
    return Engine("dev", spec, "127.0.0.1:1", lambda: None)


def _up(*, demo: bool) -> int:
    import settings
    from supervisor import base, parts, up
    from supervisor.process import Spec

    for place, name, stand_in in (
        (parts, "_part", _part),
        (parts, "registrar", lambda name, *_words: Spec(name, ("true",))),
        (base, "migrate", lambda *_words, **_more: "postgresql://127.0.0.1/none"),
        (base, "_find_programs", lambda _ground: ()),
        (base, "_start_temporal", _temporal),
    ):
        setattr(place, name, stand_in)
    return up.up(settings.current(), demo=demo)


def main(words: list[str]) -> None:
    # `make run PY=...` puts `-m cli` between us and the command.
    words = words[2:] if words[:2] == ["-m", "cli"] else words
    if words[0] == "up":
        sys.exit(_up(demo="--demo" in words))
    _play(words[0])


if __name__ == "__main__":
    main(sys.argv[1:])
