"""Web hooks: bodies are verified by a library that is not ours, confirmation by the link, TLS by a company's authority."""

import json
import tempfile
import unittest
import urllib.request

import harness
from authority import Authority
from receiver import Receiver

LOOPBACK = "127.0.0.0/8"


class WebHooks(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="carillon-receiver-")
        self.addCleanup(self.folder.cleanup)
        self.authority = Authority(self.folder.name)

    def call(self, method, path, body=None):
        request = urllib.request.Request(
            f"{self.installation.url}/v2/{harness.PROJECT}/notifications/{path}", method=method,
            data=None if body is None else json.dumps(body).encode(), headers={"X-Auth-Token": harness.TOKEN})
        with urllib.request.urlopen(request, timeout=harness.PATIENCE) as answer:
            return json.load(answer)

    def status(self, topic):
        return [it["status"] for it in self.call("GET", f"topics/{topic}/subscriptions")["subscriptions"]]

    def walk(self, receiver):
        receiver.home = self.installation.url
        topic = self.call("POST", "topics", {"name": "hooks", "display_name": ""})["topic_urn"]
        protocol = receiver.url.partition(":")[0]
        body = {"protocol": protocol, "endpoint": receiver.url, "extension": {"header": {"x-team": "ops"}}}
        self.call("POST", f"topics/{topic}/subscriptions", body)
        receiver.of_type("SubscriptionConfirmation")
        self.assertEqual(self.status(topic), [1])
        message = self.call("POST", f"topics/{topic}/publish", {"subject": "磁盘", "message": "磁盘 94%\n\"x\""})
        deliveries = self.installation.settled(message["message_id"])
        self.assertEqual([it["state"] for it in deliveries], ["delivered"], deliveries)
        got = receiver.of_type("Notification")[0]
        self.assertEqual((got["fields"]["subject"], got["fields"]["message"]), ("磁盘", "磁盘 94%\n\"x\""))
        self.assertEqual(got["headers"]["x-team"], "ops")
        self.assertEqual(got["headers"]["x-smn-message-id"], message["message_id"])
        # Without a subject the signed text has one field less.
        self.call("POST", f"topics/{topic}/publish", {"message": "plain"})
        receiver.wait(lambda it: it["fields"]["message"] == "plain")
        with urllib.request.urlopen(got["fields"]["unsubscribe_url"], timeout=harness.PATIENCE) as answer:
            self.assertEqual(answer.status, 200)
        receiver.of_type("UnsubscribeConfirmation")
        self.assertEqual(self.status(topic), [3])
        return got["http"]

    def test_over_http(self):
        with harness.Installation(CARILLON_ALLOW_PRIVATE_ENDPOINTS=LOOPBACK) as self.installation:
            with Receiver() as receiver:
                self.assertEqual(self.walk(receiver), "1.1")

    def test_over_tls_by_the_authority_of_a_company_with_http_2(self):
        more = {"CARILLON_ALLOW_PRIVATE_ENDPOINTS": LOOPBACK, "CARILLON_CA_FILE": str(self.authority.file)}
        with harness.Installation(**more) as self.installation:
            with Receiver(self.authority) as receiver:
                self.assertEqual(self.walk(receiver), "2")

    def test_a_certificate_of_nobody_that_we_know_is_refused(self):
        more = {"CARILLON_ALLOW_PRIVATE_ENDPOINTS": LOOPBACK, "CARILLON_ATTEMPTS_MAX": "1"}
        with harness.Installation(**more) as self.installation:
            with Receiver(self.authority) as receiver:
                receiver.home = self.installation.url
                topic = self.call("POST", "topics", {"name": "hooks", "display_name": ""})["topic_urn"]
                self.call("POST", f"topics/{topic}/subscriptions", {"protocol": "https", "endpoint": receiver.url})
                body = {"protocol": "https", "endpoint": receiver.url}
                task = self.call("POST", f"topics/{topic}/detection", body)["task_id"]
                found = self.call("GET", f"topics/{topic}/detection/{task}")
                self.assertEqual((found["status"], found["detail"]["httpCode"]), (0, -1), found)
                self.assertEqual((receiver.got, self.status(topic)), ([], [0]))


if __name__ == "__main__":
    unittest.main(verbosity=2)
