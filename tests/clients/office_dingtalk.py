"""DingTalk's official SDK for the newer interface, `alibabacloud_dingtalk`, and the widely used `dingtalk-sdk` for the older
one, against the simulated platform."""

import json
import logging
import unittest
import urllib.parse

from Tea.exceptions import TeaException
from alibabacloud_dingtalk.oauth2_1_0 import models as oauth2
from alibabacloud_dingtalk.oauth2_1_0.client import Client as OauthClient
from alibabacloud_dingtalk.robot_1_0 import models as robot
from alibabacloud_dingtalk.robot_1_0.client import Client as RobotClient
from alibabacloud_tea_openapi.models import Config
from alibabacloud_tea_util.models import RuntimeOptions
from dingtalk import AppKeyClient, DingTalkException
from dingtalk.crypto import DingTalkCrypto
import requests

import office

APP_KEY = "dingpretendofficekey1"


class Dingtalk(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        logging.getLogger("dingtalk").setLevel(logging.CRITICAL)
        cls.company = office.Company("dingtalk_app", APP_KEY)
        cls.company.__enter__()
        cls.own = cls.company.own_calls({"app_id": APP_KEY, "robot_code": office.ROBOT_CODE, "agent_id": office.AGENT_ID})
        cls.older = AppKeyClient("dingpretendcorp", APP_KEY, office.SECRET)
        cls.older._http = requests.Session()
        cls.older._http.mount("https://oapi.dingtalk.com", office.Detour(cls.company.installation.simulator_url))

    @classmethod
    def tearDownClass(cls):
        missing = cls.own - cls.company.calls()
        cls.company.__exit__(None, None, None)
        assert not missing, missing

    def newer(self, kind):
        host = urllib.parse.urlsplit(self.company.installation.simulator_url).netloc
        return kind(Config(protocol="http", region_id="central", endpoint=host))

    def token(self, secret=office.SECRET):
        request = oauth2.GetAccessTokenRequest(app_key=APP_KEY, app_secret=secret)
        return self.newer(OauthClient).get_access_token(request).body.access_token

    def refused(self, code, ask, *words):
        with self.assertRaises(DingTalkException) as refusal:
            ask(*words)
        self.assertEqual(refusal.exception.errcode, code)

    def test_change_events(self):
        """Sealed and signed by dingtalk-sdk, which opens the answer."""
        key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
        self.company.heard(key, "tok0001")
        crypto = DingTalkCrypto("tok0001", key, APP_KEY)

        def told(event, **change):
            sealed = {**crypto.encrypt_message(json.dumps(event)), **change}
            query = f"?signature={sealed['msg_signature']}&timestamp={sealed['timeStamp']}&nonce={sealed['nonce']}"
            return self.company.told(json.dumps({"encrypt": sealed["encrypt"]}), query)

        for event, due in (({"EventType": "check_url"}, False), ({"EventType": "user_leave_org", "UserId": ["u001"]}, True)):
            status, answer = told(event)
            self.assertEqual(status, 200, answer)
            answer = json.loads(answer)
            opened = crypto.decrypt_message(answer, answer["msg_signature"], answer["timeStamp"], answer["nonce"])
            self.assertEqual(opened, "success")
            state = self.company.api("GET", self.company.path + "/callback")
            self.assertEqual(state["update_due_at"] is not None, due)
        self.assertEqual(told({"EventType": "user_add_org"}, nonce="another")[0], 403)
        self.assertEqual(told({"EventType": "user_add_org"}, timeStamp="1700000000000")[0], 403)

    def test_a_wrong_secret_is_told(self):
        with self.assertRaises(TeaException) as refusal:
            self.token("wrong")
        self.assertEqual(refusal.exception.code, "invalidClientIdOrSecret")

    def test_the_directory(self):
        self.assertEqual(self.older.user.auth_scopes()["auth_org_scopes"]["authed_dept"], [1])
        post = self.older.post
        found = post("/topapi/v2/department/listsub", {"dept_id": 1})["result"]
        self.assertEqual([(it["dept_id"], it["name"]) for it in found], [(101, "研发"), (103, "Finance")])
        self.assertEqual(post("/topapi/v2/department/listsubid", {"dept_id": 101})["result"]["dept_id_list"], [102])
        self.assertEqual(post("/topapi/v2/department/get", {"dept_id": 102})["result"]["parent_id"], 101)
        members, cursor = [], 0
        while cursor is not None:
            page = post("/topapi/v2/user/list", {"dept_id": 101, "cursor": cursor, "size": 4})["result"]
            members += [it["userid"] for it in page["list"]]
            cursor = page.get("next_cursor") if page["has_more"] else None
        self.assertEqual(members, [f"u{number:03}" for number in range(0, office.MEMBERS, 3)])
        self.assertEqual(post("/topapi/v2/user/get", {"userid": "u004"})["result"]["name"], "Member 4")
        self.assertEqual(post("/topapi/v2/user/getbymobile", {"mobile": "13800000005"})["result"]["userid"], "u005")
        self.refused(60121, post, "/topapi/v2/user/getbymobile", {"mobile": "13900000000"})
        self.assertEqual(self.company.bound, ["unsupported", "u005", "no_account"])
        self.refused(60121, post, "/topapi/v2/user/get", {"userid": "stranger"})
        self.company.change(withhold=["qyapi_get_member"])
        self.refused(88, post, "/topapi/v2/user/get", {"userid": "u004"})
        self.company.change(grant=["qyapi_get_member"])

    def taken_back(self, client, token, key):
        headers = robot.BatchRecallOTOHeaders(x_acs_dingtalk_access_token=token)
        people = robot.BatchRecallOTORequest(robot_code=office.ROBOT_CODE, process_query_keys=[key, "unknown"])
        answer = client.batch_recall_otowith_options(people, headers, RuntimeOptions()).body
        self.assertEqual((answer.success_result, list(answer.failed_result)), ([key], ["unknown"]))
        headers = robot.OrgGroupRecallHeaders(x_acs_dingtalk_access_token=token)
        group = robot.OrgGroupRecallRequest(
            robot_code=office.ROBOT_CODE, open_conversation_id=office.CHAT, process_query_keys=["unknown"],
        )
        answer = client.org_group_recall_with_options(group, headers, RuntimeOptions()).body
        self.assertEqual(list(answer.failed_result), ["unknown"])

    def test_messages(self):
        client, token = self.newer(RobotClient), self.token()
        param = json.dumps({"title": "磁盘", "text": "**91 %**"})
        headers = robot.BatchSendOTOHeaders(x_acs_dingtalk_access_token=token)
        people = robot.BatchSendOTORequest(
            robot_code=office.ROBOT_CODE, user_ids=["u002", "stranger"], msg_key="sampleMarkdown", msg_param=param,
        )
        answer = client.batch_send_otowith_options(people, headers, RuntimeOptions()).body
        self.assertTrue(answer.process_query_key)
        self.assertEqual(answer.invalid_staff_id_list, ["stranger"])
        headers = robot.OrgGroupSendHeaders(x_acs_dingtalk_access_token=token)
        group = robot.OrgGroupSendRequest(
            robot_code=office.ROBOT_CODE, open_conversation_id=office.CHAT, msg_key="sampleText",
            msg_param=json.dumps({"content": "to the room"}),
        )
        self.assertTrue(client.org_group_send_with_options(group, headers, RuntimeOptions()).body.process_query_key)
        self.taken_back(client, token, answer.process_query_key)
        self.assertEqual([it["chat"] for it in self.company.received()][-2:], ["Member 2", "Release room"])
        headers = robot.BatchSendOTOHeaders(x_acs_dingtalk_access_token="dead")
        with self.assertRaises(TeaException) as refusal:
            client.batch_send_otowith_options(people, headers, RuntimeOptions())
        self.assertEqual(refusal.exception.code, "InvalidAuthentication")

    def test_work_notifications(self):
        base, post = "/topapi/message/corpconversation/", self.older.post
        message = {"msgtype": "text", "text": {"content": "from the SDK"}}
        asked = {"agent_id": office.AGENT_ID, "userid_list": "u004,stranger", "msg": message}
        task = post(base + "asyncsend_v2", asked)["task_id"]
        about = {"agent_id": office.AGENT_ID, "task_id": task}
        # It takes a moment.
        self.assertEqual(post(base + "getsendresult", about)["send_result"], {})
        result = post(base + "getsendresult", about)["send_result"]
        self.assertEqual((result["unread_user_id_list"], result["invalid_user_id_list"]), (["u004"], ["stranger"]))
        again = {"agent_id": office.AGENT_ID, "task_id": post(base + "asyncsend_v2", asked)["task_id"]}
        post(base + "getsendresult", again)
        dropped = post(base + "getsendresult", again)["send_result"]["forbidden_list"]
        self.assertEqual([(it["userid"], it["code"]) for it in dropped], [("u004", "143106")])
        shown = [(it["kind"], it["text"]) for it in self.company.received() if it["chat"] == "Member 4"]
        self.assertEqual(shown, [("work_text", "from the SDK")])
        post(base + "recall", {"agent_id": office.AGENT_ID, "msg_task_id": task})
        self.refused(400002, post, base + "recall", {"agent_id": office.AGENT_ID, "msg_task_id": task})
        self.refused(400002, post, base + "asyncsend_v2", {**asked, "agent_id": 7})
        long = {"msgtype": "text", "text": {"content": "x" * 2048}}
        self.refused(400002, post, base + "asyncsend_v2", {**asked, "msg": long})

    def test_images_and_files(self):
        upload = lambda kind, name, data: self.older.message.media_upload(kind, office.named(name, data))["media_id"]
        image, file = upload("image", "chart.png", office.PNG), upload("file", "report.pdf", office.PDF)
        client, headers = self.newer(RobotClient), robot.BatchSendOTOHeaders(x_acs_dingtalk_access_token=self.token())
        of_file = {"mediaId": file, "fileName": "report.pdf", "fileType": "pdf"}
        for key, param in (("sampleImageMsg", {"photoURL": image}), ("sampleFile", of_file)):
            people = robot.BatchSendOTORequest(
                robot_code=office.ROBOT_CODE, user_ids=["u003"], msg_key=key, msg_param=json.dumps(param),
            )
            self.assertTrue(client.batch_send_otowith_options(people, headers, RuntimeOptions()).body.process_query_key)
        shown = [(it["kind"], it["text"]) for it in self.company.received() if it["chat"] == "Member 3"]
        self.assertEqual(shown[-2:], [("sampleImageMsg", "chart.png"), ("sampleFile", "report.pdf")])
        self.refused(40005, upload, "file", "notes.txt", b"words")


if __name__ == "__main__":
    unittest.main()
