"""Time to first byte and weight of every page, with a store of many deliveries. Prints a table for the manual.

    python3 tests/browser/weight.py [how many deliveries, 1000000 when it is not said]
"""

import contextlib
import http.client
import os
import re
import sqlite3
import statistics
import sys
import time
import urllib.parse

from bed import PASSWORD, WECOM, Bed
from pictures import furnish, pages

RUNS = 21
WIDE = 100


class Visitor:
    """Somebody without a browser: keeps cookies, asks, and looks at the clock."""

    def __init__(self, url):
        self.host = url.removeprefix("http://")
        self.line = http.client.HTTPConnection(self.host)
        self.cookies = {}

    def ask(self, method, path, form=None):
        headers = {"cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()), "accept-language": "en"}
        body = None
        if form is not None:
            body = urllib.parse.urlencode(form)
            headers["content-type"] = "application/x-www-form-urlencoded"
        began = time.perf_counter()
        self.line.request(method, path, body, headers)
        answer = self.line.getresponse()
        first = time.perf_counter() - began
        text = answer.read()
        for value in answer.headers.get_all("set-cookie") or []:
            name, rest = value.split("=", 1)
            self.cookies[name] = rest.split(";", 1)[0]
        return answer.status, text, first * 1000

    def sign_in(self):
        _status, text, _first = self.ask("GET", "/console/sign-in")
        csrf = re.search(rb'name="csrf" value="([^"]+)"', text)[1].decode()
        status, _text, _first = self.ask("POST", "/console/sign-in", {"csrf": csrf, "name": "admin", "password": PASSWORD})
        assert status == 303, status


def fill(bed, wanted):
    """Makes a topic with many subscribers, publishes once, and copies that message and its deliveries as often as it takes."""
    topic = bed.topic("many", "Everything that happens")
    for number in range(WIDE):
        token = f"{number:08d}-4444-4444-8444-444444444444"
        bed.robot("wecom", token, f"Chat {number}")
        bed.subscribe(topic, "wechat", WECOM + token, f"Chat {number}")
    message = bed.publish(topic, title="Disk is filling", text="db-2 is 81 % full. " * 10)
    bed.settled(message)
    began = int(time.time() * 1000) - 86_400_000
    with contextlib.closing(sqlite3.connect(bed.dir.name + "/data/carillon.db", timeout=60)) as store, store:
        names = {table: [row[1] for row in store.execute(f"PRAGMA table_info({table})")] for table in ("message", "delivery")}
        row = dict(zip(names["message"], store.execute("SELECT * FROM message WHERE id = ?", [message]).fetchone()))
        rest = ", ".join(name for name in names["delivery"] if name not in ("seq", "message_id", "state"))
        copies = wanted // WIDE
        for number in range(copies):
            at = began + number * 86_000_000 // copies
            new = f"{at:012x}7{number % 4096:03x}8{number:015x}"
            made = {**row, "id": new, "created_at": at}
            store.execute(f"INSERT INTO message ({', '.join(made)}) VALUES ({', '.join('?' * len(made))})", list(made.values()))
            # One of fifty was refused.
            store.execute(
                f"INSERT INTO delivery (message_id, state, {rest})"
                f" SELECT ?, CASE WHEN number = 50 THEN 3 ELSE 2 END, {rest} FROM delivery WHERE message_id = ?", [new, message])
        return message, store.execute("SELECT count(*) FROM delivery").fetchone()[0]


def main():
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    bed = Bed()
    try:
        made = furnish(bed)
        message, count = fill(bed, wanted)
        visitor = Visitor(bed.url)
        visitor.sign_in()
        _status, text, _first = visitor.ask("GET", "/console")
        assets = set(re.findall(rb'"(/console/assets/[^"]+)"', text))
        common = sum(len(visitor.ask("GET", path.decode())[1]) for path in assets)
        print(f"{count} deliveries, {os.path.getsize(bed.dir.name + '/data/carillon.db') / 2**20:.0f} MiB; stylesheet, scripts and mark, kept by the browser: {common / 1000:.1f} KB\n")
        print("| page | first byte, median (ms) | 95 % (ms) | page (KB) | with all files (KB) |\n| --- | --- | --- | --- | --- |")
        wide = [("topic-of-many", "/console/topics/many"), ("message-to-many", f"/console/messages/{message}"), ("messages-of-a-topic", "/console/messages?topic=many"), ("messages-of-an-empty-topic", "/console/messages?topic=payroll"), ("dead-letters-of-an-empty-topic", "/console/dead-letters?topic=payroll"), ("dead-letters-for-a-rare-reason", "/console/dead-letters?reason=keyword"), ("audit-of-a-deed", "/console/audit?deed=key.delete"), ("audit-of-an-account", "/console/audit?account=nobody")]
        worst, heaviest = 0, 0
        for name, path in list(pages(made)) + wide:
            asked = [visitor.ask("GET", path) for _run in range(RUNS)]
            times = sorted(first for _status, _text, first in asked)
            size = len(asked[-1][1]) / 1000
            median, late = statistics.median(times), times[int(len(times) * 0.95)]
            worst, heaviest = max(worst, median), max(heaviest, size + common / 1000)
            print(f"| {name} | {median:.1f} | {late:.1f} | {size:.1f} | {size + common / 1000:.1f} |")
        print(f"\nThe slowest page: {worst:.1f} ms; the heaviest: {heaviest:.1f} KB.")
    finally:
        bed.stop()


if __name__ == "__main__":
    main()
