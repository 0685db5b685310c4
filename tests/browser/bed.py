"""A server and the pretend platforms, as processes of their own, for a test or a picture."""

import contextlib
import json
import math
import os
import socket
import sqlite3
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

PROJECT = "0970dd7a1300f5672ff2c003c60ae115"
TOKEN = "a-token-for-the-browser-tests-0000"
PASSWORD = "a long password for tests"
HOSTS = ["oapi.dingtalk.com", "api.dingtalk.com", "open.feishu.cn", "open.larksuite.com", "qyapi.weixin.qq.com"]
LARK = "https://open.feishu.cn/open-apis/bot/v2/hook/"
WECOM = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key="
OFFICE_SECRET = "office-secret-0123456789abcdef"
NAMES = ["Wang Fang", "Li Wei", "张敏", "Chen Jie", "刘洋", "Zhao Lei", "Anna Schmidt", "Tom Baker", "王芳", "李娜"]
DINGTALK = "https://oapi.dingtalk.com/robot/send?access_token="


def free_port():
    with socket.socket() as it:
        it.bind(("127.0.0.1", 0))
        return it.getsockname()[1]


def call(method, url, body=None, token=None):
    headers = {"content-type": "application/json"}
    if token:
        headers["x-auth-token"] = token
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data, headers, method=method), timeout=10) as answer:
        return json.loads(answer.read() or b"null")


class Bed:
    def __init__(self):
        binary = os.path.abspath(os.environ.get("CARILLON_BINARY", "target/debug/carillon"))
        self.dir = tempfile.TemporaryDirectory()
        self.processes = []
        self.platforms = f"http://127.0.0.1:{free_port()}"
        self.url = f"http://127.0.0.1:{free_port()}"
        self.start([binary, "simulate", "--listen", self.platforms.removeprefix("http://")])
        env = {
            "CARILLON_BOOTSTRAP_PROJECT_ID": PROJECT, "CARILLON_BOOTSTRAP_TOKEN": TOKEN,
            "CARILLON_BOOTSTRAP_ADMIN_PASSWORD": PASSWORD, "CARILLON_DATA_DIR": self.dir.name + "/data",
            "CARILLON_LISTEN": self.url.removeprefix("http://"), "CARILLON_LOG": "warn", "CARILLON_DELIVERY_LOG": self.dir.name + "/deliveries.log",
            "CARILLON_CONNECT_TO": ",".join(f"{host}={self.platforms}" for host in HOSTS),
        }
        self.start([binary, "serve"], env)
        self.await_ready(self.url + "/readyz")
        self.await_ready(self.platforms + "/")

    def start(self, command, env=None):
        environment = {**os.environ, **(env or {})}
        self.processes.append(subprocess.Popen(command, env=environment, cwd=self.dir.name, stdout=subprocess.DEVNULL))

    def await_ready(self, url):
        end = time.monotonic() + 30
        while True:
            try:
                urllib.request.urlopen(url, timeout=1).read()
                return
            except urllib.error.HTTPError:
                return
            except OSError:
                if time.monotonic() > end:
                    raise SystemExit(f"{url} does not answer") from None
                time.sleep(0.05)

    def stop(self):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait()
        self.dir.cleanup()

    def robot(self, platform, token, chat="Operations", **rules):
        """Makes a robot that the pretend platforms then know, with its secret or keyword."""
        return call("POST", f"{self.platforms}/_simulator/robots", {"platform": platform, "token": token, "chat": chat, **rules})

    def received(self):
        """What the pretend chats got."""
        return call("GET", f"{self.platforms}/_simulator/received")

    def api(self, method, path, body=None):
        return call(method, self.url + path, body, TOKEN)

    def smn(self, method, path, body=None):
        return self.api(method, f"/v2/{PROJECT}/notifications/{path}", body)

    def history(self):
        """Writes a day of numbers for the overview's charts: nobody waits a day for a picture."""
        now = int(time.time() * 1000) // 300_000
        rows = []
        for back in range(2, 288):
            slot = now - back
            busy = 30 + 25 * math.sin((slot % 288) / 288 * 2 * math.pi)
            for channel, share, bad in (("lark", 1.0, 0.0), ("dingtalk", 0.7, 0.0), ("wecom", 0.5, 0.04), ("https", 0.2, 0.0)):
                count = int(busy * share * (0.7 + (slot * 7919 % 61) / 100))
                rows.append((PROJECT, slot, channel, "accepted", count))
                if bad and back < 40:
                    rows.append((PROJECT, slot, channel, "misconfigured", max(1, int(count * bad))))
                if 96 < back < 110:
                    rows.append((PROJECT, slot, channel, "later", int(count * 0.4)))
            rows.append((PROJECT, slot, "", "message", int(busy)))
        with contextlib.closing(sqlite3.connect(self.dir.name + "/data/carillon.db", timeout=10)) as store, store:
            store.executemany("INSERT INTO tally VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", rows)

    def past(self, topic, count, like):
        """Spreads messages over the last day, for the pictures: copies of one of another topic, which reached nobody."""
        now = int(time.time() * 1000)
        with contextlib.closing(sqlite3.connect(self.dir.name + "/data/carillon.db", timeout=10)) as store, store:
            store.row_factory = sqlite3.Row
            model = dict(store.execute("SELECT * FROM message WHERE topic_name = ? ORDER BY id LIMIT 1", (like,)).fetchone())
            for number in range(count):
                at = now - 3_600_000 - int(math.sqrt(number / count) * 80_000_000)
                row = {**model, "id": f"{at:012x}{number:020x}", "topic_name": topic, "created_at": at, "expires_at": at + 3_600_000}
                row["content"] = row["content"].replace("1041", str(1040 - number))
                names = ", ".join(row)
                store.execute(f"INSERT INTO message ({names}) VALUES ({', '.join('?' * len(row))})", list(row.values()))

    def topic(self, name, display_name=""):
        return self.smn("POST", "topics", {"name": name, "display_name": display_name})["topic_urn"]

    def subscribe(self, topic, protocol, endpoint, remark="", **extension):
        body = {"protocol": protocol, "endpoint": endpoint, "remark": remark}
        if extension:
            body["extension"] = extension
        return self.smn("POST", f"topics/{topic}/subscriptions", body)["subscription_urn"]

    def publish(self, topic, **message):
        return self.api("POST", "/api/v1/messages", {"topic": topic, **message})["message_id"]

    def settled(self, message):
        """Waits until no delivery of a message waits any more, and gives their states."""
        end = time.monotonic() + 15
        while True:
            found = self.api("GET", f"/api/v1/messages/{message}/deliveries")["deliveries"]
            states = [it["state"] for it in found]
            if not {"pending", "sending"} & set(states):
                return states
            if time.monotonic() > end:
                raise AssertionError(f"still {states}")
            time.sleep(0.05)

    def office(self, platform, app_id, members):
        """Makes a company with its own app that the pretend platforms then know."""
        root = "0" if platform in ("lark", "feishu") else "1"
        tree = [("100", root, "Engineering"), ("101", "100", "Platform"), ("102", "100", "Payments 支付"),
                ("103", root, "Operations"), ("104", "103", "On call, north"), ("105", "103", "华东运维")]
        departments = [{"id": it, "parent": parent, "name": name} for it, parent, name in tree]
        people = []
        for n in range(members):
            name = NAMES[n % len(NAMES)] + (f" {n // len(NAMES) + 1}" if n >= len(NAMES) else "")
            people.append({"id": f"u{n:05}", "name": name, "departments": [tree[n % 6][0]], "mobile": f"138{n:08}", "email": f"u{n}@example.com"})
        app = {"platform": platform, "app_id": app_id, "secret": OFFICE_SECRET, "agent_id": 1000002, "robot_code": "dingofficerobot01",
               "departments": departments, "members": people, "chats": [["oc_1", "Release room"], ["oc_2", "值班群"]]}
        return call("POST", f"{self.platforms}/_simulator/office", app)

    def company_changes(self, app_id, **change):
        """What somebody changes in the company or its app, as in an admin console."""
        return call("POST", f"{self.platforms}/_simulator/office/change", {"app_id": app_id, **change})

    def connection(self, body):
        return self.api("POST", "/api/v1/connections", body)["id"]

    def updated(self, connection):
        """Updates a directory, and waits until that no longer runs."""
        run = self.api("POST", f"/api/v1/connections/{connection}/update", {})["run_id"]
        end = time.monotonic() + 15
        while self.api("GET", f"/api/v1/connections/{connection}/updates/{run}")["state"] == "running":
            if time.monotonic() > end:
                raise AssertionError("the update does not end")
            time.sleep(0.05)
        return run
