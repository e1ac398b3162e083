"""The simulator's controls, and a tiny server that its pushes go to, for the programs beside this file."""

import json
import os
import threading
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

URL = os.environ["SIM_URL"]
APP_ID = os.environ["APP_ID"]
SECRET = os.environ["APP_SECRET"]
CORP_ID = os.environ["CORP_ID"]
CORP_SECRET = os.environ["CORP_SECRET"]
AGENT_ID = int(os.environ["AGENT_ID"])
PUSH_TOKEN = os.environ["PUSH_TOKEN"]
PUSH_AES_KEY = os.environ["PUSH_AES_KEY"]
PUSH_PORT = int(os.environ["PUSH_PORT"])
PUSHES_FILE = os.environ["PUSHES_FILE"]

_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def control(name, body=None):
    """One of the simulator's own calls: POST with a body, GET without."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{URL}/_sim/{name}", data, {"Content-Type": "application/json"})
    with _direct.open(request, timeout=30) as answer:
        return json.load(answer)


class Receiver:
    """Takes pushes at /wechat/push, answers `success`, and keeps query and body. `slow` and `deaf` make it fail."""

    def __init__(self):
        self.pushes = []
        self.failures = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def _take(self, body):
                query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query))
                receiver.pushes.append({"query": query, "body": body, "type": self.headers.get("Content-Type")})
                return query

            def _answer(self, status, text):
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def do_GET(self):
                self._answer(200, self._take("")["echostr"].encode())

            def do_POST(self):
                length = int(self.headers["Content-Length"])
                self._take(self.rfile.read(length).decode())
                if receiver.failures:
                    self._answer(receiver.failures.pop(), b"no")
                else:
                    self._answer(200, b"success")

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", PUSH_PORT), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self):
        """The pushes since the last call."""
        taken, self.pushes = self.pushes, []
        return taken
