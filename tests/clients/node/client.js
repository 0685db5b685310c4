"use strict";
// The calls of SMN over the official, unmodified core of the Node SDK (@huaweicloud/huaweicloud-sdk-core), which builds,
// signs, sends and reads. The package with SMN's own methods is not in the npm registry; they only name path, query and
// body, and so does this table. Requests are given as that package takes them: { topic_urn, body }.

const { ClientBuilder } = require("@huaweicloud/huaweicloud-sdk-core/ClientBuilder");

const TOPICS = "/v2/{project_id}/notifications/topics";
const TOPIC = `${TOPICS}/{topic_urn}`;
const SUBSCRIPTIONS = "/v2/{project_id}/notifications/subscriptions";
const TEMPLATES = "/v2/{project_id}/notifications/message_template";
const TAGS = "/v2/{project_id}/{resource_type}/{resource_id}/tags";

const CALLS = {
    createTopic: ["POST", TOPICS],
    listTopics: ["GET", TOPICS],
    listTopicDetails: ["GET", TOPIC],
    updateTopic: ["PUT", TOPIC],
    deleteTopic: ["DELETE", TOPIC],
    listTopicAttributes: ["GET", `${TOPIC}/attributes`],
    updateTopicAttribute: ["PUT", `${TOPIC}/attributes/{name}`],
    deleteTopicAttributes: ["DELETE", `${TOPIC}/attributes`],
    addSubscription: ["POST", `${TOPIC}/subscriptions`],
    listSubscriptionsByTopic: ["GET", `${TOPIC}/subscriptions`],
    listSubscriptions: ["GET", SUBSCRIPTIONS],
    cancelSubscription: ["DELETE", `${SUBSCRIPTIONS}/{subscription_urn}`],
    batchDeleteSubscriptions: ["DELETE", SUBSCRIPTIONS],
    createMessageTemplate: ["POST", TEMPLATES],
    deleteMessageTemplate: ["DELETE", `${TEMPLATES}/{message_template_id}`],
    publishMessage: ["POST", `${TOPIC}/publish`],
    createResourceTag: ["POST", TAGS],
    listResourceTags: ["GET", TAGS],
    listVersions: ["GET", "/"],
    showNotifyPolicy: ["GET", `${TOPIC}/notify-policy`],
};

class SmnClient {
    static newBuilder() {
        return new ClientBuilder((core) => new SmnClient(core), "BasicCredentials");
    }

    constructor(core) {
        for (const [name, [method, url]] of Object.entries(CALLS)) {
            this[name] = (request = {}) => core.sendRequest(options(method, url, request));
        }
    }
}

function options(method, url, { body, ...fields }) {
    const pathParams = {};
    const queryParams = {};
    for (const [name, value] of Object.entries(fields)) {
        (url.includes(`{${name}}`) ? pathParams : queryParams)[name] = value;
    }
    // The SDK's methods begin with an empty object, so that a GET carries the body `{}`, signed.
    return { method, url, contentType: "application/json", queryParams, pathParams, headers: {}, data: body ?? {} };
}

module.exports = { SmnClient };
