"""Requests in the forms of the SDKs for Go and Java, whose runtimes the tests do not bring along. They differ from Python's
and Node's in which headers they sign, in how a query travels and in how a body ends.

`docs/vectors/sdk-signatures.json` holds requests that those SDKs' own signers made. Here an implementation of the
signature of our own, written from its description, is first held against them, and then used to call the program."""

import datetime
import hashlib
import hmac
import http.client
import json
import pathlib
import unittest
import urllib.parse

import harness

VECTORS = json.loads((pathlib.Path(__file__).parents[2] / "docs/vectors/sdk-signatures.json").read_text())
SAFE = "-_.~"
WECOM = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=00000000-0000-4000-8000-0000000000c0"


def encode(text):
    return urllib.parse.quote(text, safe=SAFE)


def authorization(method, target, headers, names, body, access_key, secret_key):
    """The Authorization header over the listed headers, whose names are in lower case."""
    path, _, query = target.partition("?")
    path = "/".join(encode(urllib.parse.unquote(piece)) for piece in path.split("/"))
    pairs = sorted(urllib.parse.parse_qsl(query, keep_blank_values=True))
    canonical = "\n".join([
        method,
        path if path.endswith("/") else path + "/",
        "&".join(f"{encode(name)}={encode(value)}" for name, value in pairs),
        *(f"{name}:{headers[name].strip()}" for name in names),
        "",
        ";".join(names),
        hashlib.sha256(body).hexdigest(),
    ])
    text = "\n".join(["SDK-HMAC-SHA256", headers["x-sdk-date"], hashlib.sha256(canonical.encode()).hexdigest()])
    mac = hmac.new(secret_key.encode(), text.encode(), hashlib.sha256).hexdigest()
    return f"SDK-HMAC-SHA256 Access={access_key}, SignedHeaders={';'.join(names)}, Signature={mac}"


class Go:
    """Signs everything but host and content type, ends a body with a line feed, writes no `=` after an empty value."""

    agent, accepted = "huaweicloud-usdk-go/3.0", "application/json;charset=utf-8"
    unsigned = ("content-type", "host")

    @staticmethod
    def body(value):
        return (json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n").encode()

    @staticmethod
    def query(pairs):
        return "&".join(sorted(f"{encode(k)}={encode(v)}" if v else encode(k) for k, v in pairs.items()))


class Java:
    """Signs everything but the content type, host included, and leaves a query as it was put together."""

    agent, accepted = "huaweicloud-usdk-java/3.0", "application/json;charset=UTF-8"
    unsigned = ("content-type",)

    @staticmethod
    def body(value):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()

    @staticmethod
    def query(pairs):
        return "&".join(f"{k}={encode(v)}" for k, v in pairs.items())


class Caller:
    def __init__(self, url, form):
        self.host = url.removeprefix("http://")
        self.form = form

    def call(self, method, path, body=None, query=None, secret_key=harness.SECRET_KEY):
        target = f"/v2/{harness.PROJECT}/notifications/{path}"
        if query:
            target += "?" + self.form.query(query)
        data = b"" if body is None else self.form.body(body)
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        headers = {"host": self.host, "user-agent": self.form.agent, "x-project-id": harness.PROJECT, "x-sdk-date": now}
        if data:
            headers["content-type"] = self.form.accepted
        names = sorted(set(headers) - set(self.form.unsigned))
        headers["authorization"] = authorization(
            method, target, headers, names, data, harness.ACCESS_KEY, secret_key)
        connection = http.client.HTTPConnection(self.host, timeout=harness.PATIENCE)
        try:
            # Sent as it is: the library would encode nothing of it anew.
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            for name, value in headers.items():
                connection.putheader(name, value)
            connection.putheader("content-length", str(len(data)))
            connection.endheaders(data)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()


class Forms(unittest.TestCase):
    def test_our_own_implementation_signs_as_the_sdks_do(self):
        self.assertEqual(len(VECTORS["requests"]), 6)
        for it in VECTORS["requests"]:
            with self.subTest(client=it["client"], call=it["call"]):
                expected = it["headers"]["authorization"]
                names = expected.split("SignedHeaders=")[1].split(",")[0].split(";")
                made = authorization(it["method"], it["target"], it["headers"], names, it["body"].encode(),
                                     VECTORS["access_key"], VECTORS["secret_key"])
                self.assertEqual(made, expected)

    def walk(self, form, name):
        caller = Caller(self.installation.url, form)
        status, topic = caller.call("POST", "topics", {"name": name, "display_name": "值班"})
        self.assertEqual(status, 201, topic)
        urn = topic["topic_urn"]
        status, added = caller.call("POST", f"topics/{urn}/subscriptions", {"protocol": "wechat", "endpoint": WECOM})
        self.assertEqual(status, 201, added)
        body = {"subject": "磁盘", "message": f"磁盘 93% <b>&amp;</b> {name}", "time_to_live": "60"}
        status, published = caller.call("POST", f"topics/{urn}/publish", body)
        self.assertEqual(status, 200, published)
        deliveries = self.installation.settled(published["message_id"])
        self.assertEqual([it["state"] for it in deliveries], ["delivered"])
        query = {"offset": "0", "limit": "10", "name": "", "fuzzy_name": "a b/ç~*'()!+&="}
        self.assertEqual(caller.call("GET", "topics", query=query)[0], 200)
        self.assertEqual(caller.call("GET", "topics", query={"fuzzy_name": name})[1]["topic_count"], 1)
        # A DELETE with a body.
        body = {"subscription_urns": [{"subscription_urn": added["subscription_urn"]}]}
        status, gone = caller.call("DELETE", f"topics/{urn}/subscriptions", body)
        self.assertEqual((status, [it["http_code"] for it in gone["subscriptions_result"]]), (200, [200]))
        status, refused = caller.call("GET", "topics", secret_key="another secret")
        self.assertEqual((status, refused["error_code"]), (401, "APIGW.0301"))
        self.assertEqual(caller.call("DELETE", f"topics/{urn}")[0], 200)

    def test_calls_in_the_form_of_go_and_java(self):
        with harness.Installation() as self.installation:
            self.walk(Go, "form-of-go")
            self.walk(Java, "form-of-java")


if __name__ == "__main__":
    unittest.main(verbosity=2)
