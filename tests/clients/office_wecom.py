"""`wechatpy`, a widely used client of WeCom, against the simulated platform."""

import time
import unittest
import xml.etree.ElementTree as ElementTree

import requests
from wechatpy.enterprise import WeChatClient
from wechatpy.enterprise.crypto import WeChatCrypto
from wechatpy.exceptions import WeChatClientException

import office

CORP_ID = "wwpretendoffice01"


class Wecom(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.company = office.Company("wecom", CORP_ID)
        cls.company.__enter__()
        cls.own = cls.company.own_calls({"corp_id": CORP_ID, "agent_id": office.AGENT_ID})
        cls.client = cls.connected(office.SECRET)

    @classmethod
    def tearDownClass(cls):
        missing = cls.own - cls.company.calls()
        cls.company.__exit__(None, None, None)
        assert not missing, missing

    def test_change_events(self):
        """Sealed and signed by wechatpy."""
        key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
        self.company.heard(key, "tok0001")
        crypto = WeChatCrypto("tok0001", key, CORP_ID)

        def sealed(text, at=None):
            at = str(at or int(time.time()))
            body = crypto.encrypt_message(text, "n0nce", at)
            signature = ElementTree.fromstring(body).find("MsgSignature").text
            return body.encode(), f"?msg_signature={signature}&timestamp={at}&nonce=n0nce"

        event = ("<xml><ToUserName><![CDATA[x]]></ToUserName><Event><![CDATA[change_contact]]></Event>"
                 "<ChangeType><![CDATA[delete_user]]></ChangeType><UserID><![CDATA[李雷]]></UserID></xml>")
        body, query = sealed(event)
        self.assertEqual(self.company.told(body)[0], 403, "not signed")
        self.assertEqual(self.company.told(body, query.replace("n0nce", "other"))[0], 403, "signed otherwise")
        self.assertEqual(self.company.told(*sealed(event, int(time.time()) - 7200))[0], 403, "long ago")
        self.assertEqual(self.company.told(body, query), (200, "success"))
        state = self.company.api("GET", self.company.path + "/callback")
        self.assertEqual(state["heard"], "change_contact delete_user")
        self.assertIsNotNone(state["update_due_at"])
        # The platform's first question is a GET whose text comes back opened.
        body, query = sealed("1616140317555161061")
        echo = ElementTree.fromstring(body).find("Encrypt").text
        url = self.company.installation.url + "/callbacks/" + self.company.path.rsplit("/", 1)[1] + query
        answer = requests.get(url, params={"echostr": echo}, timeout=10)
        self.assertEqual((answer.status_code, answer.text), (200, "1616140317555161061"))

    @classmethod
    def connected(cls, secret):
        client = WeChatClient(CORP_ID, secret)
        client._http.mount("https://qyapi.weixin.qq.com", office.Detour(cls.company.installation.simulator_url))
        return client

    def refused(self, code, ask, *words, **more):
        with self.assertRaises(WeChatClientException) as refusal:
            ask(*words, **more)
        self.assertEqual(refusal.exception.errcode, code)

    def test_what_is_wrong_is_told(self):
        self.refused(40001, self.connected("wrong").agent.get, office.AGENT_ID)
        self.refused(301002, self.client.agent.get, 7)
        self.company.change(trusted_ips=["192.0.2.1"])
        self.refused(60020, self.client.agent.get, office.AGENT_ID)
        self.company.change(trusted_ips=[])

    def test_the_directory(self):
        about = self.client.agent.get(office.AGENT_ID)
        self.assertEqual(about["allow_partys"]["partyid"], [1])
        departments = {it["id"]: (it["name"], it["parentid"]) for it in self.client.department.get()}
        self.assertEqual(departments[102], ("平台组", 101))
        members = self.client.department.get_users(101)
        self.assertEqual([it["userid"] for it in members], [f"u{number:03}" for number in range(0, office.MEMBERS, 3)])
        self.assertEqual(self.client.user.get("U004")["name"], "Member 4")
        self.refused(60111, self.client.user.get, "stranger")
        found = self.client.post("user/getuserid", data={"mobile": "13800000005"})
        self.assertEqual(found["userid"], "u005")
        found = self.client.post("user/get_userid_by_email", data={"email": "u004@company.example", "email_type": 1})
        self.assertEqual(found["userid"], "u004")
        self.refused(46004, self.client.post, "user/getuserid", data={"mobile": "13900000000"})
        self.assertEqual(self.company.bound, ["u004", "u005", "no_account"])

    def test_messages(self):
        sent = self.client.message.send_markdown(office.AGENT_ID, ["u002", "stranger"], "**91 %**")
        self.assertEqual(sent["invaliduser"], "stranger")
        self.client.message.send_text(office.AGENT_ID, "u002", "plain")
        self.client.message.send_text_card(office.AGENT_ID, "u002", "磁盘", "91 %", "https://example.com/")
        shown = [it["kind"] for it in self.company.received() if it["chat"] == "Member 2"]
        self.assertEqual(shown[-3:], ["markdown", "text", "textcard"])
        sent = self.client.message.send_text(office.AGENT_ID, "u002", "taken back")
        self.client.post("message/recall", data={"msgid": sent["msgid"]})
        self.refused(40058, self.client.post, "message/recall", data={"msgid": sent["msgid"]})
        self.refused(81013, self.client.message.send_text, office.AGENT_ID, "stranger", "x")
        self.client.appchat.send_text(office.CHAT, "to the room")
        self.assertEqual(self.company.received()[-1]["chat"], "Release room")

    def test_images_and_files(self):
        upload = lambda kind, name, data: self.client.media.upload(kind, office.named(name, data))
        image, file = upload("image", "chart.png", office.PNG), upload("file", "report.pdf", office.PDF)
        self.client.message.send_image(office.AGENT_ID, "u003", image["media_id"])
        self.client.message.send_file(office.AGENT_ID, "u003", file["media_id"])
        shown = [(it["kind"], it["text"]) for it in self.company.received() if it["chat"] == "Member 3"]
        self.assertEqual(shown[-2:], [("image", "chart.png"), ("file", "report.pdf")])
        self.refused(40006, upload, "file", "a.pdf", b"12345")
        self.refused(40005, upload, "image", "a.gif", b"GIF89a and so on")
        self.refused(40007, self.client.message.send_file, office.AGENT_ID, "u003", image["media_id"])


if __name__ == "__main__":
    unittest.main()
