"""Reads every page with axe-core, in every language, theme and width: no finding that it calls serious or critical.

    python3 tests/browser/accessibility.py [the name of a page ...]
"""

import os
import sys
from concurrent.futures import ThreadPoolExecutor

from bed import Bed
from browser import Browser, Driver
from pictures import furnish, pages, sign_in

AXE = os.environ.get("CARILLON_AXE", "target/browser/node_modules/axe-core/axe.min.js")
GRAVE = {"serious", "critical"}
ASK = """const done = arguments[arguments.length - 1];
    axe.run(document, arguments[0]).then(it => done(it.violations.map(rule => ({
        id: rule.id, impact: rule.impact, help: rule.help,
        places: rule.nodes.slice(0, 3).map(node => node.html.slice(0, 200) + " " + (node.any[0]?.message ?? ""))}))), it => done(String(it)))"""


# Light and dark differ in colours alone: what was read whole in one theme is read for contrast in the other.
WHOLE, COLOURS = {"resultTypes": ["violations"]}, {"resultTypes": ["violations"], "runOnly": ["color-contrast"]}


def findings(browser, how):
    found = browser.later(ASK, how)
    assert isinstance(found, list), found
    return found


def themed(browser, dark):
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    browser.devtools("Emulation.setEmulatedMedia", features=[scheme])


def read_all(bed, driver, made, axe, tag, only):
    """Reads every page in one language, wide and on a phone, light and dark."""
    read, said, grave = 0, [], []
    for width in (1280, 390):
        browser = Browser(driver, width, 900, tag)
        browser.go(bed.url + "/console/sign-in")
        for name, path in [("sign-in", None)] + list(pages(made)):
            if path is not None:
                if name == "overview":
                    sign_in(browser, bed)
                if only and name not in only:
                    continue
                browser.go(bed.url + path)
            browser.run(axe)
            for dark, how in ((False, WHOLE), (True, COLOURS)):
                themed(browser, dark)
                read += 1
                for it in findings(browser, how):
                    line = f"{name} ({'dark' if dark else 'light'} {tag} {width}): {it['impact']}: {it['id']}: {it['help']}"
                    said += [line] + ["    " + place for place in it["places"]]
                    if it["impact"] in GRAVE:
                        grave.append(line)
            themed(browser, False)
        browser.close()
    return read, said, grave


def audit(only=()):
    """Gives how many pages were read, and what is grave. The two languages are read beside each other."""
    with open(AXE) as file:
        axe = file.read()
    bed, driver = Bed(), Driver()
    try:
        made = furnish(bed)
        with ThreadPoolExecutor(2) as pool:
            readers = [pool.submit(read_all, bed, driver, made, axe, tag, only) for tag in ("en-US", "zh-CN")]
            found = [reader.result() for reader in readers]
    finally:
        driver.stop()
        bed.stop()
    for line in [line for _, said, _ in found for line in said]:
        print(line)
    return sum(read for read, _, _ in found), [line for _, _, grave in found for line in grave]


def main():
    read, grave = audit(sys.argv[1:])
    print(f"{read} pages read, {len(grave)} serious findings")
    return 1 if grave or not read else 0


if __name__ == "__main__":
    sys.exit(main())
