"""A registry behind a slow line that counts what is fetched."""

import contextlib
import http.client
import threading
import time
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CHUNK = 32 << 10


class SlowRegistry:
    """Pass requests on to a registry, and answers back at a rate."""

    def __init__(self, address: str) -> None:
        self.upstream = address
        self.rate = 0.0  # bytes a second for each answer; 0: as fast as it goes
        self.fetched: Counter[str] = Counter()  # blobs by digest
        self.address = ""

    def count(self, path: str) -> None:
        """Count a request for a blob."""
        if "/blobs/sha256:" in path:
            self.fetched[path.rpartition("/")[2]] += 1


@contextlib.contextmanager
def slow_registry(upstream: str) -> Iterator[SlowRegistry]:
    """Serve a registry's images slowly as long as the block runs."""
    slow = SlowRegistry(upstream)

    class Handler(BaseHTTPRequestHandler):
        """One request."""

        def do_GET(self) -> None:
            slow.count(self.path)
            connection = http.client.HTTPConnection(slow.upstream, timeout=30)
            with contextlib.closing(connection), contextlib.suppress(OSError):
                connection.putrequest("GET", self.path, skip_accept_encoding=True)
                for key, value in self.headers.items():
                    if key != "Host":
                        connection.putheader(key, value)  # Accept comes several times
                connection.endheaders()
                answer = connection.getresponse()
                self.send_response_only(answer.status)
                for key, value in answer.getheaders():
                    self.send_header(key, value)
                self.end_headers()
                while block := answer.read(CHUNK):
                    self.wfile.write(block)
                    if slow.rate and "/blobs/" in self.path:
                        time.sleep(len(block) / slow.rate)

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    slow.address = f"127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
    )
    thread.start()
    try:
        yield slow
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
