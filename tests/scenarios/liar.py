"""A registry that serves images whose layers do not match their digest or size."""

import contextlib
import hashlib
import http.server
import io
import json
import os
import tarfile
import threading
from collections.abc import Iterator

DOCKER = "application/vnd.docker"


class Liar:
    """Content that the registry serves, by path; ``cut`` says after how many bytes it stops."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.content: dict[str, tuple[str, bytes]] = {}
        self.cut: dict[str, int] = {}

    def blob(self, kind: str, content: bytes) -> dict[str, object]:
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        self.content[f"blobs/{digest}"] = (kind, content)
        return {"mediaType": kind, "digest": digest, "size": len(content)}

    def image(self, name: str, layer: bytes, diff: bytes) -> dict[str, object]:
        """Add an image of one layer; return the layer's descriptor."""
        kind = f"{DOCKER}.distribution.manifest.v2+json"
        config = {
            "os": "linux", "architecture": os.uname().machine.replace("x86_64", "amd64"),
            "config": {"Cmd": ["/file"]},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(diff).hexdigest()}"]},
        }  # fmt: skip
        described = self.blob(f"{DOCKER}.image.rootfs.diff.tar.gzip", layer)
        manifest = {
            "schemaVersion": 2, "mediaType": kind, "layers": [described],
            "config": self.blob(f"{DOCKER}.container.image.v1+json", json.dumps(config).encode()),
        }  # fmt: skip
        self.content[f"{name}/manifests/latest"] = (kind, json.dumps(manifest).encode())
        return described


@contextlib.contextmanager
def lying_registry() -> Iterator[Liar]:
    """Serve a `Liar` registry for as long as the block runs."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.removeprefix("/v2/")
            key = path if "/manifests/" in path else path.partition("/")[2]
            if not path:
                kind, content = "application/json", b"{}"
            elif key in served.content:
                kind, content = served.content[key]
            else:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            if "/manifests/" in path:
                digest = hashlib.sha256(content).hexdigest()
                self.send_header("Docker-Content-Digest", f"sha256:{digest}")
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content[: served.cut.get(key, len(content))])

        do_HEAD = do_GET  # noqa: N815 - the library calls it so

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        served = Liar(f"127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield served
        server.shutdown()
        thread.join()


def layer(size: int = 1 << 16) -> bytes:
    """Make a tar archive with one file of random bytes, which cannot be compressed."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        entry = tarfile.TarInfo("file")
        entry.size = size
        tar.addfile(entry, io.BytesIO(os.urandom(size)))
    return out.getvalue()
