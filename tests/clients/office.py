"""What the tests of office apps share: a company at the simulated platforms, and the calls that Carillon itself makes of an
app. Each platform's own client must then make every one of them too, and understand the answers."""

import io
import json
import time
import urllib.parse
import urllib.request

import requests

import harness

SECRET = "pretend-office-secret-01"
ROBOT_CODE = "dingpretendoffice01"
AGENT_ID = 1000002
CHAT = "oc_pretend_office_chat_1"
MEMBERS = 25
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x03\0\0\0\x04\x08\x06\0\0\0 and so on"
PDF = b"%PDF-1.7 " + bytes(range(256)) * 300


def company(platform, app_id):
    """Three departments below the root, one of them below another, and members in each."""
    root = "0" if platform in ("lark", "feishu") else "1"
    departments = [
        {"id": "101", "parent": root, "name": "研发"},
        {"id": "102", "parent": "101", "name": "平台组"},
        {"id": "103", "parent": root, "name": "Finance"},
    ]
    members = [
        {
            "id": f"u{number:03}",
            "name": f"Member {number}",
            "departments": [departments[number % 3]["id"]],
            "mobile": f"138000000{number:02}",
            "email": f"u{number:03}@company.example",
        }
        for number in range(MEMBERS)
    ]
    return {
        "platform": platform, "app_id": app_id, "secret": SECRET, "agent_id": AGENT_ID, "robot_code": ROBOT_CODE,
        "departments": departments, "members": members, "chats": [[CHAT, "Release room"]],
    }


class Company:
    """A server beside the simulated platforms, and an office app that nobody is connected to yet."""

    def __init__(self, platform, app_id):
        self.platform, self.app_id = platform, app_id
        self.installation = harness.Installation()

    def __enter__(self):
        self.installation.__enter__()
        self.control("POST", "/_simulator/office", company(self.platform, self.app_id))
        return self

    def __exit__(self, *error):
        self.installation.__exit__(*error)

    def control(self, method, path, body=None):
        """Asks the simulator itself."""
        return self.ask(method, self.installation.simulator_url + path, body)

    def change(self, **change):
        self.control("POST", "/_simulator/office/change", {"app_id": self.app_id, **change})

    def calls(self):
        """The interfaces that were called since the last time, without what is different each time."""
        calls = self.control("GET", "/_simulator/calls")["calls"]
        self.control("DELETE", "/_simulator/received")
        return {plain(call["path"]) for call in calls}

    def received(self):
        return self.installation.received()

    def ask(self, method, url, body=None):
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", "X-Auth-Token": harness.TOKEN}
        request = urllib.request.Request(url, data=data, method=method, headers=headers)
        with urllib.request.urlopen(request, timeout=harness.PATIENCE) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def api(self, method, path, body=None):
        return self.ask(method, self.installation.url + path, body)

    def own_calls(self, typed):
        """Connects the app, checks it, reads its directory as a whole and in part, sends to people and to a chat; gives
        the interfaces that this took."""
        self.calls()
        new = {"platform": self.platform.removesuffix("_app"), "name": "HQ", "app_secret": SECRET, **typed}
        path = "/api/v1/connections/" + self.api("POST", "/api/v1/connections", new)["id"]
        self.path = path
        checked = self.api("POST", path + "/check", {"test_to": "u001"})["findings"]
        bad = [finding for finding in checked if not finding["ok"]]
        assert not bad, bad
        self.updated(path, members=MEMBERS)
        found = self.api("POST", path + "/bindings", {"emails": ["u004@company.example"], "phones": ["13800000005", "13900000000"]})
        self.bound = [it.get("platform_user_id", it.get("reason")) for it in found["bindings"]]
        self.change(range=["101"])
        self.updated(path, members=17)
        self.change(range=[])
        self.used(path, self.platform == "dingtalk_app" and "agent_id" in typed)
        return self.calls()

    def told(self, data, query="", headers=None):
        """Tells Carillon what a platform would tell it; gives the status and the answer."""
        url = self.installation.url + "/callbacks/" + self.path.rsplit("/", 1)[1] + query
        answer = requests.post(url, data=data, headers=headers or {}, timeout=harness.PATIENCE)
        return answer.status_code, answer.text

    def heard(self, key, token):
        """Lets Carillon believe events that this key and this token prove."""
        return self.api("PUT", self.path + "/callback", {"callback": {"token": token, "key": key}})

    def updated(self, path, members):
        run = path + "/updates/" + self.api("POST", path + "/update")["run_id"]
        until = time.monotonic() + harness.PATIENCE
        while (found := self.api("GET", run))["state"] == "running":
            assert time.monotonic() < until, found
            time.sleep(0.02)
        if found["state"] == "asks":
            found = self.api("POST", run + "/confirm")
        assert (found["state"], found["members"]) == ("done", members), found

    def handed_in(self, data):
        headers = {"X-Auth-Token": harness.TOKEN}
        request = urllib.request.Request(self.installation.url + "/api/v1/attachments", data=data, headers=headers)
        with urllib.request.urlopen(request, timeout=harness.PATIENCE) as answer:
            return json.loads(answer.read())["id"]

    def used(self, path, notices=False):
        """Sends, and says what a chat is for."""
        if self.platform == "feishu":
            self.api("PUT", f"{path}/chats/{CHAT}", {"description": "by Carillon"})
        to = [{"kind": "member", "id": "u001"}, {"kind": "chat", "id": CHAT}]
        connection = path.rsplit("/", 1)[1]
        for content in ({"text": "plain"}, {"title": "磁盘", "markdown": "**91 %** of `/`", "severity": "critical"}):
            pushed = self.api("POST", "/api/v1/pushes", {"connection_id": connection, "to": to, **content})
            deliveries = self.installation.settled(pushed["message_id"])
            assert [it["state"] for it in deliveries] == ["delivered"] * 2, deliveries
        if self.platform == "feishu":
            card = {"message_id": pushed["message_id"], "replace": {"markdown": "**solved**"}}
            assert self.api("POST", "/api/v1/recalls", card)["recalled"] == 2
        recalled = self.api("POST", "/api/v1/recalls", {"message_id": pushed["message_id"]})["recalls"]
        if notices:
            told = {"via": "work_notification", "title": "T", "markdown": "**now**"}
            pushed = self.api("POST", "/api/v1/pushes", {"connection_id": connection, "to": to[:1], **told})
            assert [it["state"] for it in self.installation.settled(pushed["message_id"])] == ["delivered"]
            assert self.api("POST", "/api/v1/recalls", {"message_id": pushed["message_id"]})["recalled"] == 1
        files = {"images": [{"id": self.handed_in(PNG)}], "files": [{"id": self.handed_in(PDF), "name": "report.pdf"}]}
        pushed = self.api("POST", "/api/v1/pushes", {"connection_id": connection, "to": to, **files})
        deliveries = self.installation.settled(pushed["message_id"])
        assert [it["state"] for it in deliveries] == ["delivered"] * 2, deliveries
        # WeCom takes nothing back from chats.
        assert [it["recalled"] for it in recalled] == [True, self.platform != "wecom"], recalled


def plain(path):
    """A path of which the ids are left out."""
    path = urllib.parse.unquote(path)
    pieces = path.split("/")
    places = {"departments": 4, "users": 4, "messages": 4, "chats": 4}
    for name, place in places.items():
        if len(pieces) > place + 1 and pieces[place] == name and pieces[place + 1] not in ("find_by_department", "batch_get_id"):
            pieces[place + 1] = "{id}"
    return "/".join(pieces)


def named(name, data):
    """A file as the clients take it."""
    file = io.BytesIO(data)
    file.name = name
    return file


class Detour(requests.adapters.HTTPAdapter):
    """Leads what a client sends to a platform's host to the simulator, as a name server of one's own would; the client is as
    it was installed, and the host's name stays in the request."""

    def __init__(self, simulator_url):
        self.simulator_url = simulator_url
        super().__init__()

    def send(self, request, **options):
        meant = urllib.parse.urlsplit(request.url)
        request.headers["Host"] = meant.netloc
        request.url = self.simulator_url + urllib.parse.urlunsplit(("", "", meant.path, meant.query, ""))
        return super().send(request, **options)
