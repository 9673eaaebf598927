"""The last step before a part: gives up root, asks to be told of the supervisor's end, and becomes the part.

A program of its own, on the standard library alone, because a process with threads must not run Python between fork
and exec. Words: death signal, supervisor's pid, uid and gid (`-` for ourselves), then the command.
"""

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1


def main(death_signal: str, supervisor: str, uid: str, gid: str, *command: str) -> None:
    """Does not return; ends with 127 and a line in the part's log when the command cannot be run."""
    if uid != "-":
        os.setgroups([])
        os.setgid(int(gid))
        os.setuid(int(uid))
    if sys.platform == "linux":
        # After the change of user, which would have cleared it.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
    if os.getppid() != int(supervisor):
        sys.exit("the supervisor ended before its part began")
    try:
        os.execvp(command[0], command)  # noqa: S606 - becoming the part is the point
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", flush=True)
        os._exit(127)


if __name__ == "__main__":
    main(*sys.argv[1:])
