"""The official SDK of Lark and Feishu, `lark-oapi`, against the simulated platform."""

import base64
import hashlib
import json
import os
import time
import unittest
import uuid

import lark_oapi as lark
from Crypto.Cipher import AES
from Crypto.Util.Padding import pad
from lark_oapi.api.application.v6 import ListScopeRequest
from lark_oapi.api.auth.v3 import InternalTenantAccessTokenRequest, InternalTenantAccessTokenRequestBody
from lark_oapi.api.contact.v3 import (
    BatchGetIdUserRequest, BatchGetIdUserRequestBody, ChildrenDepartmentRequest, FindByDepartmentUserRequest,
    GetDepartmentRequest, GetUserRequest, ListScopeRequest as ListRangeRequest,
)
from lark_oapi.api.im.v1 import (
    CreateFileRequest, CreateFileRequestBody, CreateImageRequest, CreateImageRequestBody, CreateMessageRequest,
    CreateMessageRequestBody, DeleteMessageRequest, ListChatRequest, PatchMessageRequest, PatchMessageRequestBody,
    UpdateChatRequest, UpdateChatRequestBody,
)

import office

APP_ID = "cli_pretend_office_1"


class Lark(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.company = office.Company("feishu", APP_ID)
        cls.company.__enter__()
        cls.own = cls.company.own_calls({"app_id": APP_ID})
        cls.client = cls.connected(office.SECRET)

    @classmethod
    def tearDownClass(cls):
        missing = cls.own - cls.company.calls()
        cls.company.__exit__(None, None, None)
        # What Carillon calls and the platform's own client did not is not proved by it.
        assert not missing, missing

    @classmethod
    def connected(cls, secret):
        builder = lark.Client.builder().app_id(APP_ID).app_secret(secret).log_level(lark.LogLevel.CRITICAL)
        return builder.domain(cls.company.installation.simulator_url).build()

    def good(self, response):
        self.assertTrue(response.success(), (response.code, response.msg))
        return getattr(response, "data", None)

    def pages(self, ask, builder):
        """All items, page by page."""
        items, token = [], None
        while True:
            data = self.good(ask((builder().page_token(token) if token else builder()).build()))
            items += data.items or []
            token = data.page_token
            if not data.has_more:
                return items

    def test_a_wrong_secret_is_told(self):
        ask = self.client.auth.v3.tenant_access_token.internal
        for app_id, secret, code in ((APP_ID, office.SECRET, 0), (APP_ID, "wrong", 10015), ("cli_unknown", "x", 10003)):
            body = InternalTenantAccessTokenRequestBody.builder().app_id(app_id).app_secret(secret).build()
            asked = InternalTenantAccessTokenRequest.builder().request_body(body).build()
            self.assertEqual(ask(asked).code, code)

    def test_what_was_granted_and_the_bot(self):
        granted = self.good(self.client.application.v6.scope.list(ListScopeRequest.builder().build()))
        self.assertIn("im:message:send_as_bot", [it.scope_name for it in granted.scopes if it.grant_status == 1])
        bot = lark.BaseRequest.builder().http_method(lark.HttpMethod.GET).uri("/open-apis/bot/v3/info")
        answer = self.client.request(bot.token_types({lark.AccessTokenType.TENANT}).build())
        self.good(answer)
        self.assertEqual(json.loads(answer.raw.content)["bot"]["activate_status"], 2)

    def test_the_directory(self):
        contact = self.client.contact.v3
        seen = self.good(contact.scope.list(ListRangeRequest.builder().user_id_type("open_id").build()))
        self.assertEqual(len(seen.department_ids), 2)

        def children():
            return ChildrenDepartmentRequest.builder().department_id("0").fetch_child(True).page_size(2)

        departments = self.pages(contact.department.children, children)
        self.assertEqual({it.name for it in departments}, {"研发", "平台组", "Finance"})
        top = next(it for it in departments if it.name == "研发")
        one = self.good(contact.department.get(GetDepartmentRequest.builder().department_id(top.open_department_id).build()))
        self.assertEqual((one.department.name, one.department.department_id), ("研发", "101"))

        def members():
            builder = FindByDepartmentUserRequest.builder().user_id_type("open_id").department_id_type("open_department_id")
            return builder.department_id(top.open_department_id).page_size(4)

        found = self.pages(contact.user.find_by_department, members)
        self.assertEqual([it.user_id for it in found], [f"u{number:03}" for number in range(0, office.MEMBERS, 3)])
        self.assertEqual(found[0].department_ids, [top.open_department_id])
        user = GetUserRequest.builder().user_id_type("open_id").user_id(found[1].open_id).build()
        self.assertEqual(self.good(contact.user.get(user)).user.name, "Member 3")

        body = BatchGetIdUserRequestBody.builder().emails(["u004@company.example", "nobody@company.example"])
        body = body.mobiles(["13800000005"]).build()
        ids = BatchGetIdUserRequest.builder().user_id_type("user_id").request_body(body).build()
        found = {it.email or it.mobile: it.user_id for it in self.good(contact.user.batch_get_id(ids)).user_list}
        wanted = {"u004@company.example": "u004", "nobody@company.example": None, "13800000005": "u005"}
        self.assertEqual(found, wanted)
        self.assertEqual(self.company.bound, ["u004", "u005", "no_account"])

    def test_a_permission_that_is_missing_is_named(self):
        self.company.change(withhold=["im:chat", "im:chat:readonly"])
        refused = self.client.im.v1.chat.list(ListChatRequest.builder().build())
        self.company.change(grant=["im:chat", "im:chat:readonly"])
        self.assertEqual(refused.code, 99991672)
        self.assertIn("im:chat", refused.msg)

    def test_a_chat_is_changed(self):
        def changed(chat, name):
            body = UpdateChatRequestBody.builder().name(name).description("by the SDK").build()
            asked = UpdateChatRequest.builder().chat_id(chat).user_id_type("open_id").request_body(body).build()
            return self.client.im.v1.chat.update(asked)

        self.good(changed(office.CHAT, "Release room"))
        self.assertEqual(changed(office.CHAT, "x" * 61).code, 232001)
        self.assertEqual(changed("oc_other", "Other").code, 232011)
        chats = self.pages(self.client.im.v1.chat.list, lambda: ListChatRequest.builder())
        self.assertEqual([it.description for it in chats], ["by the SDK"])

    def test_change_events(self):
        """Sealed here with pycryptodome and signed by hand; the SDK's own handler takes the same requests."""
        key, token = "ek-notify-01", "vtok-0001"
        self.company.heard(key, token)

        def sealed(event):
            plain = pad(json.dumps(event, ensure_ascii=False).encode(), 16)
            iv = os.urandom(16)
            cipher = AES.new(hashlib.sha256(key.encode()).digest(), AES.MODE_CBC, iv)
            return json.dumps({"encrypt": base64.b64encode(iv + cipher.encrypt(plain)).decode()}).encode()

        def signed(body, at=None):
            at = str(at or int(time.time()))
            sign = hashlib.sha256(at.encode() + b"n0nce" + key.encode() + body).hexdigest()
            return {"X-Lark-Request-Timestamp": at, "X-Lark-Request-Nonce": "n0nce", "X-Lark-Signature": sign}

        asked = sealed({"challenge": "c-9", "token": token, "type": "url_verification"})
        self.assertEqual(self.company.told(asked), (200, '{"challenge":"c-9"}'))
        event = sealed({
            "schema": "2.0", "event": {},
            "header": {"event_id": "ev-1", "event_type": "contact.user.deleted_v3", "token": token, "app_id": APP_ID},
        })
        heard = []
        handler = lark.EventDispatcherHandler.builder(key, token).register_p2_customized_event(
            "contact.user.deleted_v3", lambda event: heard.append(event.header.event_id)).build()
        request = lark.RawRequest()
        request.uri, request.body, request.headers = "/", event, signed(event)
        self.assertEqual(handler.do(request).status_code, 200)
        self.assertEqual(heard, ["ev-1"])

        self.assertEqual(self.company.told(event)[0], 403, "not signed")
        self.assertEqual(self.company.told(event + b" ", headers=signed(event))[0], 403, "changed on the way")
        self.assertEqual(self.company.told(event, headers=signed(event, int(time.time()) - 7200))[0], 403, "long ago")
        self.assertIsNone(self.company.api("GET", self.company.path + "/callback")["update_due_at"])
        self.assertEqual(self.company.told(event, headers=signed(event)), (200, "{}"))
        state = self.company.api("GET", self.company.path + "/callback")
        self.assertEqual(state["heard"], "contact.user.deleted_v3")
        self.assertIsNotNone(state["update_due_at"])
        # Told again, it is answered and does nothing.
        self.assertEqual(self.company.told(event, headers=signed(event)), (200, "{}"))
        again = self.company.api("GET", self.company.path + "/callback")
        self.assertEqual(again["heard_at"], state["heard_at"])

    def send(self, id_type, to, kind, content, key=None):
        body = CreateMessageRequestBody.builder().receive_id(to).msg_type(kind).content(json.dumps(content))
        body = body.uuid(key or str(uuid.uuid4())).build()
        request = CreateMessageRequest.builder().receive_id_type(id_type).request_body(body).build()
        return self.client.im.v1.message.create(request)

    def test_messages(self):
        chats = self.pages(self.client.im.v1.chat.list, lambda: ListChatRequest.builder().page_size(1))
        self.assertEqual([(it.chat_id, it.name) for it in chats], [(office.CHAT, "Release room")])
        key = str(uuid.uuid4())
        first = self.good(self.send("user_id", "u002", "text", {"text": "from the SDK"}, key))
        again = self.good(self.send("user_id", "u002", "text", {"text": "from the SDK"}, key))
        self.assertEqual(first.message_id, again.message_id)
        card = {"schema": "2.0", "header": {"title": {"tag": "plain_text", "content": "磁盘"}, "template": "red"},
                "body": {"elements": [{"tag": "markdown", "content": "**91 %**"}]}}
        sent = self.good(self.send("chat_id", office.CHAT, "interactive", card))
        card["config"] = {"update_multi": True}
        other = PatchMessageRequestBody.builder().content(json.dumps(card)).build()
        patch = PatchMessageRequest.builder().message_id(sent.message_id).request_body(other).build()
        self.good(self.client.im.v1.message.patch(patch))
        delete = DeleteMessageRequest.builder().message_id(first.message_id).build()
        self.good(self.client.im.v1.message.delete(delete))
        self.assertEqual(self.client.im.v1.message.delete(delete).code, 230011)
        shown = [(it["chat"], it["kind"]) for it in self.company.received() if it["chat"] in ("Member 2", "Release room")]
        self.assertEqual(shown[-3:], [("Member 2", "text"), ("Release room", "interactive"), ("Release room", "replaced")])
        self.assertEqual(self.send("user_id", "stranger", "text", {"text": "x"}).code, 230034)

    def uploaded(self, data):
        body = CreateImageRequestBody.builder().image_type("message").image(office.named("chart.png", data)).build()
        return self.client.im.v1.image.create(CreateImageRequest.builder().request_body(body).build())

    def test_images_and_files(self):
        image = self.good(self.uploaded(office.PNG)).image_key
        body = CreateFileRequestBody.builder().file_type("pdf").file_name("周报.pdf").file(office.named("x.pdf", office.PDF))
        file = self.good(self.client.im.v1.file.create(CreateFileRequest.builder().request_body(body.build()).build())).file_key
        self.good(self.send("user_id", "u003", "image", {"image_key": image}))
        self.good(self.send("user_id", "u003", "file", {"file_key": file}))
        shown = [(it["kind"], it["text"]) for it in self.company.received() if it["chat"] == "Member 3"]
        self.assertEqual(shown[-2:], [("image", "image"), ("file", "周报.pdf")])
        self.assertEqual(self.uploaded(b"").code, 234010)
        self.assertEqual(self.uploaded(b"no picture").code, 234011)
        self.assertEqual(self.send("user_id", "u003", "image", {"image_key": "img_v3_of_somebody_else"}).code, 230017)
        self.assertEqual(self.send("user_id", "u003", "file", {"file_key": image}).code, 230055)


if __name__ == "__main__":
    unittest.main()
