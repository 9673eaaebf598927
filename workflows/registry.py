"""Which processes the workers run."""

from workflows.booking import BookingProcess
from workflows.cancellation import CancellationProcess
from workflows.document import DocumentProcess
from workflows.papers import PapersProcess
from workflows.purchase_order import PurchaseOrderProcess
from workflows.supplier_payment import SupplierPaymentProcess
from workflows.supplier_receipt import SupplierReceiptProcess
from workflows.upkeep import UpkeepProcess

PROCESSES: tuple[type, ...] = (
    PurchaseOrderProcess,
    SupplierReceiptProcess,
    SupplierPaymentProcess,
    BookingProcess,
    CancellationProcess,
    DocumentProcess,
    PapersProcess,
    UpkeepProcess,
)
