"""A job of its own: lets the SDK fetch the official CLI into a folder, by starting its development server once."""

import asyncio
import os
import signal
import sys
import threading
import time
from pathlib import Path

from temporalio.testing import WorkflowEnvironment

_SILENCE_SECONDS = 20
"""A download that brings nothing for this long has no way out to the network."""


async def _fetch(folder: Path) -> None:
    async with await WorkflowEnvironment.start_local(download_dest_dir=str(folder), dev_server_log_level="error"):
        pass


def _give_up_when_silent(folder: Path) -> None:
    size, changed = -1, time.monotonic()
    while time.monotonic() - changed < _SILENCE_SECONDS:
        now = sum(file.stat().st_size for file in folder.iterdir() if file.is_file())
        if now != size:
            size, changed = now, time.monotonic()
        time.sleep(0.5)
    # With the server that may have started meanwhile: it is in our session.
    os.killpg(0, signal.SIGKILL)


def main(folder: Path) -> None:
    """Ends the process: 0 with the CLI in the folder, else 1 with the reason printed."""
    threading.Thread(target=_give_up_when_silent, args=(folder,), daemon=True).start()
    status = 0
    try:
        asyncio.run(_fetch(folder))
    except RuntimeError as error:
        print(str(error).splitlines()[0], flush=True)
        status = 1
    os._exit(status)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
