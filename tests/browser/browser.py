"""A real browser, driven through WebDriver over plain HTTP: no package beside Python's own library is needed."""

import base64
import json
import shutil
import subprocess
import time
import urllib.error
import urllib.request

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
KEYS = {"Tab": "\ue004", "Enter": "\ue007", "Space": "\ue00d", "Down": "\ue015", "Up": "\ue013"}
WAIT_SECONDS = 15


class Gone(Exception):
    """What was asked for is not in the page."""


class Driver:
    """The process that starts browsers."""

    def __init__(self):
        program = shutil.which("chromedriver")
        if program is None:
            raise SystemExit("chromedriver is missing: install the packages chromium and chromium-driver")
        self.process = subprocess.Popen([program, "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for line in self.process.stdout:
            if "started successfully on port" in line:
                self.url = "http://127.0.0.1:" + line.strip().rstrip(".").rsplit(" ", 1)[1]
                return
        raise SystemExit("chromedriver did not start")

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Browser:
    """One window, with cookies of its own."""

    def __init__(self, driver, width=1280, height=900, lang="en-US", dark=False):
        self.base = driver.url
        arguments = [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-background-networking",
            "--no-first-run", "--disable-dev-shm-usage", "--force-device-scale-factor=1",
        ]
        options = {"args": arguments, "prefs": {"intl.accept_languages": lang}}
        wanted = {"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        answer = self.ask("POST", "/session", {"capabilities": {"alwaysMatch": wanted}}, whole=True)
        self.base += "/session/" + answer["sessionId"]
        self.size(width, height)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.devtools("Emulation.setEmulatedMedia", features=[scheme])

    def ask(self, method, path, body=None, whole=False):
        data = None if body is None and method != "POST" else json.dumps(body or {}).encode()
        request = urllib.request.Request(self.base + path, data, {"content-type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            value = json.load(error)["value"]
            raise Gone(f"{path}: {value['error']}: {value['message'].splitlines()[0]}") from None

    def devtools(self, command, **params):
        return self.ask("POST", "/goog/cdp/execute", {"cmd": command, "params": params})

    def size(self, width, height):
        self.width = width
        self.devtools("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500)

    def go(self, url):
        self.ask("POST", "/url", {"url": url})

    @property
    def url(self):
        return self.ask("GET", "/url")

    def run(self, script, *values):
        return self.ask("POST", "/execute/sync", {"script": script, "args": list(values)})

    def later(self, script, *values):
        """Runs a script that answers later, by calling the last of its arguments."""
        return self.ask("POST", "/execute/async", {"script": script, "args": list(values)})

    def find(self, css):
        return self.ask("POST", "/element", {"using": "css selector", "value": css})[ELEMENT]

    def text(self, css="main"):
        return self.run("return document.querySelector(arguments[0])?.innerText ?? ''", css)

    def wait(self, what, question):
        """Waits until a question is answered with something true."""
        end = time.monotonic() + WAIT_SECONDS
        while True:
            try:
                answer = question()
            except Gone:
                answer = None
            if answer:
                return answer
            if time.monotonic() > end:
                raise AssertionError(f"{what}: waited {WAIT_SECONDS} s at {self.url}\n{self.text('body')}")
            time.sleep(0.05)

    def see(self, text, css="body"):
        self.wait(f"{text!r} is not to be seen", lambda: text in self.text(css))

    def click(self, css):
        """Clicks, and waits for the page that follows where it leads to one."""
        self.press_on(self.wait(f"{css} is not there", lambda: self.find(css)))

    def press_on(self, element):
        """Clicks in the middle of the window: at its upper edge a head that stays may cover what is there."""
        self.run("arguments[0].scrollIntoView({block: 'center'})", {ELEMENT: element})
        self.ask("POST", f"/element/{element}/click")

    def press(self, text):
        """Clicks the button or link of this text, in the page's main part if it is there."""
        script = """const all = ['main button', 'main a', 'button, a'].flatMap(it => [...document.querySelectorAll(it)]);
            return all.find(it => it.innerText.trim() === arguments[0] && it.checkVisibility()) ?? null"""
        self.press_on(self.wait(f"no button or link {text!r}", lambda: self.run(script, text))[ELEMENT])

    def fill(self, css, text):
        element = self.wait(f"{css} is not there", lambda: self.find(css))
        self.ask("POST", f"/element/{element}/clear")
        self.ask("POST", f"/element/{element}/value", {"text": text})

    def keys(self, *names):
        """Presses keys by name, or types what is no key's name."""
        strokes = []
        for name in names:
            for key in [KEYS[name]] if name in KEYS else name:
                strokes += [{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]
        self.ask("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": strokes}]})

    def tab_to(self, css, most=80):
        """Presses Tab until the element has the focus; nothing else is a way there."""
        for _ in range(most):
            if self.run("return document.activeElement?.matches(arguments[0])", css):
                return
            self.keys("Tab")
        raise AssertionError(f"Tab does not reach {css} at {self.url}")

    def complaints(self):
        """What the browser's console said: a refused policy, a script that failed."""
        entries = self.ask("POST", "/se/log", {"type": "browser"})
        return [it["message"] for it in entries if it["level"] in ("SEVERE", "WARNING") and "status of 4" not in it["message"]]

    def overflow(self):
        """How many pixels the page is wider than its window: as told to it, for a phone zooms out until all fits."""
        return self.run("return document.documentElement.scrollWidth - arguments[0]", self.width)

    def picture(self, path, whole=True):
        if whole:
            height = self.run("return Math.ceil(document.documentElement.scrollHeight)")
            self.size(self.width, max(600, min(height, 3000)))
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.ask("GET", "/screenshot")))

    def close(self):
        self.ask("DELETE", "")
