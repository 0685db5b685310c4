"""A mail relay that somebody else wrote (aiosmtpd), with TLS and passwords, on a free loopback port."""

import asyncio
import email
import email.policy
import logging
import threading

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

import harness

logging.getLogger("mail.log").disabled = True
USER, PASSWORD = "carillon@example.com", "a password/with signs"


class Relay:
    """`wrapped`: TLS from the first byte; else STARTTLS, without which nothing is taken."""

    def __init__(self, authority, wrapped):
        self.mails = []
        self.sessions = []
        self.news = threading.Condition()
        context = authority.context()
        self.outer = context if wrapped else None
        self.inner = {} if wrapped else {"tls_context": context, "require_starttls": True}
        self.scheme = "smtps" if wrapped else "smtp+starttls"

    def talk(self):
        return SMTP(self, hostname="relay.example", authenticator=self.authenticate, auth_required=True,
                    auth_require_tls=not self.outer, loop=self.loop, **self.inner)

    def authenticate(self, _server, _session, _envelope, mechanism, data):
        right = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
        self.sessions.append((mechanism, right))
        return AuthResult(success=right, handled=False)

    async def handle_DATA(self, _server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        with self.news:
            self.mails.append({"mail": mail, "to": envelope.rcpt_tos, "from": envelope.mail_from,
                               "tls": bool(session.ssl or self.outer)})
            self.news.notify_all()
        return "250 2.0.0 taken"

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
        server = await self.loop.create_server(self.talk, "127.0.0.1", 0, ssl=self.outer)
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        await self.stopped.wait()
        server.close()

    def url(self, password=PASSWORD):
        user = USER.replace("@", "%40")
        return f"{self.scheme}://{user}:{password.replace('/', '%2F').replace(' ', '%20')}@127.0.0.1:{self.port}"

    def wait(self, count):
        with self.news:
            self.news.wait_for(lambda: len(self.mails) >= count, harness.PATIENCE)
            assert len(self.mails) == count, [str(it["mail"]) for it in self.mails]
            return self.mails[-1]
