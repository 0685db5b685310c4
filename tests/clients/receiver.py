"""A web hook as a careful receiver writes it: it verifies each signature with a library of its own, by the very code that
`docs/verify-http.md` shows, and confirms by following the link. It speaks HTTP/1.1 and, over TLS, HTTP/2."""

import asyncio
import json
import pathlib
import re
import socket
import threading
import urllib.request

from cryptography.exceptions import InvalidSignature
from hypercorn.asyncio import serve
from hypercorn.config import Config

import harness

MANUAL = pathlib.Path(__file__).parents[2] / "docs/verify-http.md"


def documented(home):
    """What the manual's Python section defines, for a Carillon at `home`."""
    code = re.search(r"## Python\n\n```python\n(.*?)```", MANUAL.read_text(), re.S).group(1)
    code = code.replace('HOME = "https://carillon.example"', f"HOME = {home!r}")
    assert home in code
    names = {}
    exec(compile(code, str(MANUAL), "exec"), names)
    return names


class Receiver:
    """Serves on a free loopback port until it is left. `home` is Carillon's address, told once it is known."""

    def __init__(self, authority=None):
        self.home = None
        self.manual = None
        self.got = []
        self.faults = []
        self.news = threading.Condition()
        listening = socket.socket()
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
        self.config = Config()
        # Hypercorn closes it at the end.
        self.config.bind = [f"fd://{listening.detach()}"]
        self.config.accesslog = self.config.errorlog = None
        self.config.graceful_timeout = 1.0
        scheme = "http"
        if authority:
            scheme = "https"
            self.config.certfile, self.config.keyfile = str(authority.certificate), str(authority.key)
        self.url = f"{scheme}://127.0.0.1:{port}/hook"

    def __enter__(self):
        started = threading.Event()
        self.thread = threading.Thread(target=lambda: asyncio.run(self.run(started)))
        self.thread.start()
        started.wait(harness.PATIENCE)
        return self

    def __exit__(self, *_error):
        self.loop.call_soon_threadsafe(self.stopped.set)
        self.thread.join()

    async def run(self, started):
        self.loop, self.stopped = asyncio.get_running_loop(), asyncio.Event()

        async def app(scope, receive, send):
            if scope["type"] == "lifespan":
                while True:
                    step = (await receive())["type"]
                    await send({"type": f"{step}.complete"})
                    if step == "lifespan.startup":
                        started.set()
                    else:
                        return
            await self.answer(scope, receive, send)

        await serve(app, self.config, shutdown_trigger=self.stopped.wait)

    async def answer(self, scope, receive, send):
        body, more = b"", True
        while more:
            event = await receive()
            body, more = body + event.get("body", b""), event.get("more_body", False)
        status = await asyncio.to_thread(self.take, scope, body)
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    def take(self, scope, body):
        try:
            fields = json.loads(body)
            headers = {name.decode(): value.decode() for name, value in scope["headers"]}
            if headers["x-smn-message-type"] == "Detection":
                # Asks whether we answer; it is not signed, and nothing follows from it.
                return 204
            self.verify(fields)
            self.spoilt(fields)
            if fields["type"] == "SubscriptionConfirmation":
                # The manual's fifth rule: only after the signature, and only to our own Carillon.
                assert fields["subscribe_url"].startswith(self.home + "/"), fields["subscribe_url"]
                with urllib.request.urlopen(fields["subscribe_url"], timeout=5) as answer:
                    assert json.load(answer)["subscription_urn"]
        except Exception as error:
            with self.news:
                self.faults.append(repr(error))
                self.news.notify_all()
            return 400
        with self.news:
            self.got.append({"fields": fields, "headers": headers, "http": scope["http_version"]})
            self.news.notify_all()
        return 204

    def verify(self, fields):
        if self.manual is None:
            self.manual = documented(self.home)
        self.manual["verify"](fields)

    def spoilt(self, fields):
        """The same body with a changed text must not pass."""
        try:
            self.manual["verify"]({**fields, "message": fields["message"] + "!"})
        except InvalidSignature:
            return
        raise AssertionError("a changed body passed")

    def wait(self, fits):
        """What fits of that which came, once there is something."""
        with self.news:
            def found():
                return self.faults or [it for it in self.got if fits(it)]
            self.news.wait_for(found, harness.PATIENCE)
            assert not self.faults, self.faults
            return [it for it in self.got if fits(it)]

    def of_type(self, kind):
        return self.wait(lambda it: it["fields"]["type"] == kind)
