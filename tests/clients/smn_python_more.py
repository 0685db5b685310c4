"""The official SMN Python SDK against what surrounds the main job: filters, templates, attributes, tags."""

import json
import unittest

from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException, ServerResponseException
from huaweicloudsdksmn import v2 as smn

import sdk

LARK = "https://open.feishu.cn/open-apis/bot/v2/hook/00000000-0000-4000-8000-00000000fe15"
WECOM = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=00000000-0000-4000-8000-0000000000c0"


class OfficialSdkMore(sdk.SdkTest):
    def topic(self, name):
        body = smn.CreateTopicRequestBody(name=name, display_name="")
        return self.client.create_topic(smn.CreateTopicRequest(body=body)).topic_urn

    def subscribe(self, topic_urn, protocol, endpoint, **extension):
        extension = smn.SubscriptionExtension(**extension)
        body = smn.AddSubscriptionRequestBody(protocol=protocol, endpoint=endpoint, extension=extension)
        added = self.client.add_subscription(smn.AddSubscriptionRequest(topic_urn=topic_urn, body=body))
        return added.subscription_urn

    def publish(self, topic_urn, **fields):
        body = smn.PublishMessageRequestBody(**fields)
        message = self.client.publish_message(smn.PublishMessageRequest(topic_urn=topic_urn, body=body))
        return self.installation.settled(message.message_id)

    def refused(self, status, code, call, *arguments, error=ClientRequestException):
        with self.assertRaises(error) as caught:
            call(*arguments)
        self.assertEqual((caught.exception.status_code, caught.exception.error_code), (status, code))

    def test_filter_policies(self):
        topic = self.topic("filters")
        lark = self.subscribe(topic, "feishu", LARK, sign_secret="pretend-lark-secret")
        self.subscribe(topic, "wechat", WECOM)
        policy = smn.SubscriptionsFilterPolicy(name="day", string_equals=["mon", "周二"])
        item = smn.BatchSubscriptionsFilterPolicesRequestBodyPolices
        items = [item(subscription_urn=urn, filter_polices=[policy]) for urn in (lark, "nonsense")]
        body = smn.BatchSubscriptionsFilterPolicesRequestBody(polices=items)
        request = smn.BatchCreateSubscriptionsFilterPolicesRequest(body=body)
        made = self.client.batch_create_subscriptions_filter_polices(request)
        self.assertEqual([it.code for it in made.batch_result], [None, "SMN.00011027"])
        listed = self.client.list_subscriptions_by_topic(smn.ListSubscriptionsByTopicRequest(topic_urn=topic))
        shown = {it.subscription_urn: it.filter_polices for it in listed.subscriptions}[lark]
        self.assertEqual([(it.name, it.string_equals) for it in shown], [("day", ["mon", "周二"])])

        def reached(value):
            attribute = smn.MessageAttribute(name="day", type="STRING", value=value)
            return len(self.publish(topic, message="filtered", message_attributes=[attribute]))

        self.assertEqual((reached("mon"), reached("sun")), (2, 1))
        self.assertEqual(len(self.publish(topic, message="to all")), 2)
        body = smn.BatchDeleteSubscriptionsFilterPolicesRequestBody(subscription_urns=[lark])
        request = smn.BatchDeleteSubscriptionsFilterPolicesRequest(body=body)
        gone = self.client.batch_delete_subscriptions_filter_polices(request)
        self.assertEqual([it.code for it in gone.batch_result], [None])
        self.assertEqual(reached("sun"), 2)

    def create_template(self, name, content, protocol=None):
        body = smn.CreateMessageTemplateRequestBody(message_template_name=name, protocol=protocol, content=content)
        made = self.client.create_message_template(smn.CreateMessageTemplateRequest(body=body))
        self.assertEqual(made.status_code, 201)
        return made.message_template_id

    def test_templates(self):
        topic = self.topic("templates")
        self.subscribe(topic, "feishu", LARK, sign_secret="pretend-lark-secret")
        self.subscribe(topic, "wechat", WECOM)
        key = self.create_template("disk", "磁盘 {host} default")
        self.create_template("disk", "磁盘 {host} lark", "feishu")
        self.refused(400, "SMN.0025", self.create_template, "disk", "x")
        listed = self.client.list_message_templates(smn.ListMessageTemplatesRequest())
        self.assertEqual(listed.message_template_count, 2)
        self.assertEqual(listed.message_templates[0].tag_names, ["host"])
        deliveries = self.publish(topic, message_template_name="disk", tags={"host": "db-7"})
        self.assertEqual([it["state"] for it in deliveries], ["delivered"] * 2, deliveries)
        texts = {it["chat"]: it["text"] for it in self.installation.received() if "db-7" in it["text"]}
        self.assertIn("db-7 lark", texts["Lark group"])
        self.assertIn("db-7 default", texts["WeCom group"])
        self.refused(400, "SMN.0038", lambda: self.publish(topic, message_template_name="disk", tags={}))
        self.refused(404, "SMN.0027", lambda: self.publish(topic, message_template_name="none", tags={}))
        body = smn.UpdateMessageTemplateRequestBody(content="other {x}")
        self.client.update_message_template(smn.UpdateMessageTemplateRequest(message_template_id=key, body=body))
        request = smn.ListMessageTemplateDetailsRequest(message_template_id=key)
        shown = self.client.list_message_template_details(request)
        self.assertEqual((shown.content, shown.tag_names), ("other {x}", ["x"]))
        self.client.delete_message_template(smn.DeleteMessageTemplateRequest(message_template_id=key))
        self.refused(404, "SMN.0027", self.client.list_message_template_details, request)

    def test_topic_attributes(self):
        topic = self.topic("attributes")
        statement = {"Sid": "__user_pub_0", "Effect": "Allow", "Principal": {"CSP": ["urn:csp:iam::other:root"]},
                     "Action": ["SMN:Publish", "SMN:QueryTopicDetail"], "Resource": topic}
        policy = json.dumps({"Version": "2016-09-07", "Id": "__default_policy_ID", "Statement": [statement]})

        def put(name, value):
            body = smn.UpdateTopicAttributeRequestBody(value=value)
            self.client.update_topic_attribute(
                smn.UpdateTopicAttributeRequest(topic_urn=topic, name=name, body=body))

        put("access_policy", policy)
        put("introduction", "值班")
        request = smn.ListTopicAttributesRequest(topic_urn=topic, name="access_policy")
        self.assertEqual(self.client.list_topic_attributes(request).attributes.access_policy, policy)
        self.refused(400, "SMN.0046", put, "color", "x")
        self.refused(400, "SMN.0048", put, "access_policy", "nonsense")
        self.client.delete_topic_attribute_by_name(
            smn.DeleteTopicAttributeByNameRequest(topic_urn=topic, name="introduction"))
        self.client.delete_topic_attributes(smn.DeleteTopicAttributesRequest(topic_urn=topic))
        self.assertEqual(self.client.list_topic_attributes(request).attributes.access_policy, "")

    def test_tags(self):
        topic = self.topic("tagged")
        shown = self.client.list_topic_details(smn.ListTopicDetailsRequest(topic_urn=topic))
        where = {"resource_type": "smn_topic", "resource_id": shown.topic_id}
        tag = smn.ResourceTag(key="env", value="prod")
        body = smn.CreateResourceTagRequestBody(tag=tag)
        made = self.client.create_resource_tag(smn.CreateResourceTagRequest(**where, body=body))
        self.assertEqual(made.status_code, 204)
        body = smn.BatchCreateOrDeleteResourceTagsRequestBody(
            action="create", tags=[smn.ResourceTag(key="team", value="db")])
        self.client.batch_create_or_delete_resource_tags(
            smn.BatchCreateOrDeleteResourceTagsRequest(**where, body=body))
        listed = self.client.list_resource_tags(smn.ListResourceTagsRequest(**where))
        self.assertEqual([(it.key, it.value) for it in listed.tags], [("env", "prod"), ("team", "db")])
        every = self.client.list_project_tags(smn.ListProjectTagsRequest(resource_type="smn_topic"))
        self.assertEqual([(it.key, it.values) for it in every.tags], [("env", ["prod"]), ("team", ["db"])])
        body = smn.ListInstanceRequestBody(action="filter", tags=[smn.ResourceTags(key="env", values=["prod"])])
        found = self.client.list_resource_instances(
            smn.ListResourceInstancesRequest(resource_type="smn_topic", body=body))
        self.assertEqual((found.total_count, found.resources[0].resource_name), (1, "tagged"))
        full = self.client.list_topics_with_associated_resources(
            smn.ListTopicsWithAssociatedResourcesRequest(name="tagged"))
        self.assertEqual(full.topics[0].tags[0].key, "env")
        self.client.delete_resource_tag(smn.DeleteResourceTagRequest(**where, key="env"))
        gone = smn.DeleteResourceTagRequest(**where, key="env")
        self.refused(404, "SMN.0045", self.client.delete_resource_tag, gone)

    def test_what_is_absent(self):
        topic = self.topic("absent")
        request = smn.ListLogtankRequest(topic_urn=topic)
        self.assertEqual(self.client.list_logtank(request).count, 0)
        self.assertEqual(self.client.list_cloud_services(smn.ListCloudServicesRequest()).cloud_services, [])
        request = smn.ShowNotifyPolicyRequest(topic_urn=topic)
        call = self.client.show_notify_policy
        self.refused(501, "CARILLON.0501", call, request, error=ServerResponseException)


if __name__ == "__main__":
    unittest.main(verbosity=2)
