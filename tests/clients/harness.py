"""Starts the real program and the simulated platforms on free loopback ports, and ends both."""

import json
import os
import pathlib
import re
import subprocess
import tempfile
import threading
import time
import urllib.request

BINARY = os.environ.get("CARILLON_BINARY", "target/debug/carillon")
PROJECT = "0970dd7a1300f5672ff2c003c60ae115"
REGION = "cn-north-4"
ACCESS_KEY = "AKEXAMPLE0000000000A"
SECRET_KEY = "SKexampleSKexampleSKexampleSKexample0000"
TOKEN = "token-for-the-client-tests"
PASSWORD = "a long password for tests"
PATIENCE = 20.0


class Program:
    """A child process whose output is read until it says where it listens."""

    def __init__(self, words, environment, pattern, stream):
        self.lines = []
        self.found = threading.Event()
        self.match = None
        self.process = subprocess.Popen(
            [BINARY, *words],
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.readers = []
        for name in ("stdout", "stderr"):
            wanted = pattern if name == stream else None
            reader = threading.Thread(target=self.read, args=(getattr(self.process, name), wanted))
            reader.start()
            self.readers.append(reader)
        if not self.found.wait(PATIENCE):
            self.stop()
            raise RuntimeError("not ready: " + "".join(self.lines))

    def read(self, stream, pattern):
        for line in stream:
            self.lines.append(line)
            match = re.search(pattern, line) if pattern else None
            if match and not self.found.is_set():
                self.match = match
                self.found.set()

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for reader in self.readers:
            reader.join()
        self.process.stdout.close()
        self.process.stderr.close()


class Installation:
    """A server with four pretend chats behind it. `more` are settings of its own."""

    def __init__(self, **more):
        self.more = more

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="carillon-clients-")
        self.simulator = Program(
            ["simulate", "--listen", "127.0.0.1:0"], {}, r"Simulated platforms: (http://\S+)", "stdout"
        )
        self.simulator_url = self.simulator.match.group(1)
        hosts = [
            "oapi.dingtalk.com", "api.dingtalk.com", "open.feishu.cn", "open.larksuite.com", "qyapi.weixin.qq.com",
        ]
        environment = {
            "CARILLON_LISTEN": "127.0.0.1:0",
            "CARILLON_DATA_DIR": str(pathlib.Path(self.folder.name) / "data"),
            "CARILLON_REGION": REGION,
            "CARILLON_CONNECT_TO": ",".join(f"{host}={self.simulator_url}" for host in hosts),
            "CARILLON_BOOTSTRAP_PROJECT_ID": PROJECT,
            "CARILLON_BOOTSTRAP_AK": ACCESS_KEY,
            "CARILLON_BOOTSTRAP_SK": SECRET_KEY,
            "CARILLON_BOOTSTRAP_TOKEN": TOKEN,
            "CARILLON_BOOTSTRAP_ADMIN_PASSWORD": PASSWORD,
            "CARILLON_LOG_FORMAT": "json",
            **self.more,
        }
        try:
            self.server = Program(["serve"], environment, r'"address":"([0-9.]+:[0-9]+)"', "stderr")
        except RuntimeError:
            self.simulator.stop()
            self.folder.cleanup()
            raise
        self.url = "http://" + self.server.match.group(1)
        return self

    def __exit__(self, *_error):
        self.server.stop()
        self.simulator.stop()
        self.folder.cleanup()

    def get(self, path):
        request = urllib.request.Request(self.url + path, headers={"X-Auth-Token": TOKEN})
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.load(answer)

    def received(self):
        with urllib.request.urlopen(self.simulator_url + "/_simulator/received", timeout=PATIENCE) as answer:
            return json.load(answer)["received"]

    def settled(self, message_id):
        """The deliveries of a message, once each has its verdict."""
        until = time.monotonic() + PATIENCE
        while True:
            deliveries = self.get(f"/api/v1/messages/{message_id}/deliveries")["deliveries"]
            if all(it["state"] not in ("pending", "sending") for it in deliveries):
                return deliveries
            if time.monotonic() > until:
                raise AssertionError(f"not settled: {deliveries}")
            time.sleep(0.02)
