"""Every method of the official Python SDKs is called once, in an order in which each can do its work. What comes back must be
the state that `docs/smn-compatibility.md` gives to the method: works, or never."""

import datetime
import pathlib
import re
import tempfile
import unittest

from huaweicloudsdkcore.auth.credentials import BasicCredentials, GlobalCredentials
from huaweicloudsdkcore.exceptions.exceptions import ServiceResponseException
from huaweicloudsdksmn import v2 as smn
from huaweicloudsdksmnglobal import v2 as smn_global

import harness
from authority import Authority
from receiver import Receiver
from relay import Relay

MANUAL = pathlib.Path(__file__).parents[2] / "docs/smn-compatibility.md"
LARK = "https://open.feishu.cn/open-apis/bot/v2/hook/00000000-0000-4000-8000-00000000fe15"
WECOM = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=00000000-0000-4000-8000-0000000000c0"
ALICE = "alice@example.org"


def documented():
    """The state of each method by the first two tables' rows, `CreateTopic` as `create_topic`."""
    states = {}
    table = MANUAL.read_text().split("## Operations")[1].split("\n## ")[0]
    for line in table.splitlines():
        cells = [cell.strip() for cell in line.split(" | ")]
        if len(cells) != 3 or not re.fullmatch(r"\| [A-Z][A-Za-z]+(, [A-Z][A-Za-z]+)*", cells[0]):
            continue
        for name in cells[0].removeprefix("| ").split(", "):
            snake = re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()
            assert snake not in states, f"{name} stands in two rows"
            states[snake] = re.match(r"works|never|not yet", cells[2]).group(0)
    return states


def methods(client):
    """The names of the calls of an SDK's client."""
    return {name[1:].removesuffix("_http_info") for name in dir(client) if name.endswith("_http_info")}


class Every(unittest.TestCase):
    maxDiff = None

    def call(self, name, /, module=smn, client=None, **fields):
        """Calls a method and notes the state that its answer shows; its answer, when it works."""
        kind = "".join(word.capitalize() for word in name.split("_")) + "Request"
        try:
            answer = getattr(client or self.client, name)(getattr(module, kind)(**fields))
        except ServiceResponseException as error:
            if (error.status_code, error.error_code) == (501, "CARILLON.0501"):
                self.seen[name] = "never"
                return None
            if (error.status_code, error.error_code) == (404, "APIGW.0101"):
                self.seen[name] = "not yet"
                return None
            raise AssertionError(f"{name}: {error}") from error
        self.assertLess(answer.status_code, 300)
        self.seen[name] = "works"
        return answer

    def test_each_method_does_what_the_manual_says(self):
        with tempfile.TemporaryDirectory(prefix="carillon-every-") as folder:
            authority = Authority(folder)
            with Relay(authority, wrapped=False) as self.relay, Receiver() as self.receiver:
                settings = {
                    "CARILLON_SMTP_URL": self.relay.url(), "CARILLON_MAIL_FROM": "alerts@example.com",
                    "CARILLON_CA_FILE": str(authority.file), "CARILLON_ALLOW_PRIVATE_ENDPOINTS": "127.0.0.0/8",
                    "CARILLON_DELIVERY_LOG": str(pathlib.Path(folder) / "deliveries.log"),
                }
                with harness.Installation(**settings) as self.installation:
                    self.receiver.home = self.installation.url
                    self.seen = {}
                    keys = (harness.ACCESS_KEY, harness.SECRET_KEY)
                    builder = smn.SmnClient.new_builder().with_credentials(BasicCredentials(*keys, harness.PROJECT))
                    self.client = builder.with_endpoint(self.installation.url).build()
                    builder = smn_global.SmnglobalClient.new_builder()
                    builder = builder.with_credentials(GlobalCredentials(*keys, "carillon"))
                    self.world = builder.with_endpoint(self.installation.url).build()
                    self.walk()
        every = methods(self.client) | methods(self.world)
        self.assertEqual(every - set(self.seen), set(), "never called")
        told = documented()
        self.assertEqual({name: told.get(name) for name in every}, {name: self.seen[name] for name in every})
        self.assertEqual((len(every), set(told) - every), (75, set()))

    def walk(self):
        body = {"name": "every", "display_name": "值班"}
        self.topic = self.call("create_topic", body=body).topic_urn
        self.topics()
        self.subscriptions()
        self.users()
        self.links()
        self.filters_and_publishing()
        self.templates()
        self.tags()
        self.absent()
        self.logs()
        self.endings()

    def topics(self):
        topic = {"topic_urn": self.topic}
        self.assertEqual(self.call("list_topics", name="every", offset=0, limit=100).topic_count, 1)
        self.call("update_topic", **topic, body={"display_name": "on call"})
        self.assertEqual(self.call("list_topic_details", **topic).display_name, "on call")
        self.call("update_topic_attribute", **topic, name="introduction", body={"value": "磁盘"})
        self.assertEqual(self.call("list_topic_attributes", **topic).attributes.introduction, "磁盘")
        self.call("delete_topic_attribute_by_name", **topic, name="introduction")
        self.call("delete_topic_attributes", **topic)
        hour = datetime.datetime.now(datetime.timezone.utc).replace(minute=0, second=0)
        hours = {"start_time": hour - datetime.timedelta(hours=3), "end_time": hour}
        hours = {name: time.strftime("%Y-%m-%dT%H:%M:%SZ") for name, time in hours.items()}
        self.assertEqual(self.call("list_topic_message_statistics", **topic, **hours).total.sms, 0)
        self.assertEqual(self.call("list_versions").versions[0].id, "v2")
        self.assertEqual(self.call("list_version").version.id, "v2")
        self.assertIn("email", self.call("list_protocols").protocols)
        for name in ("list_cloud_services", "list_cloud_service"):
            self.assertEqual(self.call(name).cloud_services, [])

    def add(self, protocol, endpoint, **extension):
        body = {"protocol": protocol, "endpoint": endpoint, "extension": extension}
        return self.call("add_subscription", topic_urn=self.topic, body=body).subscription_urn

    def subscriptions(self):
        topic = {"topic_urn": self.topic}
        self.lark = self.add("feishu", LARK, sign_secret="pretend-lark-secret")
        self.wecom = self.add("wechat", WECOM)
        self.assertEqual(self.call("list_subscriptions_by_topic", **topic).subscription_count, 2)
        self.assertEqual(self.call("list_subscriptions", protocol="wechat", status=1).subscription_count, 1)
        self.call("update_subscription", **topic, subscription_urn=self.lark, body={"remark": "四群"})
        found = self.call("list_subscriptions_by_topic", **topic, fuzzy_remark="四")
        self.assertEqual([it.subscription_urn for it in found.subscriptions], [self.lark])

    def users(self):
        body = {"name": "Alice", "group": "ops", "wechat": {"endpoint": WECOM + "1"}}
        world = {"module": smn_global, "client": self.world}
        made = self.call("create_subscription_user", **world, body=body)
        self.call("list_subscription_user", **world, name="Alice")
        self.call("update_subscription_user", **world, id=made.id, body={**body, "group": "dev"})
        added = self.call("add_subscription_from_subscription_user", topic_urn=self.topic, body={"ids": [made.id]})
        self.assertEqual([it.http_code for it in added.subscriptions_result], [201])
        urns = [{"subscription_urn": it.subscription_urn} for it in added.subscriptions_result]
        self.call("batch_delete_subscriptions", body={"subscription_urns": urns})
        self.call("delete_subscription_user", **world, id=made.id)

    def links(self):
        """Web hooks and mailboxes, confirmed and ended by the SDK."""
        hook = self.add("http", self.receiver.url, header={"x-team": "ops"})
        asked = self.receiver.of_type("SubscriptionConfirmation")[0]["fields"]
        token = re.search("token=([^&]+)", asked["subscribe_url"]).group(1)
        confirmed = self.call("confirm_subscription", token=token, topic_urn=self.topic)
        self.assertEqual(confirmed.subscription_urn, hook)
        mailbox = self.add("email", ALICE)
        text = self.relay.wait(1)["mail"].get_body(("plain",)).get_content()
        token = re.search(r"token=([^&\s]+)", text).group(1)
        confirmed = self.call("subscribe_topic", token=token, topic_urn=self.topic, endpoint=ALICE)
        self.assertEqual(confirmed.subscription_urn, mailbox)
        certificate = asked["signing_cert_url"].rsplit("/", 1)[1]
        self.call("download_http_cert", certificate_id=certificate)
        self.call("download_http_sign_cert", certificate_id=certificate)
        body = {"protocol": "http", "endpoint": self.receiver.url}
        task = self.call("publish_http_detect", topic_urn=self.topic, body=body).task_id
        self.assertEqual(self.call("show_http_detect_result", topic_urn=self.topic, task_id=task).status, 0)
        self.hook, self.mailbox = hook, mailbox

    def filters_and_publishing(self):
        policy = {"subscription_urn": self.lark, "filter_polices": [{"name": "day", "string_equals": ["mon"]}]}
        self.call("batch_create_subscriptions_filter_polices", body={"polices": [policy]})
        self.call("batch_update_subscriptions_filter_polices", body={"polices": [policy]})
        attributes = [{"name": "day", "type": "STRING", "value": "mon"}]
        body = {"subject": "磁盘", "message": "96%", "message_attributes": attributes}
        message = self.call("publish_message", topic_urn=self.topic, body=body).message_id
        deliveries = self.installation.settled(message)
        self.assertEqual([it["state"] for it in deliveries], ["delivered"] * 4, deliveries)
        self.assertEqual(self.relay.wait(2)["mail"]["subject"], "磁盘")
        self.call("batch_delete_subscriptions_filter_polices", body={"subscription_urns": [self.lark]})

    def templates(self):
        body = {"message_template_name": "disk", "content": "{host}"}
        made = {"message_template_id": self.call("create_message_template", body=body).message_template_id}
        self.call("update_message_template", **made, body={"content": "磁盘 {host}"})
        self.assertEqual(self.call("list_message_template_details", **made).tag_names, ["host"])
        self.assertEqual(self.call("list_message_templates").message_template_count, 1)
        self.call("delete_message_template", **made)

    def tags(self):
        where = {"resource_type": "smn_topic"}
        resource = {**where, "resource_id": self.call("list_topic_details", topic_urn=self.topic).topic_id}
        tag = {"key": "env", "value": "prod"}
        self.call("create_resource_tag", **resource, body={"tag": tag})
        self.call("batch_create_or_delete_resource_tags", **resource, body={"action": "create", "tags": [tag]})
        self.assertEqual(len(self.call("list_resource_tags", **resource).tags), 1)
        self.assertEqual(len(self.call("list_project_tags", **where).tags), 1)
        self.assertEqual(self.call("list_resource_instances", **where, body={"action": "count"}).total_count, 1)
        full = self.call("list_topics_with_associated_resources", name="every").topics[0]
        self.assertEqual((full.tags[0].key, full.tags[0].value), ("env", "prod"))
        self.call("delete_resource_tag", **resource, key="env")

    def absent(self):
        topic, policy = {"topic_urn": self.topic}, {"protocol": "callnotify", "polling": []}
        self.call("create_notify_policy", **topic, body=policy)
        self.call("show_notify_policy", **topic)
        self.call("update_notify_policy", **topic, notify_policy_id="x", body=policy)
        self.call("delete_notify_policy", **topic, notify_policy_id="x")
        self.call("create_kms_key", **topic, body={"key_id": "x"})
        self.call("show_kms_key", **topic)
        self.call("update_kms_key", **topic, id="x", body={"key_id": "x"})
        self.call("delete_kms_key", **topic, id="x")
        application, endpoint = {"application_urn": "urn:smn:x"}, {"endpoint_urn": "urn:smn:x"}
        self.call("create_application", body={"name": "x", "platform": "HMS"})
        self.call("list_applications")
        self.call("list_application_attributes", **application)
        self.call("update_application", **application, body={})
        self.call("delete_application", **application)
        self.call("create_application_endpoint", **application, body={"token": "x"})
        self.call("list_application_endpoints", **application)
        self.call("list_application_endpoint_attributes", **endpoint)
        self.call("update_application_endpoint", **endpoint, body={})
        self.call("delete_application_endpoint", **endpoint)
        self.call("publish_app_message", **endpoint, body={"message": "x"})

    def logs(self):
        topic, body = {"topic_urn": self.topic}, {"log_group_id": "group", "log_stream_id": "stream"}
        made = self.call("create_logtank", **topic, body=body)
        tank = {**topic, "logtank_id": made.id if made else "x"}
        self.assertEqual(self.call("list_logtank", **topic).count, 1 if made else 0)
        self.call("update_logtank", **tank, body=body)
        self.call("delete_logtank", **tank)

    def endings(self):
        topic = {"topic_urn": self.topic}
        self.call("unsubscribe_topic", subscription_urn=self.mailbox)
        self.call("unsubscribe_subscription", subscription_urn=self.hook)
        listed = self.call("list_subscriptions_by_topic", **topic).subscriptions
        ended = {it.subscription_urn for it in listed if it.status == 3}
        self.assertEqual(ended, {self.hook, self.mailbox})
        self.receiver.of_type("UnsubscribeConfirmation")
        self.call("cancel_subscription", subscription_urn=self.lark)
        self.call("delete_subscriptions_by_topic", **topic, subscription_urn=self.wecom)
        urns = [{"subscription_urn": urn} for urn in (self.hook, self.mailbox)]
        self.call("batch_delete_subscriptions_by_topic", **topic, body={"subscription_urns": urns})
        self.assertEqual(self.call("list_subscriptions_by_topic", **topic).subscription_count, 0)
        self.call("delete_topic", **topic)


if __name__ == "__main__":
    unittest.main(verbosity=2)
