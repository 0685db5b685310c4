"""Mail through a real SMTP server, with TLS by a company's authority and a password: confirmed by the link, received with
its two parts, ended by the one click of RFC 8058."""

import json
import re
import tempfile
import unittest
import urllib.error
import urllib.request

from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdksmn import v2 as smn

import harness
from authority import Authority
from relay import Relay

PUBLIC = "https://bells.example"
ALICE = "alice@example.org"


class Mail(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="carillon-mail-")
        self.addCleanup(self.folder.cleanup)
        self.authority = Authority(self.folder.name)

    def settings(self, relay, **more):
        return {
            "CARILLON_SMTP_URL": relay.url(), "CARILLON_MAIL_FROM": "Alerts <alerts@example.com>",
            "CARILLON_PUBLIC_URL": PUBLIC, "CARILLON_CA_FILE": str(self.authority.file), **more,
        }

    def client(self):
        credentials = BasicCredentials(harness.ACCESS_KEY, harness.SECRET_KEY, harness.PROJECT)
        builder = smn.SmnClient.new_builder().with_credentials(credentials)
        return builder.with_endpoint(self.installation.url).build()

    def follow(self, link, data=None):
        self.assertTrue(link.startswith(PUBLIC), link)
        request = urllib.request.Request(self.installation.url + link.removeprefix(PUBLIC), data)
        with urllib.request.urlopen(request, timeout=harness.PATIENCE) as answer:
            return answer.read().decode()

    def link(self, mail):
        """The one link of ours, the same in both parts."""
        plain, html = (mail.get_body((kind,)).get_content() for kind in ("plain", "html"))
        found = re.search(rf"{PUBLIC}\S+", plain).group(0)
        self.assertIn(found.replace("&", "&amp;"), html)
        return found

    def state(self, client, topic):
        listed = client.list_subscriptions_by_topic(smn.ListSubscriptionsByTopicRequest(topic_urn=topic))
        return [it.status for it in listed.subscriptions]

    def subscribe(self, client, name):
        body = smn.CreateTopicRequestBody(name=name, display_name="值班")
        topic = client.create_topic(smn.CreateTopicRequest(body=body)).topic_urn
        body = smn.AddSubscriptionRequestBody(protocol="email", endpoint=ALICE)
        client.add_subscription(smn.AddSubscriptionRequest(topic_urn=topic, body=body))
        return topic

    def publish(self, client, topic, **fields):
        body = smn.PublishMessageRequestBody(**fields)
        message = client.publish_message(smn.PublishMessageRequest(topic_urn=topic, body=body))
        return self.installation.settled(message.message_id)

    def walk(self, relay):
        client = self.client()
        topic = self.subscribe(client, "mailbox")
        asked = relay.wait(1)
        self.assertEqual((asked["to"], asked["from"], asked["tls"]), ([ALICE], "alerts@example.com", True))
        link = self.link(asked["mail"])
        self.follow(link)
        self.assertEqual(self.state(client, topic), [0], "opening the link is not yet pressing the button")
        self.follow(link, b"")
        self.assertEqual(self.state(client, topic), [1])

        deliveries = self.publish(client, topic, subject="磁盘告警", message="磁盘 95% <b>\n.\n..\nend")
        self.assertEqual([it["state"] for it in deliveries], ["delivered"], deliveries)
        mail = relay.wait(2)["mail"]
        self.assertEqual((mail["subject"], mail.get_content_type()), ("磁盘告警", "multipart/alternative"))
        self.assertEqual([it.get_content_type() for it in mail.iter_parts()], ["text/plain", "text/html"])
        plain, html = (mail.get_body((kind,)).get_content() for kind in ("plain", "html"))
        self.assertTrue(plain.replace("\r\n", "\n").startswith("磁盘 95% <b>\n.\n..\nend\n"), plain)
        self.assertIn("磁盘 95% &lt;b&gt;", html)
        self.assertEqual(mail["from"].addresses[0].display_name, "值班")
        leave = mail["list-unsubscribe"].strip("<>")
        self.assertEqual(leave, self.link(mail))
        self.assertEqual(mail["list-unsubscribe-post"], "List-Unsubscribe=One-Click")
        self.follow(leave)
        self.assertEqual(self.state(client, topic), [1], "a filter that opens the link ends nothing")
        self.follow(leave, mail["list-unsubscribe-post"].encode())
        self.assertEqual(self.state(client, topic), [3])
        farewell = relay.wait(3)["mail"]
        # The SDK confirms by the token of the link, signed: it acts at once.
        token = re.search(r"token=([^&\s]+)", self.link(farewell)).group(1)
        request = smn.SubscribeTopicRequest(token=token, topic_urn=topic, endpoint=ALICE)
        self.assertTrue(client.subscribe_topic(request).subscription_urn.startswith(topic))
        self.assertEqual(self.state(client, topic), [1])
        self.assertTrue(all(right for _mechanism, right in relay.sessions), relay.sessions)

    def test_tls_after_a_word(self):
        with Relay(self.authority, wrapped=False) as relay:
            with harness.Installation(**self.settings(relay)) as self.installation:
                self.walk(relay)

    def test_tls_from_the_first_byte(self):
        with Relay(self.authority, wrapped=True) as relay:
            with harness.Installation(**self.settings(relay)) as self.installation:
                self.walk(relay)

    def said(self, **more):
        """What the record says of the mail that asks."""
        with Relay(self.authority, wrapped=False) as relay:
            settings = self.settings(relay, **{name: value(relay) for name, value in more.items()})
            with harness.Installation(**settings, CARILLON_ATTEMPTS_MAX="1") as self.installation:
                self.subscribe(self.client(), "mailbox")
                message = self.installation.get("/api/v1/messages")["messages"][0]["id"]
                attempt = self.installation.settled(message)[0]["attempts"][0]
                self.assertEqual(relay.mails, [])
                self.assertNotIn("wrong password", json.dumps(attempt))
                return attempt

    def test_a_wrong_password_and_an_unknown_authority_are_told(self):
        self.assertEqual(self.said(CARILLON_SMTP_URL=lambda it: it.url("wrong password"))["outcome"], "misconfigured")
        self.assertEqual(self.said(CARILLON_CA_FILE=lambda _it: "")["reason"], "connect")


if __name__ == "__main__":
    unittest.main(verbosity=2)
