"""An event loop in a thread of its own, for callers that are no coroutines."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

END_SECONDS = 20.0


class LoopThread:
    """Runs from when it is made until ``close``. All methods are for other threads than its own."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def wait_for(self, work: Coroutine[Any, Any, T], seconds: float) -> T:
        """The result. Raises ``TimeoutError``, with the work cancelled, when it takes longer."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(seconds)
        except BaseException:  # Ctrl-C among them: nobody waits for it any more
            future.cancel()
            raise

    def ask(self, question: Callable[[], T], seconds: float = END_SECONDS) -> T:
        """What a function answers when it is called in the loop."""

        async def answer() -> T:
            return question()

        return self.wait_for(answer(), seconds)

    def close(self) -> None:
        """End the loop; what runs in it is cancelled. A thread that hangs is left behind."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(END_SECONDS)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            left = asyncio.all_tasks(self._loop)
            for task in left:
                task.cancel()
            self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            asyncio.set_event_loop(None)
            self._loop.close()
