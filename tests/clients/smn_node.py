"""The core of the official Node SDK against the running program; the walk itself is `node/walk.js`."""

import json
import os
import pathlib
import subprocess
import unittest

import harness

HERE = pathlib.Path(__file__).parent


class NodeSdk(unittest.TestCase):
    def test_the_walk(self):
        with harness.Installation() as installation:
            published = pathlib.Path(installation.folder.name) / "published.json"
            environment = {
                **os.environ,
                "SMN_URL": installation.url, "SMN_AK": harness.ACCESS_KEY, "SMN_SK": harness.SECRET_KEY,
                "SMN_PROJECT": harness.PROJECT, "SMN_REGION": harness.REGION, "SMN_PUBLISHED": str(published),
            }
            walk = subprocess.run(
                ["node", "--test-reporter=spec", "--test", str(HERE / "node" / "walk.js")],
                env=environment, capture_output=True, text=True, timeout=120, check=False,
            )
            self.assertEqual(walk.returncode, 0, walk.stdout + walk.stderr)
            counts = []
            for message in json.loads(published.read_text()):
                deliveries = installation.settled(message)
                self.assertTrue(all(it["state"] == "delivered" for it in deliveries), deliveries)
                counts.append(len(deliveries))
            self.assertEqual(counts, [2, 2, 1])
            texts = " ".join(it["text"] for it in installation.received())
            for text in ("磁盘 92% 已满 ~*'()", "db-2", "磁盘 db-92"):
                self.assertIn(text, texts)


if __name__ == "__main__":
    unittest.main(verbosity=2)
