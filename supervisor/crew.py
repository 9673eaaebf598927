"""The running parts of one home: started, waited for, started again when they die, and stopped in order."""

import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from types import FrameType

import psutil

from supervisor.console import Console
from supervisor.errors import CannotStart, StopRequested
from supervisor.files import last_line
from supervisor.home import Home
from supervisor.process import Child, Spec, become_subreaper

_TICK = 0.1
_LONGEST_PAUSE = 4.0
"""Seconds before a part that keeps dying is tried again; the contract allows 5."""
_SLOWEST_START = 10.0
"""A part that dies before this during the instance's start has not started, on a machine however slow."""
_SETTLED = 3.0
"""A part that lived this long is at work: it starts again at once, and the instance may be called ready."""
_ECHO = 2.0
"""Within so many seconds a second signal is the first one once more: make and service managers pass on what we got."""
_DEATHS_AT_START = 3
"""A part that dies this often before the instance is ready makes the start fail."""


@dataclass
class _Post:
    """A part's place in the crew, whether or not somebody stands there now."""

    spec: Spec
    child: Child
    deaths: int = 0
    again_at: float | None = None


class Crew:
    """Everything is done from one thread; a signal only leaves a note that the next wait finds."""

    def __init__(self, home: Home, console: Console) -> None:
        self._home = home
        self._console = console
        self._posts: dict[str, _Post] = {}
        self._jobs: list[Child] = []
        self._starting = True
        self._reaps = False
        self._asked_at: float | None = None
        self._in_haste = False
        self._condemned: SimpleQueue[str] = SimpleQueue()

    def listen(self) -> None:
        """Takes over signals and orphans; for a process that is a supervisor and nothing else."""
        become_subreaper()
        self._reaps = True
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._note)
        # Under nohup the terminal may close without us.
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            signal.signal(signal.SIGHUP, self._note)

    def start(self, spec: Spec) -> None:
        """Starts a part and keeps it alive from now on."""
        self._raise_if_stopping()
        child = Child(spec, home=self._home)
        self._posts[spec.name] = _Post(spec, child)
        self._console.say(spec.name, f"started, pid {child.pid}")

    def is_alive(self, name: str) -> bool:
        return name in self._posts and not self._posts[name].child.has_ended()

    def is_steady(self) -> bool:
        """Whether everybody is at work and whoever had died has stayed for a while since."""
        now = time.monotonic()
        return all(
            post.again_at is None
            and not post.child.has_ended()
            and (post.deaths == 0 or now - post.child.started > _SETTLED)
            for post in self._posts.values()
        )

    def begin(self, spec: Spec) -> Child:
        """Starts a job that ends by itself; `finish` waits for it."""
        self._raise_if_stopping()
        child = Child(spec, home=self._home)
        self._jobs.append(child)
        return child

    def finish(self, job: Child, *, seconds: float, advice: str = "") -> None:
        """Raises CannotStart when the job fails or takes longer."""
        name = job.spec.name
        try:
            self.until(job.has_ended, seconds=seconds, what=f"{name} to end")
        except CannotStart:
            job.kill()
            raise
        finally:
            if job.has_ended():
                self._jobs.remove(job)
                job.forget()
        if job.status != 0:
            raise CannotStart(f"{name} failed: {self._last_words(name)}{advice}")

    def run(self, spec: Spec, *, seconds: float = 60, advice: str = "") -> None:
        self.finish(self.begin(spec), seconds=seconds, advice=advice)

    def until(self, done: Callable[[], bool], *, seconds: float, what: str) -> None:
        """Waits, tending the parts meanwhile. Raises StopRequested, or CannotStart when the time is over."""
        deadline = time.monotonic() + seconds
        while not done():
            self._tend()
            if time.monotonic() > deadline:
                raise CannotStart(f"waited {seconds:.0f} s in vain for {what}; see {self._home.logs}")
            self._pause()

    def watch(self) -> None:
        """Keeps every part alive until somebody says stop; raises StopRequested then."""
        self._starting = False
        while True:
            self._tend()
            self._pause()

    def stop(self, order: Sequence[Sequence[str]]) -> None:
        """Ends the parts, one group after the other, then whatever is left of them; never raises."""
        for job in self._jobs:
            job.kill()
            job.forget()
        named = {name for group in order for name in group}
        rest = [name for name in self._posts if name not in named]
        for group in (rest, *order):
            self._stop_group([self._posts[name] for name in group if name in self._posts])
        self._end_orphans()

    def _stop_group(self, posts: Sequence[_Post]) -> None:
        running = [post.child for post in posts if not post.child.has_ended()]
        asked_at = time.monotonic()
        for child in running:
            child.ask_to_end()
        while any(not child.has_ended() for child in running):
            for child in running:
                late = time.monotonic() - asked_at > child.spec.stop_seconds
                if not child.has_ended() and (late or self._in_haste):
                    self._console.say(child.spec.name, "did not stop in time, killed")
                    child.kill()
            time.sleep(_TICK / 4)
        for post in posts:
            self._clear_up(post)
        if posts:
            self._console.say("allotment", f"stopped {', '.join(post.spec.name for post in posts)}")

    def _clear_up(self, post: _Post) -> None:
        post.child.kill_session()
        post.child.forget()
        if post.spec.before_start and post.child.status != 0:
            # A part that did not end by itself may have left something that nobody else will clear.
            post.spec.before_start()

    def _end_orphans(self) -> None:
        if not self._reaps:
            return
        children = psutil.Process().children(recursive=True)
        for process in children:
            try:
                process.kill()
            except psutil.Error:
                continue
        psutil.wait_procs(children, timeout=3)
        self._reap_orphans()

    def _tend(self) -> None:
        """One look at every part: who died is started again, after a pause that grows."""
        if self._reaps:
            self._reap_orphans()
        self._end_condemned()
        for post in self._posts.values():
            if post.again_at is None and post.child.has_ended():
                self._mourn(post)
            if post.again_at is not None and time.monotonic() >= post.again_at:
                self._replace(post)

    def condemn(self, name: str) -> None:
        """Have a part that hangs ended and started again, at the next look at the parts; from any thread."""
        self._condemned.put(name)

    def _end_condemned(self) -> None:
        while not self._condemned.empty():
            name = self._condemned.get_nowait()
            if self.is_alive(name):
                self._console.say(name, "has not answered for a minute")
                self._posts[name].child.kill()

    def _mourn(self, post: _Post) -> None:
        name, child = post.spec.name, post.child
        child.kill_session()
        lived = time.monotonic() - child.started
        post.deaths = 1 if lived > (_SLOWEST_START if self._starting else _SETTLED) else post.deaths + 1
        if self._starting and post.deaths >= _DEATHS_AT_START:
            raise CannotStart(f"{name} {child.ending()} each time: {self._last_words(name)}")
        pause = 0.0 if post.deaths == 1 else min(_LONGEST_PAUSE, 0.125 * 2**post.deaths)
        post.again_at = time.monotonic() + pause
        self._console.say(name, f"{child.ending()}; starting again" + (f" in {pause:.1f} s" if pause else ""))

    def _replace(self, post: _Post) -> None:
        post.again_at = None
        try:
            post.child = Child(post.spec, home=self._home)
        except OSError as error:
            post.again_at = time.monotonic() + _LONGEST_PAUSE
            self._console.say(post.spec.name, f"cannot be started: {error}")
        else:
            self._console.say(post.spec.name, f"started again, pid {post.child.pid}")

    def _reap_orphans(self) -> None:
        """Collects dead processes that became ours; our own parts are left to those who started them."""
        own = {post.child.pid for post in self._posts.values()} | {job.pid for job in self._jobs}
        while True:
            try:
                dead = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if dead is None or dead.si_pid in own:
                return
            os.waitpid(dead.si_pid, 0)

    def _last_words(self, name: str) -> str:
        log = self._home.log(name)
        return f"{last_line(log) or 'it said nothing'} ({log})"

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        now = time.monotonic()
        if self._asked_at is None:
            self._asked_at = now
        elif now - self._asked_at > _ECHO:
            self._in_haste = True

    def _pause(self) -> None:
        self._raise_if_stopping()
        time.sleep(_TICK)
        self._raise_if_stopping()

    def _raise_if_stopping(self) -> None:
        if self._asked_at is not None:
            raise StopRequested
