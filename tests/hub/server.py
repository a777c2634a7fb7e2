"""A server on loopback that speaks the hub's routes: models' facts, trees, files with ranges, commits."""

from __future__ import annotations

import base64
import hashlib
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub:
    """The server.

    Args:
        files: by repository the files by name.
        breaks: names of files whose first download breaks off in the middle.
    """

    def __init__(self, files: dict[str, dict[str, bytes]], breaks: set[str]) -> None:
        self.files, self.breaks = files, breaks
        self.asked: list[tuple[str, str, str | None]] = []
        self.commits: dict[str, dict[str, bytes]] = {}
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                hub.get(self)

            def do_HEAD(self) -> None:
                hub.get(self)

            def do_POST(self) -> None:
                hub.post(self)

            def log_message(self, *arguments: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def get(self, request: BaseHTTPRequestHandler) -> None:
        path = request.path.split("?")[0]
        self.asked.append((request.command, path, request.headers.get("Range")))
        parts = path.strip("/").split("/")
        if parts[:2] == ["api", "models"] and (held := self.files.get("/".join(parts[2:4]))) is not None:
            if len(parts) > 4 and parts[4] == "tree":
                _json(request, [
                    {"type": "file", "path": name, "size": len(data), "oid": hashlib.sha1(data).hexdigest()}
                    for name, data in held.items()
                ])  # fmt: skip
                return
            if parts[4:] in ([], ["revision", "main"], ["revision", COMMIT]):
                facts = {"_id": "1", "id": "/".join(parts[2:4]), "modelId": "/".join(parts[2:4]), "sha": COMMIT}
                _json(request, {**facts, "siblings": [{"rfilename": name} for name in held]})
                return
            _json(request, {"error": "no"}, 404, "RevisionNotFound")
            return
        if len(parts) > 4 and parts[2] == "resolve":
            data = self.files.get("/".join(parts[:2]), {}).get("/".join(parts[4:]))
            if data is not None:
                self._send(request, parts[-1], data)
                return
            _json(request, {"error": "no"}, 404, "EntryNotFound")
            return
        _json(request, {"error": "no"}, 404, "RepoNotFound")

    def _send(self, request: BaseHTTPRequestHandler, name: str, data: bytes) -> None:
        asked = request.headers.get("Range")
        first = int(asked.removeprefix("bytes=").split("-")[0]) if asked else 0
        request.send_response(206 if asked else 200)
        request.send_header("ETag", f'"{hashlib.sha1(data).hexdigest()}"')
        request.send_header("X-Repo-Commit", COMMIT)
        request.send_header("Content-Length", str(len(data) - first))
        if asked:
            request.send_header("Content-Range", f"bytes {first}-{len(data) - 1}/{len(data)}")
        request.end_headers()
        if request.command == "HEAD":
            return
        if name in self.breaks:
            self.breaks.discard(name)
            request.wfile.write(data[: len(data) // 2])
            request.wfile.flush()
            request.close_connection = True
            return
        request.wfile.write(data[first:])

    def post(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        self.asked.append(("POST", request.path, request.headers.get("Authorization")))
        parts = request.path.split("?")[0].strip("/").split("/")
        if parts == ["api", "repos", "create"]:
            name = json.loads(body)
            _json(request, {"url": f"{self.address}/{name.get('organization')}/{name['name']}"})
        elif parts[-2] == "preupload":
            files = json.loads(body)["files"]
            _json(request, {"files": [{**each, "uploadMode": "regular", "shouldIgnore": False} for each in files]})
        elif parts[-2] == "commit":
            values = [json.loads(line) for line in body.splitlines()]
            name = "/".join(parts[2:4])
            self.commits[name] = {
                each["value"]["path"]: base64.b64decode(each["value"]["content"])
                for each in values
                if each["key"] == "file"
            }
            _json(request, {"commitUrl": f"{self.address}/{name}/commit/{COMMIT}", "commitOid": COMMIT})
        else:
            _json(request, {})


def _json(request: BaseHTTPRequestHandler, values: Any, status: int = 200, code: str = "") -> None:
    data = json.dumps(values).encode()
    request.send_response(status)
    request.send_header("Content-Type", "application/json")
    request.send_header("Content-Length", str(len(data)))
    if code:
        request.send_header("X-Error-Code", code)
    request.end_headers()
    if request.command != "HEAD":
        request.wfile.write(data)
