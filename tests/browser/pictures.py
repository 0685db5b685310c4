"""Takes a picture of every page of the console, in both languages and themes and on a phone.

    python3 tests/browser/pictures.py FOLDER [en|zh] [light|dark] [wide|phone] [the name of a page ...]
"""

import os
import sys

from bed import DINGTALK, LARK, OFFICE_SECRET, PASSWORD, PROJECT, WECOM, Bed
from browser import Browser, Driver

REPORT = """**checkout-api** has been answering slowly since 14:02.

| region | p50 | p99 | errors |
| --- | --- | --- | --- |
| north-4 | 41 ms | 1.9 s | 0.7 % |
| east-3 | 38 ms | 0.4 s | 0.0 % |

- [x] traffic moved to east-3
- [ ] database connections checked

> On call: Wang Fang"""


def give_access(bed):
    """Accounts with each role, keys and tokens."""
    people = [("wang.fang", "publisher", ["orders", "web-*"]), ("on-call@example.com", "reader", []), ("li.wei", "administrator", [])]
    ids = []
    for name, role, topics in people:
        body = {"name": name, "password": PASSWORD, "role": role, "topics": topics}
        ids.append(bed.api("POST", "/api/v1/accounts", body)["id"])
    bed.api("POST", "/api/v1/keys", {"note": "Billing, north", "account_id": ids[0]})
    bed.api("POST", "/api/v1/keys", {"note": "Grafana", "role": "publisher", "topics": ["alerts"]})
    bed.api("POST", "/api/v1/tokens", {"note": "Build server", "expires_in": 7_776_000})
    bed.api("POST", "/api/v1/tokens", {"note": "Nightly report", "account_id": ids[0]})
    return ids[0]


def connect_office(bed):
    """A Feishu app whose last update asks, and two others."""
    secret = {"app_secret": OFFICE_SECRET}
    app = "cli_a1b2c3d4e5f60001"
    bed.office("feishu", app, members=60)
    bed.office("wecom", "ww0123456789abcdef", members=24)
    bed.office("dingtalk_app", "dingkey0123456789", members=12)
    made = bed.connection({"platform": "feishu", "name": "Head office 总部", "app_id": app, **secret})
    shop = bed.connection({"platform": "wecom", "name": "Shop staff", "corp_id": "ww0123456789abcdef", "agent_id": 1000002, **secret})
    bed.connection({"platform": "dingtalk", "name": "Logistics", "app_id": "dingkey0123456789", "robot_code": "dingofficerobot01", **secret})
    bed.updated(made)
    bed.updated(shop)
    parts = [{"kind": "member", "id": "u00003"}, {"kind": "member", "id": "u00012"}, {"kind": "department", "id": "103"}]
    group = bed.api("POST", f"/api/v1/connections/{made}/groups", {"name": "On call 值班", "parts": parts})["id"]
    # Somebody is gone, and may be back under a new id; then so many would go that the last update asks.
    bed.company_changes(app, remove_members=["u00003"], add_members=[{"id": "u20003", "name": "Chen Jie", "departments": ["103"]}])
    bed.updated(made)
    bed.company_changes(app, withhold=["im:chat", "im:chat:readonly"], remove_members=[f"u{n:05}" for n in range(20, 40)],
                        add_members=[{"id": "u90001", "name": "Zhou Ting", "departments": ["105"]}], move_members=[["u00004", ["105"]]])
    return made, group, bed.updated(made)


def furnish(bed):
    """What an installation looks like after some days."""
    alerts = bed.topic("alerts", "Production alerts")
    orders = bed.topic("orders", "Orders and refunds 订单与退款")
    bed.topic("releases", "What goes live")
    bed.topic("payroll", "Monthly payroll runs")
    bed.robot("feishu", "11111111-1111-4111-8111-111111111111", "On call", sign_secret="a-lark-secret-0001")
    bed.robot("dingtalk", "a" * 64, "Operations", keywords=["alert"])
    bed.robot("wecom", "22222222-2222-4222-8222-222222222222", "Sales")
    lark = bed.subscribe(alerts, "feishu", LARK + "11111111-1111-4111-8111-111111111111", "On call, north", sign_secret="a-lark-secret-0001")
    bed.subscribe(alerts, "dingding", DINGTALK + "a" * 64, "Operations", keyword="alert")
    old = bed.subscribe(alerts, "wechat", WECOM + "33333333-3333-4333-8333-333333333333", "Old support chat")
    bed.subscribe(alerts, "https", "https://hooks.example.com/carillon", "Archive")
    bed.subscribe(orders, "wechat", WECOM + "22222222-2222-4222-8222-222222222222", "Sales, 华东")
    for number in range(4):
        bed.publish(orders, title=f"Order {1041 + number} was paid", text=f"3 items, 1,{number}90.00 CNY, paid by card.")
    bed.publish(orders, title="退款申请 #2214", text="客户申请退款 ¥89.00，原因：尺码不合适。")
    account = give_access(bed)
    text = "{host}: {what} is at {value}, its limit is {limit}."
    template = bed.smn("POST", "message_template", {"message_template_name": "over-limit", "content": text})["message_template_id"]
    bed.smn("POST", "message_template", {"message_template_name": "over-limit", "protocol": "feishu", "content": "{host}: {what} {value} > {limit}"})
    alerts_id = next(it["topic_id"] for it in bed.smn("GET", "topics")["topics"] if it["name"] == "alerts")
    tags = [{"key": "team", "value": "platform"}, {"key": "stage", "value": "production"}]
    bed.api("POST", f"/v2/{PROJECT}/smn_topic/{alerts_id}/tags/action", {"action": "create", "tags": tags})
    bed.smn("POST", f"topics/{alerts}/logtanks", {"log_group_id": "6f1c1c8a-group", "log_stream_id": "0b7d-stream"})
    people = {"name": "Wang Fang", "group": "On call", "wechat": {"endpoint": WECOM + "22222222-2222-4222-8222-222222222222"}}
    people["feishu"] = {"endpoint": LARK + "11111111-1111-4111-8111-111111111111", "sign_secret": "a-lark-secret-0001"}
    user = bed.api("POST", f"/v2/{PROJECT}/subscription-users", people)["id"]
    bed.api("POST", f"/v2/{PROJECT}/subscription-users", {"name": "刘洋", "group": "客服", "wechat": {"endpoint": WECOM + "33333333-3333-4333-8333-333333333333"}})
    bed.history()
    bed.past("orders", 34, "orders")
    office, group, update = connect_office(bed)
    # The robot of the old chat is gone: its delivery fails, and what comes later waits for the address to be resumed.
    first = bed.publish(alerts, title="disk 81 % full on db-2", text="/var/lib/postgresql on db-2 is 81 % full, 40 GB left.")
    bed.settled(first)
    last = bed.publish(alerts, title="checkout-api: p99 over 1.5 s", markdown=REPORT, priority="urgent")
    failed = [it for it in bed.api("GET", f"/api/v1/messages/{first}/deliveries")["deliveries"] if it["state"] == "failed"]
    page = f"/console/topics/alerts/subscriptions/{lark.rsplit(':', 1)[1]}"
    return {"subscription": page, "message": last, "template": template, "delivery": failed[0]["id"] if failed else None, "account": account, "office": office, "group": group, "update": update, "user": user,
            "failed": first, "old": old}


KINDS = {"en", "zh", "light", "dark", "wide", "phone"}


def pages(made):
    yield "overview", "/console"
    yield "topics", "/console/topics"
    yield "topic-new", "/console/topics/new"
    yield "topic", "/console/topics/alerts"
    yield "topic-settings", "/console/topics/alerts/settings"
    yield "topic-delete", "/console/topics/alerts/delete"
    yield "subscribe-choose", "/console/topics/alerts/subscribe"
    yield "subscribe-office", f"/console/topics/alerts/subscribe/office?connection={made['office']}&find=Li"
    for way in ("lark", "dingtalk", "wecom", "dingtalk-app", "web"):
        yield f"subscribe-{way}", f"/console/topics/alerts/subscribe/{way}"
    yield "subscription", made["subscription"]
    yield "subscription-delete", made["subscription"] + "/delete"
    yield "publish", "/console/topics/alerts/publish"
    yield "publish-choose", "/console/publish"
    yield "templates", "/console/templates"
    yield "template-new", "/console/templates/new"
    yield "template", f"/console/templates/{made['template']}"
    yield "template-delete", f"/console/templates/{made['template']}/delete"
    yield "users", "/console/users"
    yield "user-new", "/console/users/new"
    yield "user", f"/console/users/{made['user']}"
    yield "user-delete", f"/console/users/{made['user']}/delete"
    yield "messages", "/console/messages"
    yield "dead-letters", "/console/dead-letters"
    yield "message-why", f"/console/messages/{made['failed']}?why={made['old']}"
    yield "message", f"/console/messages/{made['message']}"
    yield "delivery", f"/console/deliveries/{made['delivery']}"
    yield "endpoints", "/console/endpoints"
    yield "office", "/console/office"
    yield "office-choose", "/console/office/new"
    for platform in ("lark", "dingtalk", "wecom"):
        yield f"office-{platform}", f"/console/office/new/{platform}"
    yield "office-connection", f"/console/office/{made['office']}"
    yield "office-update", f"/console/office/{made['office']}/updates/{made['update']}"
    for tab in ("members", "departments", "groups", "chats", "gone", "bind", "check"):
        yield f"office-{tab}", f"/console/office/{made['office']}/{tab}"
    yield "office-group", f"/console/office/{made['office']}/groups/{made['group']}?find=Li"
    yield "office-settings", f"/console/office/{made['office']}/settings"
    yield "office-delete", f"/console/office/{made['office']}/delete"
    yield "accounts", "/console/accounts"
    yield "account-new", "/console/accounts/new"
    yield "account", f"/console/accounts/{made['account']}"
    yield "account-delete", f"/console/accounts/{made['account']}/delete"
    yield "keys", "/console/keys"
    yield "key-new", "/console/keys/new"
    yield "tokens", "/console/tokens"
    yield "token-new", "/console/tokens/new"
    yield "password", "/console/password"
    yield "audit", "/console/audit"
    yield "about", "/console/about"
    yield "not-found", "/console/nowhere"


def sign_in(browser, bed):
    browser.go(bed.url + "/console")
    browser.fill("#name", "admin")
    browser.fill("#password", PASSWORD)
    browser.click("form button.primary")
    browser.wait("not signed in", lambda: "/sign-in" not in browser.url)


def main():
    folder = sys.argv[1]
    only = sys.argv[2:]
    os.makedirs(folder, exist_ok=True)
    bed, driver = Bed(), Driver()
    try:
        made = furnish(bed)
        for lang, tag in (("en", "en-US"), ("zh", "zh-CN")):
            for theme in ("light", "dark"):
                for kind, width in (("wide", 1280), ("phone", 390)):
                    if not {lang, theme, kind} >= set(only) & KINDS:
                        continue
                    browser = Browser(driver, width, 844, tag, theme == "dark")
                    browser.go(bed.url + "/console/sign-in")
                    browser.picture(f"{folder}/sign-in-{lang}-{theme}-{kind}.png")
                    browser.size(width, 844)
                    sign_in(browser, bed)
                    for name, path in pages(made):
                        if set(only) - KINDS and name not in only:
                            continue
                        browser.size(width, 844)
                        browser.go(bed.url + path)
                        if name == "publish":
                            browser.fill("#subject", "checkout-api: p99 over 1.5 s")
                            browser.run("const it = document.querySelector('#message'); it.value = arguments[0]; it.dispatchEvent(new Event('input', {bubbles: true}))", REPORT)
                            browser.wait("no preview", lambda: browser.run("return document.querySelectorAll('#preview .bubble').length"))
                        wider = browser.overflow()
                        if wider > 0:
                            print(f"{name} {lang} {kind}: {wider} px wider than the window")
                        browser.picture(f"{folder}/{name}-{lang}-{theme}-{kind}.png")
                    for complaint in browser.complaints():
                        print(complaint)
                    browser.close()
    finally:
        driver.stop()
        bed.stop()


if __name__ == "__main__":
    main()
