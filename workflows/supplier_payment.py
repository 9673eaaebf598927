"""The process of a payment to a supplier (`supplier-payment/{operation id}`): it outlives the order's process."""

from __future__ import annotations

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.payables import PROCESS, Payables, PaymentStep
    from workflows.options import QUICK_WRITE


@workflow.defn(name=PROCESS)
class SupplierPaymentProcess:
    """Bills outlive the order's process, and so does paying them."""

    @workflow.run
    async def run(self, payment: PaymentStep) -> None:
        """Note the payment, whatever it met."""
        await workflow.execute_activity_method(Payables.pay, payment, **QUICK_WRITE)
