"""An S3 endpoint on loopback, moto's, that fails when it is told to."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any


class FailingServer:
    """moto's server; `fail` makes it answer requests with a status instead of looking at them."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app
        self._failures: list[list[Any]] = []
        self._lock = threading.Lock()
        self.requests: list[tuple[str, str]] = []
        self.url = ""

    def fail(self, method: str, part: str, times: int, status: str = "500 Broken") -> None:
        """Fail the next requests of a method whose path has `part` in it."""
        self._failures.append([method, part, times, status])

    def count(self, method: str, part: str) -> int:
        """Return how many such requests there were."""
        return sum(one == method and part in path for one, path in self.requests)

    def reset(self) -> None:
        self._failures.clear()
        self.requests.clear()

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        method = environ["REQUEST_METHOD"]
        path = environ["PATH_INFO"].encode("latin-1").decode()  # as WSGI has it
        with self._lock:
            self.requests.append((method, path))
            failure = next(
                (one for one in self._failures if one[0] == method and one[1] in path and one[2]),
                None,
            )
            if failure:
                failure[2] -= 1
        if failure is None:
            return self._app(environ, start)
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        status = failure[3]
        code = {"500": "InternalError", "403": "AccessDenied"}[status[:3]]
        body = f"<Error><Code>{code}</Code><Message>as told</Message></Error>".encode()
        start(status, [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))])
        return [body]


@contextmanager
def serving() -> Iterator[FailingServer]:
    """Serve S3 on a port of loopback while in here."""
    from moto.server import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Silent(WSGIRequestHandler):
        def log(self, *args: Any) -> None:
            pass

    served = FailingServer(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, served, threaded=True, request_handler=Silent)
    served.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
