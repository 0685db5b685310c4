"""Reads every page with axe-core, in both themes: no finding that it calls serious or critical.

    python3 tests/browser/accessibility.py [the name of a page ...]
"""

import os
import sys

from bed import Bed
from browser import Browser, Driver
from pictures import furnish, pages, sign_in

AXE = os.environ.get("CARILLON_AXE", "target/browser/node_modules/axe-core/axe.min.js")
GRAVE = {"serious", "critical"}
ASK = """const done = arguments[arguments.length - 1];
    axe.run(document, {resultTypes: ["violations"]}).then(it => done(it.violations.map(rule => ({
        id: rule.id, impact: rule.impact, help: rule.help,
        places: rule.nodes.slice(0, 3).map(node => node.html.slice(0, 200) + " " + (node.any[0]?.message ?? ""))}))), it => done(String(it)))"""


def findings(browser, axe):
    browser.run(axe)
    found = browser.later(ASK)
    assert isinstance(found, list), found
    return found


def audit(only=()):
    """Gives how many pages were read, and what is grave."""
    with open(AXE) as file:
        axe = file.read()
    bed, driver, read, grave = Bed(), Driver(), 0, []
    try:
        made = furnish(bed)
        for dark, tag, width in ((False, "en-US", 1280), (True, "en-US", 1280), (False, "zh-CN", 390)):
            browser = Browser(driver, width, 900, tag, dark)
            where = f"{'dark' if dark else 'light'} {tag} {width}"
            browser.go(bed.url + "/console/sign-in")
            todo = [("sign-in", None)]
            for name, path in todo + list(pages(made)):
                if path is not None:
                    if name == "overview":
                        sign_in(browser, bed)
                    if only and name not in only:
                        continue
                    browser.go(bed.url + path)
                read += 1
                for it in findings(browser, axe):
                    line = f"{name} ({where}): {it['impact']}: {it['id']}: {it['help']}"
                    print(line)
                    for place in it["places"]:
                        print("    " + place)
                    if it["impact"] in GRAVE:
                        grave.append(line)
            browser.close()
    finally:
        driver.stop()
        bed.stop()
    return read, grave


def main():
    read, grave = audit(sys.argv[1:])
    print(f"{read} pages read, {len(grave)} serious findings")
    return 1 if grave or not read else 0


if __name__ == "__main__":
    sys.exit(main())
