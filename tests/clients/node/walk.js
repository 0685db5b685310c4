"use strict";
// The main job and what surrounds it, through the core of the official Node SDK. Prints the ids of the messages that it
// published as JSON; the program that starts it looks after the deliveries.

const assert = require("node:assert");
const { test, after } = require("node:test");
const { BasicCredentials } = require("@huaweicloud/huaweicloud-sdk-core");
const { SmnClient } = require("./client.js");
const fs = require("node:fs");

const { SMN_URL, SMN_AK, SMN_SK, SMN_PROJECT, SMN_REGION, SMN_PUBLISHED } = process.env;
const LARK = "https://open.feishu.cn/open-apis/bot/v2/hook/00000000-0000-4000-8000-00000000fe15";
const WECOM = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=00000000-0000-4000-8000-0000000000c0";

const published = [];
const client = connect(SMN_SK);

function connect(sk) {
    const credentials = new BasicCredentials().withAk(SMN_AK).withSk(sk).withProjectId(SMN_PROJECT);
    return SmnClient.newBuilder().withCredential(credentials).withEndpoint(SMN_URL).build();
}

async function refused(status, code, call) {
    await assert.rejects(call, (error) => {
        assert.deepStrictEqual([error.httpStatusCode, error.errorCode], [status, code], String(error));
        assert.match(error.requestId, /^[0-9a-f]{32}$/);
        return true;
    });
}

async function publish(topic_urn, body) {
    const answer = await client.publishMessage({ topic_urn, body });
    assert.strictEqual(answer.httpStatusCode, 200);
    published.push(answer.message_id);
}

test("topics, subscriptions and publishing", async () => {
    const body = { name: "node", display_name: "值班" };
    const created = await client.createTopic({ body });
    assert.strictEqual(created.httpStatusCode, 201);
    const topic_urn = created.topic_urn;
    assert.strictEqual(topic_urn, `urn:smn:${SMN_REGION}:${SMN_PROJECT}:node`);
    assert.strictEqual((await client.createTopic({ body })).httpStatusCode, 200);
    const subscriptions = [
        { protocol: "feishu", endpoint: LARK, extension: { sign_secret: "pretend-lark-secret" } },
        { protocol: "wechat", endpoint: WECOM, remark: "四群 ~*'()" },
    ];
    const urns = [];
    for (const body of subscriptions) {
        urns.push((await client.addSubscription({ topic_urn, body })).subscription_urn);
    }
    await publish(topic_urn, { subject: "磁盘", message: "磁盘 92% 已满 ~*'()", time_to_live: "60" });
    const wecom = { msgType: "markdown", content: "**db-2** 92%" };
    await publish(topic_urn, { message_structure: JSON.stringify({ default: "db-2 92%", wechat: wecom }) });

    // Unsorted, with everything that is encoded in one language and not in another.
    const listed = await client.listTopics({ offset: 0, limit: 10, fuzzy_name: "no" });
    assert.deepStrictEqual([listed.topic_count, listed.topics[0].display_name], [1, "值班"]);
    const none = await client.listTopics({ name: "a b/ç~*'()!+&=", limit: 10 });
    assert.strictEqual(none.topic_count, 0);
    const shown = await client.listSubscriptionsByTopic({ topic_urn, fuzzy_remark: "四群 ~*'()" });
    assert.deepStrictEqual(shown.subscriptions.map((it) => [it.protocol, it.status]), [["wechat", 1]]);
    assert.strictEqual((await client.listSubscriptions({ protocol: "feishu" })).subscription_count, 1);

    await client.updateTopic({ topic_urn, body: { display_name: "on call" } });
    assert.strictEqual((await client.listTopicDetails({ topic_urn })).display_name, "on call");
    await client.cancelSubscription({ subscription_urn: urns[0] });
    await refused(404, "SMN.0013", client.cancelSubscription({ subscription_urn: urns[0] }));
    const gone = { subscription_urns: [{ subscription_urn: urns[1] }] };
    const result = await client.batchDeleteSubscriptions({ body: gone });
    assert.deepStrictEqual(result.subscriptions_result.map((it) => it.http_code), [200]);
});

test("attributes, templates and tags", async () => {
    const { topic_urn } = await client.createTopic({ body: { name: "node-more", display_name: "" } });
    await client.updateTopicAttribute({ topic_urn, name: "introduction", body: { value: "值班" } });
    assert.strictEqual((await client.listTopicAttributes({ topic_urn })).attributes.introduction, "值班");
    await client.deleteTopicAttributes({ topic_urn });
    const template = { message_template_name: "node", content: "磁盘 {host}" };
    const { message_template_id } = await client.createMessageTemplate({ body: template });
    await refused(400, "SMN.0025", client.createMessageTemplate({ body: template }));
    await client.addSubscription({ topic_urn, body: { protocol: "wechat", endpoint: WECOM } });
    await publish(topic_urn, { message_template_name: "node", tags: { host: "db-92" } });
    await client.deleteMessageTemplate({ message_template_id });
    const { topic_id } = await client.listTopicDetails({ topic_urn });
    const where = { resource_type: "smn_topic", resource_id: topic_id };
    const made = await client.createResourceTag({ ...where, body: { tag: { key: "env", value: "prod" } } });
    assert.strictEqual(made.httpStatusCode, 204);
    assert.deepStrictEqual((await client.listResourceTags(where)).tags, [{ key: "env", value: "prod" }]);
});

test("what is refused", async () => {
    const { topic_urn } = await client.createTopic({ body: { name: "node-refused", display_name: "" } });
    await refused(403, "SMN.0008", client.publishMessage({ topic_urn, body: { subject: "磁".repeat(171), message: "x" } }));
    await refused(404, "SMN.0006", client.listTopicDetails({ topic_urn: `${topic_urn}-not` }));
    await refused(501, "CARILLON.0501", client.showNotifyPolicy({ topic_urn }));
    await refused(401, "APIGW.0301", connect("another secret").listTopics());
    assert.strictEqual((await client.listVersions()).versions[0].id, "v2");
    await client.deleteTopic({ topic_urn });
});

after(() => fs.writeFileSync(SMN_PUBLISHED, JSON.stringify(published)));
