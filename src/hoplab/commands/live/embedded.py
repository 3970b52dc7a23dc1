"""An ASGI server in a thread of this process: the lab's own, whatever runs in the lab."""

import asyncio
import socket
import threading
from collections.abc import Callable

import uvicorn
from starlette.types import ASGIApp

_GRACE = 2  # seconds for requests that are being answered


class Embedded:
    """Serves an application at a socket that listens.

    end_streams: ends those answers that would never end; it is called in the server's thread.
    """

    def __init__(
        self, application: ASGIApp, sock: socket.socket, end_streams: Callable[[], None]
    ) -> None:
        config = uvicorn.Config(
            application,
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=_GRACE,
        )
        self._began = threading.Event()
        self._server = _Telling(config, self._began)
        self._socket = sock
        self._end_streams = end_streams
        self._loop: asyncio.AbstractEventLoop | None = None
        # No exception of the lab's may keep the program alive: it ends with the main thread.
        self._thread = threading.Thread(target=self._run, name="live page", daemon=True)

    def start(self) -> bool:
        """Begin, and wait until it answers. False if it ended at once."""
        self._thread.start()
        self._began.wait()
        return self._server.started

    def stop(self) -> None:
        """End it, from any thread, and wait for that."""
        self._server.should_exit = True
        if self._loop and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._end_streams)
        self._thread.join()

    def _run(self) -> None:
        try:
            with asyncio.Runner() as runner:
                self._loop = runner.get_loop()
                runner.run(self._server.serve(sockets=[self._socket]))
        finally:
            self._began.set()


class _Telling(uvicorn.Server):
    """Says when it has begun."""

    def __init__(self, config: uvicorn.Config, began: threading.Event) -> None:
        super().__init__(config)
        self._began = began

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._began.set()
