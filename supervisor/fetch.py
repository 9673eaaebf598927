"""A job of its own: gets an engine's programs ahead of time, so that nothing waits for a build later.

`python -m supervisor.fetch dev` (or `cluster`). Ends with 0 when they are there, 1 with what to do when they cannot be had.
"""

import os
import subprocess
import sys

from supervisor import engine, temporal_binaries
from supervisor.errors import CannotStart
from supervisor.process import Spec
from supervisor.temporal_binaries import Workshop


def fetch(name: str) -> None:
    """Raises CannotStart when the engine's programs can be neither found, downloaded nor built."""
    workshop = Workshop(run=run_to_its_end, say=tell)
    if name == engine.CLUSTER:
        temporal_binaries.server_and_schema_tool(workshop)
    else:
        temporal_binaries.command_line(workshop)


def run_to_its_end(spec: Spec, seconds: float) -> None:
    """Carries out a download, a build or a schema job. Raises CannotStart when it fails or takes longer."""
    environment = {**os.environ, **spec.environment}
    try:
        subprocess.run(spec.command, check=True, cwd=spec.folder, env=environment, timeout=seconds)
    except subprocess.SubprocessError as error:
        raise CannotStart(str(error)) from error


def tell(words: str) -> None:
    """To whoever waits for it."""
    print(f"temporal  {words}", flush=True)


if __name__ == "__main__":
    try:
        fetch(sys.argv[1])
    except CannotStart as refused:
        print(f"allotment: {refused}", file=sys.stderr)
        sys.exit(1)
