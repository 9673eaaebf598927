"""The smallest process that has something to lose: it remembers a word until it is told to end."""

from temporalio import workflow


@workflow.defn
class WaitingProcess:
    def __init__(self) -> None:
        self._word = ""
        self._over = False

    @workflow.run
    async def run(self) -> str:
        await workflow.wait_condition(lambda: self._over)
        return self._word

    @workflow.update
    async def hear(self, word: str) -> None:
        self._word = word

    @workflow.update
    async def end(self) -> None:
        self._over = True
