"""The official, unmodified SMN Python SDK against the running program: only the address and the keys are changed."""

import json
import unittest

from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
from huaweicloudsdkcore.region.region import Region
from huaweicloudsdksmn import v2 as smn

import harness
import sdk


def chats():
    """The pretend chats that `carillon simulate` prints: protocol, endpoint, extension, the chat's name."""
    app = {"app_key": "dingpretendapp0001", "app_secret": "pretend-app-secret-0001"}
    token = "00000000000000000000000000000000000000000000000000000000000d1a60"
    lark = "00000000-0000-4000-8000-00000000fe15"
    wecom = "00000000-0000-4000-8000-0000000000c0"
    return [
        ("dingding", f"https://oapi.dingtalk.com/robot/send?access_token={token}",
         {"sign_secret": "SEC" + "0" * 64}, "DingTalk group"),
        ("dingding", "cidPretendGroup0001==", {**app, "robot_code": "dingpretendrobot0001"},
         "DingTalk internal group"),
        ("feishu", f"https://open.feishu.cn/open-apis/bot/v2/hook/{lark}",
         {"sign_secret": "pretend-lark-secret"}, "Lark group"),
        ("wechat", f"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={wecom}", {}, "WeCom group"),
    ]


class OfficialSdk(sdk.SdkTest):
    def create_topic(self, name):
        body = smn.CreateTopicRequestBody(name=name, display_name="值班")
        return self.client.create_topic(smn.CreateTopicRequest(body=body))

    def subscribe_all(self, topic_urn):
        urns = {}
        for protocol, endpoint, extension, chat in chats():
            body = smn.AddSubscriptionRequestBody(
                protocol=protocol, endpoint=endpoint, remark="四群", extension=smn.SubscriptionExtension(**extension)
            )
            added = self.client.add_subscription(smn.AddSubscriptionRequest(topic_urn=topic_urn, body=body))
            self.assertEqual(added.status_code, 201)
            urns[chat] = added.subscription_urn
        return urns

    def publish(self, topic_urn, **fields):
        body = smn.PublishMessageRequestBody(**fields)
        published = self.client.publish_message(smn.PublishMessageRequest(topic_urn=topic_urn, body=body))
        self.assertEqual(published.status_code, 200)
        self.assertRegex(published.request_id, "^[0-9a-f]{32}$")
        return published.message_id

    def shown(self, text):
        """What each chat shows of the message that holds `text`."""
        return {it["chat"]: it for it in self.installation.received() if text in it["text"]}

    def delivered_to_all(self, message_id):
        deliveries = self.installation.settled(message_id)
        self.assertEqual([it["state"] for it in deliveries], ["delivered"] * 4, deliveries)
        self.assertTrue(all(it["attempts"][-1]["outcome"] == "accepted" for it in deliveries))

    def test_the_main_job(self):
        created = self.create_topic("ops")
        self.assertEqual(created.status_code, 201)
        urn = created.topic_urn
        self.assertEqual(urn, f"urn:smn:{harness.REGION}:{harness.PROJECT}:ops")
        self.assertEqual(self.create_topic("ops").status_code, 200)
        urns = self.subscribe_all(urn)

        self.delivered_to_all(self.publish(urn, subject="磁盘", message="磁盘 90% 已满", time_to_live="60"))
        plain = self.shown("磁盘 90% 已满")
        self.assertEqual(set(plain), set(urns))
        self.assertTrue(all("磁盘" in it["text"] + (it["title"] or "") for it in plain.values()))
        self.structured(urn)
        self.listed(urn, urns)
        self.deleted(urn, urns)

    def structured(self, urn):
        structure = {
            "default": "the default 42",
            "dingding": {"msgType": "markdown", "title": "Disk", "content": "**db-1** is full 42",
                         "at": {"isAtAll": False, "atMobiles": ["13800000001"]}},
            "feishu": {"msgType": "markdown", "title": "Disk", "content": "**db-1** is full 42", "color": "red"},
            "wechat": {"msgType": "text", "content": "db-1 is full 42"},
        }
        self.delivered_to_all(self.publish(urn, subject="Disk", message_structure=json.dumps(structure)))
        shown = self.shown("full 42")
        self.assertEqual(shown["DingTalk group"]["kind"], "markdown")
        self.assertEqual(shown["DingTalk group"]["mentions"], ["13800000001"])
        self.assertEqual(shown["WeCom group"]["kind"], "text")
        self.assertIn("db-1", shown["Lark group"]["text"])

    def listed(self, urn, urns):
        topics = self.client.list_topics(smn.ListTopicsRequest(limit=10, offset=0, fuzzy_name="op"))
        self.assertEqual((topics.topic_count, topics.topics[0].display_name), (1, "值班"))
        shown = self.client.list_topic_details(smn.ListTopicDetailsRequest(topic_urn=urn))
        self.assertEqual((shown.name, shown.push_policy), ("ops", 0))
        body = smn.UpdateTopicRequestBody(display_name="on call")
        self.client.update_topic(smn.UpdateTopicRequest(topic_urn=urn, body=body))
        listed = self.client.list_subscriptions_by_topic(smn.ListSubscriptionsByTopicRequest(topic_urn=urn))
        self.assertEqual(listed.subscription_count, 4)
        self.assertEqual({it.subscription_urn for it in listed.subscriptions}, set(urns.values()))
        for subscription in listed.subscriptions:
            self.assertEqual((subscription.status, subscription.owner), (1, harness.PROJECT))
            self.assertIn("****", subscription.endpoint)
        mine = self.client.list_subscriptions(smn.ListSubscriptionsRequest(protocol="feishu"))
        self.assertEqual(mine.subscription_count, 1)

    def deleted(self, urn, urns):
        gone = urns["Lark group"]
        self.client.cancel_subscription(smn.CancelSubscriptionRequest(subscription_urn=gone))
        with self.assertRaises(ClientRequestException) as caught:
            self.client.cancel_subscription(smn.CancelSubscriptionRequest(subscription_urn=gone))
        self.assertEqual((caught.exception.status_code, caught.exception.error_code), (404, "SMN.0013"))
        self.assertRegex(caught.exception.request_id, "^[0-9a-f]{32}$")
        self.client.delete_topic(smn.DeleteTopicRequest(topic_urn=urn))
        with self.assertRaises(ClientRequestException) as caught:
            self.client.list_topic_details(smn.ListTopicDetailsRequest(topic_urn=urn))
        self.assertEqual((caught.exception.status_code, caught.exception.error_code), (404, "SMN.0006"))

    def test_errors_reach_the_caller_as_the_sdk_reads_them(self):
        urn = self.create_topic("errors").topic_urn
        body = smn.AddSubscriptionRequestBody(protocol="feishu", endpoint="https://www.feishu.cn/flow/api/trigger-webhook/1")
        with self.assertRaises(ClientRequestException) as caught:
            self.client.add_subscription(smn.AddSubscriptionRequest(topic_urn=urn, body=body))
        self.assertEqual((caught.exception.status_code, caught.exception.error_code), (400, "SMN.0012"))
        self.assertIn("workflow", caught.exception.error_msg)
        with self.assertRaises(ClientRequestException) as caught:
            self.publish(urn, subject="磁" * 171, message="x")
        self.assertEqual((caught.exception.status_code, caught.exception.error_code), (403, "SMN.0008"))

    def test_a_wrong_secret_is_refused(self):
        credentials = BasicCredentials(harness.ACCESS_KEY, "another secret", harness.PROJECT)
        builder = smn.SmnClient.new_builder().with_credentials(credentials)
        client = builder.with_endpoint(self.installation.url).build()
        with self.assertRaises(ClientRequestException) as caught:
            client.list_topics(smn.ListTopicsRequest())
        self.assertEqual((caught.exception.status_code, caught.exception.error_code), (401, "APIGW.0301"))

    def test_the_project_is_found_by_region(self):
        credentials = BasicCredentials(harness.ACCESS_KEY, harness.SECRET_KEY)
        credentials = credentials.with_iam_endpoint(self.installation.url)
        region = Region(harness.REGION, self.installation.url)
        client = smn.SmnClient.new_builder().with_credentials(credentials).with_region(region).build()
        self.assertEqual(client.list_topics(smn.ListTopicsRequest()).status_code, 200)
        self.assertEqual(client.list_versions(smn.ListVersionsRequest()).versions[0].id, "v2")


if __name__ == "__main__":
    unittest.main(verbosity=2)
