"""What people do in the console, in a real browser, against the real program and the pretend platforms."""

import sys

from bed import LARK, OFFICE_SECRET, PASSWORD, WECOM, Bed
from browser import Browser, Driver

ROBOT = "11111111-1111-4111-8111-111111111111"
SECRET = "a-lark-secret-0001"
HOSTILE = "\"'><script>document.title='broken'</script><img src=x onerror=\"document.title='broken'\">"


def sign_in(browser, bed):
    browser.go(bed.url + "/console")
    browser.see("First time here?")
    browser.fill("#name", "admin")
    browser.fill("#password", PASSWORD)
    browser.press("Sign in")
    browser.see("Overview", "h1")


def a_newcomer_gets_a_message_to_a_robot(bed, driver):
    """From signing in to a message delivered to a Lark robot with a secret."""
    bed.robot("feishu", ROBOT, "On call", sign_secret=SECRET)
    browser = Browser(driver)
    sign_in(browser, bed)
    browser.press("Create the first topic")
    browser.fill("#name", "alerts")
    browser.press("Create topic")
    browser.see("Nobody gets these messages yet")
    browser.press("Add subscription")
    browser.click("a[href$='/subscribe/lark']")
    # The address is checked while it is typed, and the check says what would be right.
    browser.fill("#endpoint", "https://open.feishu.cn/open-apis/bot/v2")
    browser.see("Must be a Feishu or Lark robot's webhook", "#checked")
    browser.fill("#endpoint", LARK + ROBOT)
    browser.see("It leads to", "#checked")
    assert ROBOT not in browser.text("#checked"), "the address is masked"
    # Without its secret the platform refuses, and the page says what to change.
    browser.press("Send a test message")
    browser.see("It did not arrive.", "#tested")
    browser.fill("#sign_secret", SECRET)
    browser.press("Send a test message")
    browser.see("It arrived.", "#tested")
    browser.fill("#remark", "On call, north")
    browser.press("Save subscription")
    browser.see("On call, north")
    browser.press("Publish")
    browser.fill("#subject", "Disk is filling")
    browser.fill("#message", "**db-2** is 81 % full.")
    browser.see("1 subscription would get it", "#preview")
    browser.see("db-2 is 81 % full.", "#preview")
    browser.press("Publish")
    browser.see("Published.")
    message = browser.url.split("/messages/")[1].split("?")[0]
    assert bed.settled(message) == ["delivered"]
    browser.go(bed.url + f"/console/messages/{message}")
    browser.see("Delivered")
    assert "81 % full" in str(bed.received()), "the chat shows it"
    complaints = browser.complaints()
    assert not complaints, complaints
    browser.close()


def a_failing_robot_is_explained_and_repaired(bed, driver):
    """A robot that was removed from its group: why, what to do, and the message sent again."""
    token = "22222222-2222-4222-8222-222222222222"
    topic = bed.topic("orders")
    bed.subscribe(topic, "wechat", WECOM + token, "Sales")
    message = bed.publish(topic, title="Order 1041", text="was paid")
    assert bed.settled(message) == ["failed"]
    browser = Browser(driver)
    sign_in(browser, bed)
    browser.go(bed.url + f"/console/messages/{message}")
    browser.see("Failed")
    # Whoever asks types what they know of the receiver.
    browser.fill("#why-who", "sales")
    browser.press("Explain")
    browser.see("Nobody has changed it since.", "#why")
    browser.see("the robot was removed or its webhook was reset", "#why")
    browser.press("WeCom robot")
    browser.see("93000", ".timeline")
    browser.see("Needs your action", ".timeline")
    bed.robot("wecom", token, "Sales")
    browser.press("Resend")
    browser.see("Waiting to be sent again.")
    # The address was paused: the delivery leads to it, and there is the button that lets it be tried at once.
    delivery = browser.url.split("?")[0]
    browser.press("Look at the address")
    browser.see("Paused", ".lines")
    browser.press("Resume")
    browser.see("What waits is tried at once.")
    browser.see("Working", ".lines")
    assert bed.settled(message) == ["delivered"]
    browser.go(delivery)
    browser.see("Delivered", "h1 + p")
    browser.see("Attempt 2", ".timeline")
    browser.close()


def everything_without_a_mouse(bed, driver):
    """The newcomer's path with the keyboard alone; what has the focus is always to be seen."""
    bed.robot("feishu", "33333333-3333-4333-8333-333333333333", "Keys")
    browser = Browser(driver)
    browser.go(bed.url + "/console")
    browser.keys("admin", "Tab", PASSWORD, "Enter")
    browser.see("Overview", "h1")
    browser.keys("Tab")
    assert browser.run("return document.activeElement.matches('.skip')"), "the first stop skips the menu"
    browser.go(bed.url + "/console/topics/new")
    browser.keys("keyboard", "Enter")
    browser.see("Nobody gets these messages yet")
    browser.tab_to("main a[href$='/subscribe']")
    outline = browser.run("return getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none", "the focus is not to be seen"
    browser.keys("Enter")
    browser.see("Where should the messages arrive?")
    browser.tab_to("a[href$='/subscribe/lark']")
    browser.keys("Enter")
    browser.tab_to("#endpoint")
    browser.keys(LARK + "33333333-3333-4333-8333-333333333333")
    browser.see("It leads to", "#checked")
    browser.tab_to("button[value=test]")
    browser.keys("Enter")
    browser.see("It arrived.", "#tested")
    # Round the page once more: the button that saves stands before the one that tests.
    browser.tab_to("button[value=save]", 120)
    browser.keys("Enter")
    browser.see("Created.")
    browser.tab_to("main a[href$='/publish']")
    browser.keys("Enter")
    browser.tab_to("#message")
    browser.keys("typed by keys")
    browser.tab_to("button[value=publish]")
    browser.keys("Enter")
    browser.see("Published.")
    browser.close()


def both_languages(bed, driver):
    """A Chinese browser sees Chinese; the switch changes it, and is remembered."""
    browser = Browser(driver, lang="zh-CN")
    browser.go(bed.url + "/console")
    browser.see("密码")
    browser.fill("#name", "admin")
    browser.fill("#password", PASSWORD)
    browser.press("登录")
    browser.see("总览", "h1")
    browser.press("English")
    browser.see("Overview", "h1")
    browser.go(bed.url + "/console/topics")
    browser.see("Topics", "h1")
    browser.press("中文")
    browser.see("主题", "h1")
    browser.close()


def a_narrow_screen(bed, driver):
    """No page is wider than a phone, and the menu opens."""
    topic = bed.topic("a-topic-with-a-long-name-" + "x" * 80)
    bed.subscribe(topic, "wechat", WECOM + "44444444-4444-4444-8444-444444444444", "A remark " + "y" * 60)
    message = bed.publish(topic, title="z" * 200, text="w" * 3000)
    bed.settled(message)
    delivery = bed.api("GET", f"/api/v1/messages/{message}/deliveries")["deliveries"][0]["id"]
    bed.office("wecom", "ww0123456789abcdef", members=12)
    office = bed.connection({"platform": "wecom", "name": "A shop " + "v" * 50, "corp_id": "ww0123456789abcdef", "agent_id": 1000002, "app_secret": OFFICE_SECRET})
    update = bed.updated(office)
    people = bed.api("POST", f"/api/v1/connections/{office}/groups", {"name": "u" * 60, "parts": [{"kind": "member", "id": "u00001"}]})["id"]
    browser = Browser(driver, 390, 844)
    browser.go(bed.url + "/console")
    assert browser.overflow() <= 0, "signing in"
    sign_in(browser, bed)
    name = topic.rsplit(":", 1)[1]
    for path in [
        "", "/topics", "/topics/new", f"/topics/{name}", f"/topics/{name}/settings", f"/topics/{name}/delete",
        f"/topics/{name}/subscribe", f"/topics/{name}/subscribe/lark", f"/topics/{name}/subscribe/dingtalk-app",
        f"/topics/{name}/subscribe/web", f"/topics/{name}/publish", "/publish", "/messages", "/dead-letters?topic=" + name, f"/messages/{message}",
        f"/deliveries/{delivery}", "/endpoints", "/endpoints?state=all", "/office", "/office/new", "/office/new/lark",
        "/office/new/dingtalk", f"/office/{office}", f"/office/{office}/updates/{update}", f"/office/{office}/members", f"/office/{office}/departments",
        f"/office/{office}/groups", f"/office/{office}/groups/{people}?find=u", f"/office/{office}/chats", f"/office/{office}/gone", f"/office/{office}/bind",
        f"/office/{office}/check", f"/office/{office}/settings", f"/office/{office}/delete", "/accounts", "/accounts/new", "/keys", "/keys/new", "/tokens", "/tokens/new",
        "/password", "/audit", "/about", "/nowhere",
        "/users", "/users/new", f"/topics/{name}/subscribe/office",
    ]:
        browser.go(bed.url + "/console" + path)
        assert browser.overflow() <= 0, f"{path} is {browser.overflow()} px too wide"
    browser.click(".top summary")
    browser.press("About")
    browser.see("This installation")
    browser.close()


def hostile_text_is_only_text(bed, driver):
    """Messages are strangers' text: nothing in them runs."""
    topic = bed.topic("hostile", HOSTILE)
    bed.subscribe(topic, "wechat", WECOM + "55555555-5555-4555-8555-555555555555", HOSTILE[:120])
    message = bed.publish(topic, title=HOSTILE, markdown=HOSTILE + "\n\n[x](javascript:document.title='broken')")
    bed.settled(message)
    browser = Browser(driver)
    sign_in(browser, bed)
    for path in ["", "/topics", "/topics/hostile", "/topics/hostile/settings", "/messages", f"/messages/{message}"]:
        browser.go(bed.url + "/console" + path)
        assert browser.run("return document.title") != "broken" and not browser.run("return document.querySelectorAll('main img').length")
    browser.go(bed.url + "/console/topics/hostile/publish")
    browser.fill("#message", HOSTILE)
    browser.see("would get it", "#preview")
    assert browser.run("return document.title") != "broken"
    complaints = browser.complaints()
    assert not complaints, complaints
    browser.close()


def an_office_app_is_connected_and_updated(bed, driver):
    """Save says what is wrong beside the field, Update shows what it read, and asks before many are marked as gone."""
    app = "cli_a1b2c3d4e5f60002"
    bed.office("feishu", app, members=40)
    browser = Browser(driver)
    sign_in(browser, bed)
    browser.press("Office collaboration")
    browser.press("Connect an app")
    browser.press("Lark or Feishu\nA custom app with its bot switched on")
    browser.click("[value=feishu]")
    browser.fill("#name", "Head office")
    browser.fill("#app_id", app)
    browser.fill("#app_secret", "not-the-secret")
    browser.press("Save")
    browser.see("secret is wrong", "#app_secret-error")
    assert browser.run("return document.querySelector('#app_id').value") == app, "what was typed is kept"
    assert browser.run("return document.querySelector('#app_secret').value") == "not-the-secret", "the secret too, by the script"
    assert browser.run("return document.querySelector('#app_secret').getAttribute('value')") is None, "and nowhere in the page"
    browser.fill("#app_secret", OFFICE_SECRET)
    browser.press("Save")
    browser.see("Connected: the platform took the credentials.")
    browser.press("Read the directory now")
    browser.see("+40", "#live")
    browser.see("the whole company", "#live")
    connection = browser.url.split("/office/")[1].split("?")[0]
    # The check names what is missing, and where it is granted.
    bed.company_changes(app, withhold=["im:message:send_as_bot", "im:message", "im:message:send"])
    browser.press("Check")
    browser.press("Check now")
    browser.see("1 thing is in the way.", "#found")
    browser.see("Grant im:message:send_as_bot", "#found")
    # Many who would go are a question, and the answer is no, then yes.
    bed.company_changes(app, grant=["im:message:send_as_bot"], remove_members=[f"u{n:05}" for n in range(10, 30)])
    for answer, members in (("No, keep the directory as it is", 40), ("Yes, take it over", 20)):
        browser.go(f"{bed.url}/console/office/{connection}")
        browser.press("Update")
        browser.press("What would change")
        browser.see("20 of 40 members would be marked as gone.")
        browser.press("Gone 20")
        browser.see("Li Wei 2", "tbody")
        browser.press(answer)
        browser.see("Ended. The directory is as it was." if members == 40 else "Taken over")
        assert bed.api("GET", f"/api/v1/connections/{connection}")["members"] == members
    browser.press("Settings")
    browser.press("Delete")
    browser.fill("#confirm", "Head office")
    browser.press("Delete for good")
    browser.see("Deleted for good.")
    complaints = browser.complaints()
    assert not complaints, complaints
    browser.close()


def somebody_who_came_back_is_merged(bed, driver):
    """A group names somebody who is gone and back under a new id: the merge leads the group to the new one."""
    app = "cli_a1b2c3d4e5f60003"
    bed.office("feishu", app, members=30)
    connection = bed.connection({"platform": "feishu", "name": "Branch office", "app_id": app, "app_secret": OFFICE_SECRET})
    bed.updated(connection)
    browser = Browser(driver)
    sign_in(browser, bed)
    browser.press("Office collaboration")
    browser.press("Branch office")
    browser.press("Groups")
    browser.fill("#name", "On call")
    browser.press("Create group")
    # The search answers while one types.
    browser.fill("#find", "u00003")
    browser.see("Chen Jie", "#offered")
    browser.press("Add")
    browser.see("Chen Jie", ".grid .card .lines")
    group = browser.url.split("?")[0]
    bed.company_changes(app, remove_members=["u00003"], add_members=[{"id": "u20003", "name": "Chen Jie", "departments": ["103"]}])
    bed.updated(connection)
    browser.go(group)
    browser.press("Whom does it reach?")
    browser.see("0 people are reached at this moment")
    browser.press("Branch office")
    browser.press("Gone")
    browser.see("On call", ".lines")
    browser.see("same name", ".lines")
    browser.press("This is the one")
    browser.see("Merged: what names the old id reaches the new one.")
    browser.go(group)
    browser.press("Whom does it reach?")
    browser.see("1 person is reached at this moment")
    browser.go(f"{bed.url}/console/office/{connection}/members")
    browser.fill("#find", "u2000")
    browser.wait("the search does not answer", lambda: browser.run("return document.querySelectorAll('#rows tbody tr').length") == 1)
    complaints = browser.complaints()
    assert not complaints, complaints
    browser.close()


def a_key_is_made_and_revoked(bed, driver):
    """Its secret is shown once; revoking asks first; another password ends the session."""
    browser = Browser(driver)
    sign_in(browser, bed)
    browser.go(bed.url + "/console/keys")
    browser.press("New access key")
    browser.fill("#note", "Billing")
    browser.press("Create access key")
    browser.see("Copy it now")
    secret = browser.run("return document.querySelectorAll('.once code')[1].innerText")
    browser.press("I have copied it")
    browser.see("Billing")
    assert secret not in browser.run("return document.documentElement.outerHTML"), "shown once"
    browser.click("tr:has(.sub) .sure summary")
    browser.see("Requests that it signs are refused at once.")
    browser.click("tr:has(.sub) .sure button")
    browser.see("Revoked.")
    browser.go(bed.url + "/console/audit?deed=key.delete")
    browser.see("Revoked an access key", "tbody")
    complaints = browser.complaints()
    assert not complaints, complaints
    browser.close()


def a_template_is_written_with_a_preview(bed, driver):
    """Each placeholder gets a value, and the preview follows what is typed."""
    browser = Browser(driver)
    sign_in(browser, bed)
    browser.press("Templates")
    browser.press("New template")
    browser.fill("#name", "over-limit")
    browser.fill("#content", "{host} is at {value}")
    browser.see("{host} is at {value}", "#preview")
    browser.fill("[name='value.host']", "db-2")
    browser.see("db-2 is at {value}", "#preview")
    browser.fill("#content", "{host} is")
    browser.press("Save")
    browser.see("Created.")
    browser.go(bed.url + "/console/templates")
    browser.press("over-limit")
    browser.press("Delete")
    browser.press("Delete for good")
    browser.see("No templates yet")
    complaints = browser.complaints()
    assert not complaints, complaints
    browser.close()


def a_reader_sees_all_and_changes_nothing(bed, driver):
    """No button that changes anything is offered, and what is opened by its address is refused."""
    topic = bed.topic("looked-at")
    bed.robot("wecom", "66666666-6666-4666-8666-666666666666", "Looked at")
    bed.subscribe(topic, "wechat", WECOM + "66666666-6666-4666-8666-666666666666", "Looked at")
    message = bed.publish(topic, text="seen by a reader")
    bed.settled(message)
    bed.api("POST", "/api/v1/accounts", {"name": "rita", "password": PASSWORD, "role": "reader"})
    bed.api("POST", "/api/v1/accounts", {"name": "paul", "password": PASSWORD, "role": "publisher", "topics": ["looked-at"]})
    for name, sees, misses in (("rita", ["Topics", "Messages", "Audit log"], ["Publish"]), ("paul", ["Publish", "Messages"], ["Topics", "Audit log"])):
        browser = Browser(driver)
        browser.go(bed.url + "/console")
        browser.fill("#name", name)
        browser.fill("#password", PASSWORD)
        browser.press("Sign in")
        browser.see("Overview", "h1")
        menu = browser.text("nav")
        assert all(it in menu for it in sees) and not any(it in menu.split("\n") for it in misses), menu
        if name == "rita":
            for path in ("/topics", "/topics/looked-at", f"/messages/{message}", "/templates", "/users", "/office", "/accounts"):
                browser.go(bed.url + "/console" + path)
                forms = browser.run("return [...document.querySelectorAll('main form')].filter(it => it.method === 'post').map(it => it.getAttribute('action'))")
                assert forms in ([], [f"/console/messages/{message}/why#why"]), f"{path}: {forms}"
            browser.go(bed.url + "/console/topics/looked-at/settings")
            browser.see("The role reader may not")
        else:
            browser.go(bed.url + f"/console/messages/{message}")
            browser.see("Not found")
            browser.go(bed.url + "/console/topics/looked-at")
            browser.see("The role publisher may not")
        browser.close()


def an_open_overview_follows_what_happens(bed, driver):
    """The page is told by server-sent events, and changes without being loaded again."""
    topic = bed.topic("followed")
    bed.robot("wecom", "77777777-7777-4777-8777-777777777777", "Followed")
    bed.subscribe(topic, "wechat", WECOM + "77777777-7777-4777-8777-777777777777", "Followed")
    browser = Browser(driver)
    sign_in(browser, bed)
    browser.run("window.stays = true")
    bed.publish(topic, title="Told by an event", text="nobody pressed anything")
    browser.see("Told by an event", "#live")
    assert browser.run("return window.stays"), "the page was loaded again"
    complaints = browser.complaints()
    assert not complaints, complaints
    browser.close()


def somebody_with_several_ways_is_subscribed(bed, driver):
    """A user's addresses are kept once; tags and people of an office app are a press away."""
    bed.topic("several")
    app = "cli_a1b2c3d4e5f60009"
    bed.office("feishu", app, members=12)
    bed.updated(bed.connection({"platform": "feishu", "name": "Harbour", "app_id": app, "app_secret": OFFICE_SECRET}))
    browser = Browser(driver)
    sign_in(browser, bed)
    browser.press("Subscription users")
    browser.press("New user")
    browser.fill("#name", "Wang Fang")
    browser.fill("#wechat", WECOM + "88888888-8888-4888-8888-888888888888")
    browser.press("Save")
    browser.see("****8888")
    browser.run("document.querySelector('#topic').value = 'several'")
    browser.press("Subscribe")
    browser.see("****8888", "table")
    browser.press("Add subscription")
    browser.press("People and chats of an office app\nMembers, departments, groups and chats, by a connected app")
    browser.run("const it = document.querySelector('[name=connection]'); it.value = [...it.options].find(it => it.text === 'Harbour').value; it.dispatchEvent(new Event('change', {bubbles: true}))")
    browser.fill("#find", "u00002")
    browser.wait("one is found", lambda: browser.run("return document.querySelectorAll('#rows li').length") == 1)
    browser.press("Subscribe")
    browser.see("Office app", "table")
    browser.press("Settings")
    browser.fill("#tag-key", "team")
    browser.press("Set tag")
    browser.see("team", ".chips")
    browser.fill("#tank-group", "production")
    browser.fill("#tank-stream", "alerts")
    browser.press("Add")
    browser.wait("the log tank is kept", lambda: browser.run("return document.querySelectorAll('#tanks form').length") == 2)
    complaints = browser.complaints()
    assert not complaints, complaints
    browser.close()


JOURNEYS = [
    a_newcomer_gets_a_message_to_a_robot,
    a_failing_robot_is_explained_and_repaired,
    everything_without_a_mouse,
    both_languages,
    a_narrow_screen,
    hostile_text_is_only_text,
    an_office_app_is_connected_and_updated,
    somebody_who_came_back_is_merged,
    a_key_is_made_and_revoked,
    a_template_is_written_with_a_preview,
    a_reader_sees_all_and_changes_nothing,
    an_open_overview_follows_what_happens,
    somebody_with_several_ways_is_subscribed,
]


def main():
    wanted = sys.argv[1:]
    bed, driver, failed, passed = Bed(), Driver(), 0, 0
    try:
        for journey in JOURNEYS:
            if wanted and journey.__name__ not in wanted:
                continue
            try:
                journey(bed, driver)
                passed += 1
                print(f"ok {journey.__name__}")
            except Exception as error:  # the next journey is told of its own
                failed += 1
                print(f"FAILED {journey.__name__}: {type(error).__name__}: {error}")
    finally:
        driver.stop()
        bed.stop()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
