"""An OpenStack-style client, `otcextensions` over `openstacksdk`: it signs in with a name and a password, finds the service
in the token's catalogue and works by token. Nothing but the address of the identity service is told to it."""

import json
import unittest

import openstack
from keystoneauth1 import session
from keystoneauth1.identity import generic
from openstack import exceptions

import harness

LARK = "https://open.feishu.cn/open-apis/bot/v2/hook/00000000-0000-4000-8000-00000000fe15"
WECOM = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=00000000-0000-4000-8000-0000000000c0"


class OpenStackClient(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.installation = harness.Installation()
        cls.installation.__enter__()
        cls.cloud = cls.connect()
        cls.smn = cls.cloud.smn

    @classmethod
    def tearDownClass(cls):
        cls.cloud.close()
        cls.installation.__exit__(None, None, None)

    @classmethod
    def connect(cls, password=harness.PASSWORD):
        return openstack.connect(
            load_yaml_config=False,
            load_envvars=False,
            vendor_hook="otcextensions.sdk:load",
            auth_type="v3password",
            auth={
                "auth_url": cls.installation.url + "/v3",
                "username": "admin",
                "password": password,
                "user_domain_name": "carillon",
                "project_name": harness.REGION,
                "project_domain_name": "carillon",
            },
            region_name=harness.REGION,
        )

    def test_the_main_job(self):
        topic = self.smn.create_topic(name="stack", display_name="值班")
        self.assertEqual(topic.id, f"urn:smn:{harness.REGION}:{harness.PROJECT}:stack")
        wecom = self.smn.create_subscription(topic, protocol="wechat", endpoint=WECOM, remark="群")
        # The client knows no extension; its session posts what is given to it, by the same token.
        body = {"protocol": "feishu", "endpoint": LARK, "extension": {"sign_secret": "pretend-lark-secret"}}
        added = self.smn.post(f"/notifications/topics/{topic.id}/subscriptions", json=body)
        self.assertEqual(added.status_code, 201)
        self.assertEqual([it.name for it in self.smn.topics() if it.name == "stack"], ["stack"])
        self.assertEqual(self.smn.get_topic(topic.id).display_name, "值班")
        self.assertEqual(self.smn.find_topic("stack").id, topic.id)
        of_topic = list(self.smn.subscriptions(topic))
        self.assertEqual({it.protocol for it in of_topic}, {"feishu", "wechat"})
        self.assertEqual({it.status for it in of_topic}, {1})
        self.assertIn(wecom.id, {it.id for it in self.smn.subscriptions()})

        message = self.smn.publish_message(topic, subject="磁盘", message="磁盘 91% 已满", time_to_live="60")
        deliveries = self.installation.settled(message.message_id)
        self.assertEqual([it["state"] for it in deliveries], ["delivered"] * 2, deliveries)
        shown = [it for it in self.installation.received() if "磁盘 91% 已满" in it["text"]]
        self.assertEqual({it["chat"] for it in shown}, {"Lark group", "WeCom group"})

        self.smn.update_topic(topic, display_name="on call")
        self.assertEqual(self.smn.get_topic(topic.id).display_name, "on call")
        self.smn.delete_subscription(wecom.id)
        self.assertEqual(len(list(self.smn.subscriptions(topic))), 1)
        self.smn.delete_topic(topic.id, ignore_missing=False)
        with self.assertRaises(exceptions.NotFoundException):
            self.smn.get_topic(topic.id)

    def test_attributes(self):
        topic = self.smn.create_topic(name="stack-attributes", display_name="")
        statement = {"Sid": "__user_pub_0", "Effect": "Allow", "Principal": {"CSP": ["urn:csp:iam::other:root"]},
                     "Action": ["SMN:Publish"], "Resource": topic.id}
        policy = json.dumps({"Version": "2016-09-07", "Id": "one", "Statement": [statement]})
        self.smn.update_topic_attribute(topic, "access_policy", attr_value=policy)
        self.smn.update_topic_attribute(topic, "introduction", attr_value="值班")
        shown = {it.attributes.introduction for it in self.smn.topic_attributes(topic, name="introduction")}
        self.assertEqual(shown, {"值班"})
        self.smn.delete_topic_attribute(topic, "introduction")
        self.smn.delete_topic_attribute(topic)

    def test_templates_and_pages(self):
        made = [self.smn.create_template(message_template_name=f"t{n}", protocol="default", content="{host} is full")
                for n in range(3)]
        # Its own paging wants markers, which SMN does not have: it takes what a page holds, and offsets.
        pages = [list(self.smn.templates(offset=offset, limit=2, paginated=False)) for offset in (0, 2, 4)]
        self.assertEqual([it.id for page in pages for it in page], [it.id for it in made])
        shown = self.smn.get_template(made[0].id)
        self.assertEqual(shown.content, "{host} is full")
        self.smn.update_template(made[0].id, content="{host}")
        self.smn.delete_template(made[0].id, ignore_missing=False)
        with self.assertRaises(exceptions.NotFoundException):
            self.smn.get_template(made[0].id)

    def test_what_is_refused(self):
        with self.assertRaises(exceptions.SDKException) as caught:
            self.smn.send_sms("+8613800000000", "hello")
        self.assertIn("Short messages are not offered", str(caught.exception))
        with self.assertRaises(Exception) as caught:
            self.connect("not the password").authorize()
        self.assertIn("401", str(caught.exception))

    def test_the_service_is_found_from_whatever_address_is_known(self):
        user = {"username": "admin", "password": harness.PASSWORD, "user_domain_name": "carillon"}
        for path in ("", "/", "/v3", "/v3/"):
            project = {"project_name": harness.REGION, "project_domain_name": "carillon"}
            known = generic.Password(auth_url=self.installation.url + path, **user, **project)
            asking = session.Session(auth=known)
            found = known.get_endpoint(asking, service_type="smn", region_name=harness.REGION)
            self.assertEqual(found, f"{self.installation.url}/v2/{harness.PROJECT}")
            self.assertEqual(asking.get(found + "/notifications/topics").status_code, 200)
        listed = asking.get(self.installation.url + "/v3/auth/projects").json()["projects"]
        self.assertEqual([it["name"] for it in listed], [harness.REGION])
        wide = generic.Password(auth_url=self.installation.url, domain_name="carillon", **user)
        access = wide.get_access(session.Session(auth=wide))
        self.assertEqual((access.domain_scoped, access.project_scoped), (True, False))


if __name__ == "__main__":
    unittest.main(verbosity=2)
