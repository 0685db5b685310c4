"""What the tests of the official SDK share: an installation, and a client whose address and keys alone are changed."""

import unittest

from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdksmn import v2 as smn

import harness


class SdkTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.installation = harness.Installation()
        cls.installation.__enter__()
        credentials = BasicCredentials(harness.ACCESS_KEY, harness.SECRET_KEY, harness.PROJECT)
        builder = smn.SmnClient.new_builder().with_credentials(credentials)
        cls.client = builder.with_endpoint(cls.installation.url).build()

    @classmethod
    def tearDownClass(cls):
        cls.installation.__exit__(None, None, None)
