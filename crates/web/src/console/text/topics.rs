//! Topics and what hangs on them.

texts! {
    /// The list of topics, and a new one.
    TopicsText {
        title: "Topics", "主题";
        lead: "A topic is a named place that messages are published to. Everybody who subscribes to it gets them.",
            "主题是消息发布的去处，所有订阅者都会收到发布到主题的消息。";
        new: "New topic", "新建主题";
        find: "Find by name", "按名称查找";
        empty_title: "No topics yet", "还没有主题";
        empty: "Create one for each kind of news, for example alerts or orders. Then subscribe a robot and publish.",
            "为每类消息建一个主题，例如告警或订单；然后添加订阅并发布消息。";
        none_found: "No topic's name holds that text.", "没有名称包含该文字的主题。";
        name_hint: "Letters, digits, - and _; it cannot be changed later.", "字母、数字、- 和 _；创建后不能修改。";
        display_name: "Display name", "显示名";
        display_name_hint: "What people read, in any language.", "给人看的名字，任何语言均可。";
        create: "Create topic", "创建主题";
        exists: "There is a topic of that name already; open it from the list.", "同名主题已存在，请从列表中打开。";
        day: "Last 24 hours", "近 24 小时";
        last: "Last message", "最新消息";
        nobody: "Nobody yet", "暂无订阅";
        never: "None yet", "暂无";
        count: "{} [topic|topics]", "共 {} 个主题";
    }
}

texts! {
    /// One topic.
    TopicText {
        subscriptions: "Subscriptions", "订阅";
        recent: "Recent messages", "最近消息";
        all_messages: "All messages", "全部消息";
        settings: "Settings", "设置";
        urn: "URN", "标识";
        endpoint: "Address", "地址";
        channel: "Channel", "渠道";
        remark: "Remark", "备注";
        no_subscriptions_title: "Nobody gets these messages yet", "还没有接收方";
        no_subscriptions: "Subscribe a chat robot, a person or a web endpoint, and send a test message before you save.",
            "添加群机器人、个人或 Web 地址，保存前可先发送一条测试消息。";
        no_messages: "Nothing has been published to this topic.", "该主题还没有发布过消息。";
        introduction: "Introduction", "简介";
        introduction_hint: "Up to 120 bytes, for those who manage the topic.", "最长 120 字节，供管理者查看。";
        policy: "Access policy", "访问策略";
        policy_show: "Others may use this topic; show the rules", "允许其他项目使用，查看规则";
        tags: "Tags", "标签";
        tanks: "Delivery log to", "投递日志";
        tags_lead: "A key, or a key with a value: topics are found by them over the API.", "一个键，可带一个值；通过接口可按标签查找主题。";
        tag_key: "Key", "键";
        tag_value: "Value", "值";
        tag_add: "Set tag", "设置标签";
        take_off: "Take off", "移除";
        tanks_title: "Delivery log", "投递日志";
        tanks_lead: "What becomes of this topic's messages is written to the server's delivery log, under a group and a stream.",
            "该主题的投递结果会写入服务器的投递日志，并带上日志组和日志流。";
        tanks_none: "The server writes no delivery log: its operator starts it with --delivery-log to have one.",
            "服务器没有写投递日志，由运维人员在启动时开启。";
        tank_group: "Log group", "日志组";
        tank_stream: "Log stream", "日志流";
        tank_add: "Add", "添加";
        tank_remove: "Remove", "移除";
        policy_hint: "Who else may publish or subscribe, as JSON in SMN's form. Empty: this project alone.",
            "允许谁发布或订阅，格式同 SMN 的 JSON。留空则仅限本项目。";
        suppress: "Leave equal messages out for", "相同消息抑制时间";
        suppress_hint: "Seconds, up to 86400; 0 sends everything. The first is sent; what says the same within this time is recorded and goes to nobody.",
            "单位为秒，最长 86400，0 表示全部发送。第一条照常发送，此时间内相同的消息只记录、不发送。";
        danger: "Delete this topic", "删除主题";
        danger_text: "Its subscriptions go with it, their addresses are erased for good, and what still waits for them is cancelled.",
            "其订阅一并删除，地址被永久清除，等待中的投递将取消。";
        delete_title: "Delete the topic {}?", "删除主题 {}？";
        delete_goes: "What goes with it", "一并删除的内容";
        delete_subscriptions: "{} [subscription, with its address|subscriptions, with their addresses] and secrets, erased for good", "{} 个订阅及其地址和密钥，永久清除";
        delete_waiting: "Everything that still waits for these subscriptions; it is cancelled", "这些订阅等待中的投递，全部取消";
        delete_stays: "Messages and what became of them stay readable until they grow old.", "消息及其投递记录会保留到过期为止。";
        delete_type: "Type the name to confirm", "输入主题名称以确认";
        delete_wrong: "That is not the topic's name.", "与主题名称不一致。";
        delete_button: "Delete for good", "永久删除";
    }
}

texts! {
    /// Whom a topic reaches.
    ReachText {
        title: "Who is reached", "送达范围";
        lead: "Counted at this moment, everybody once. Nothing is sent.", "按当前情况统计，每人只计一次，不会发送消息。";
        people: "People", "人员";
        chats: "Chats", "群聊";
        addresses: "Other addresses", "其他地址";
        not_reached: "Not reached", "无法送达";
        filtered: "{} [subscription wants|subscriptions want] only some messages, by filter policies.", "{} 个订阅按过滤策略只接收部分消息。";
        who: "People and chats", "人员与群聊";
        why: "Why", "原因";
        gone: "Gone from the directory", "通讯录中已不存在";
        no_department: "There is no such department", "部门不存在";
        no_group: "There is no such group", "人员组不存在";
        empty: "Nobody is in it", "其中没有人员";
        no_connection: "The app is no longer connected", "应用连接已不存在";
        unconfirmed: "Not confirmed yet", "尚未确认";
        paused: "Paused", "已暂停";
    }
}
