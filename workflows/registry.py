"""Which processes the workers run."""

from workflows.booking import BookingProcess
from workflows.cancellation import CancellationProcess
from workflows.document import DocumentProcess

PROCESSES: tuple[type, ...] = (BookingProcess, CancellationProcess, DocumentProcess)
