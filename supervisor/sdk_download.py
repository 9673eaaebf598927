"""A job of its own: lets the SDK fetch the official CLI into a folder, by starting its development server once."""

import asyncio
import sys

from temporalio.testing import WorkflowEnvironment


async def _fetch(folder: str) -> None:
    async with await WorkflowEnvironment.start_local(download_dest_dir=folder, dev_server_log_level="error"):
        pass


if __name__ == "__main__":
    asyncio.run(_fetch(sys.argv[1]))
