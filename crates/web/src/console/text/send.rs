//! Subscribing and publishing.

texts! {
    /// Adding a subscription.
    SubscribeText {
        add: "Add subscription", "添加订阅";
        choose: "Where should the messages arrive?", "消息发送到哪里？";
        privacy: "The address and its secrets are encrypted at rest, used for sending this topic's messages and nothing else, shown to nobody again, and erased for good when you delete the subscription.",
            "地址与密钥在存储时加密，仅用于发送本主题的消息，之后不再向任何人显示；删除订阅时永久清除。";
        privacy_title: "Data privacy", "数据隐私";
        sign_secret: "Signing secret", "签名密钥";
        sign_secret_hint: "Only if the robot's security asks for a signature.", "仅当机器人启用了“签名校验”时填写。";
        keyword: "Keyword", "自定义关键词";
        keyword_hint: "One of the robot's keywords; it is added where a message lacks it.", "机器人要求的关键词之一；消息中没有时自动补上。";
        app_key: "Client ID (AppKey)", "应用 Client ID（AppKey）";
        app_secret: "Client Secret (AppSecret)", "应用 Client Secret（AppSecret）";
        robot_code: "Robot code", "机器人编码（RobotCode）";
        robot_code_hint: "Mostly the same as the Client ID.", "通常与 Client ID 相同。";
        headers: "Headers", "请求头";
        headers_hint: "Name: value, one a line. They are sent along and never shown again.", "每行一个，格式为 名称: 值。随请求发送，之后不再显示。";
        remark: "Remark", "备注";
        remark_hint: "What you call it, for example the chat's name.", "便于辨认，例如群名称。";
        leads_to: "Good. It leads to", "地址有效，将发送到";
        test: "Send a test message", "发送测试消息";
        test_web: "Ask whether it answers", "检测能否连通";
        arrived: "It arrived. The platform accepted the test message.", "发送成功，平台已接收测试消息。";
        not_arrived: "It did not arrive.", "未能送达。";
        save: "Save subscription", "保存订阅";
        secrets_again: "Secrets are not shown again; leave them as they are here only until you save.", "密钥不会再次显示，保存前请重新填写。";
        how: "How to obtain the address", "如何获取地址";
        office_lead: "A member, a whole department, one of your groups, or a chat that the bot is in. Whom it comes down to is looked up when a message is sent.",
            "可订阅成员、整个部门、自建人员组，或机器人所在的群聊；发送消息时才展开为具体的人。";
        office_none: "Connect your company's own app first; then its people and chats can be subscribed.", "请先接入企业自己的应用，之后即可订阅其中的成员和群聊。";
        office_app: "App", "应用";
        office_kind: "Kind", "类型";
        office_add: "Subscribe", "订阅";
        office_test: "Test", "测试";
        what: "The address", "填写地址";
    }
}

texts! {
    /// The steps on each platform.
    GuideText {
        webhook: "Webhook address", "Webhook 地址";
        url: "URL", "网址";
        user_or_group: "userId or group id", "userId 或群会话 ID";
        office: "People and chats of an office app", "办公应用中的成员与群聊";
        office_for: "Members, departments, groups and chats, by a connected app", "通过已接入的应用送达成员、部门、人员组和群聊";
        web: "Web endpoint", "Web 地址";
        web_for: "Your own program, by HTTP or HTTPS, with signed requests", "通过 HTTP(S) 推送到自己的程序，请求带签名";
        mailbox: "E-mail address", "邮箱地址";
        email_for: "A mailbox, which confirms by a link", "邮箱，通过链接确认";
        email_1: "Give the address. After saving it gets one mail with a link that confirms the subscription.", "填写邮箱地址，保存后会收到一封带确认链接的邮件。";
        email_2: "Until the link is opened nothing else is sent there but a test that you ask for. Every message has a link that ends the subscription.", "确认之前，除您主动发送的测试外不会再发送任何邮件；每条消息都带有退订链接。";
        lark_for: "A group in Lark or Feishu, by its custom bot", "飞书或 Lark 群，通过自定义机器人";
        dingtalk_for: "A group in DingTalk, by its custom robot", "钉钉群，通过自定义机器人";
        wecom_for: "A group in WeCom, by its message push robot", "企业微信群，通过消息推送机器人";
        dingtalk_app_for: "A person or group in your company, by its own app", "企业内的个人或群，通过企业自建应用";
        office_1: "Connect the company's app once, under Office collaboration. Saving tries its credentials.", "在“办公协同”中接入企业应用一次，保存时会验证凭证。";
        office_2: "Update its directory: then its people, departments and chats are found here.", "更新通讯录，之后即可在此查找人员、部门和群聊。";
        office_3: "Find a person, department, group or chat. A person or a chat can be sent a test message first.", "查找人员、部门、人员组或群聊；对人员和群聊可先发送测试消息。";
        office_4: "Subscribe. Nobody needs to confirm; whoever leaves the company is told of under Gone.", "点击“订阅”，无需对方确认；人员离职后会列在“离开”中。";
        d_update: "Update", "更新";
        lark_1: "Open the group, then its settings, and choose Bots.", "打开群聊，进入“设置”，选择“群机器人”。";
        lark_2: "Add a bot, choose Custom bot, and give it a name.", "点击“添加机器人”，选择“自定义机器人”，填写名称。";
        lark_3: "Copy the webhook address and paste it here.", "复制 Webhook 地址，粘贴到本页。";
        lark_4: "Recommended: switch on signature verification and copy its secret too.", "建议启用“签名校验”，并一并复制密钥。";
        dingtalk_1: "Open the group, then its settings, and choose Robots.", "打开群聊，进入“群设置”，选择“机器人”。";
        dingtalk_2: "Add a robot, choose Custom, and give it a name.", "点击“添加机器人”，选择“自定义”，填写名称。";
        dingtalk_3: "Security wants one of three: choose the signature (copy its secret) or a keyword.", "安全设置三选一：建议选择“加签”并复制密钥，或填写关键词。";
        dingtalk_4: "Finish, copy the webhook address and paste it here.", "完成后复制 Webhook 地址，粘贴到本页。";
        wecom_1: "Open the group, tap the three dots, and choose Message push.", "打开群聊，点击右上角“…”，选择“消息推送”。";
        wecom_2: "Add one, and give it a name.", "点击“添加”，填写名称。";
        wecom_3: "Copy the webhook address and paste it here.", "复制 Webhook 地址，粘贴到本页。";
        dingtalk_app_1: "In DingTalk's developer console create an internal app with a robot, and publish its version.", "在钉钉开放平台创建企业内部应用，添加机器人能力并发布版本。";
        dingtalk_app_2: "Under Credentials copy Client ID and Client Secret.", "在“凭证与基础信息”中复制 Client ID 与 Client Secret。";
        dingtalk_app_3: "For a person, take the userId from the admin console's directory.", "发给个人：在管理后台通讯录中查看 userId。";
        dingtalk_app_4: "For a group, add the robot to it and take its openConversationId, which begins with cid.", "发到群：先将机器人加入群，再取得以 cid 开头的 openConversationId。";
        web_1: "Give a URL that the server can reach and that takes POST requests with JSON.", "填写服务器可访问、能接收 JSON POST 请求的网址。";
        web_2: "After saving it gets one request with a subscribe_url; opening that link confirms the subscription.", "保存后会收到一次带 subscribe_url 的请求，访问该链接即确认订阅。";
        web_3: "Every body is signed: check it against the certificate it names.", "每个请求体都有签名，可用其中指明的证书校验。";
        d_settings: "Settings", "设置";
        d_members: "Members", "群成员";
        d_bots: "Bots", "群机器人";
        d_robots: "Robots", "机器人";
        d_push: "Message push", "消息推送";
        d_copy: "Copy", "复制";
        d_open: "Open", "访问";
        d_security: "Security", "安全设置";
        d_keywords: "Keywords", "自定义关键词";
        d_signature: "Signature", "签名校验";
        d_credentials: "Credentials", "凭证信息";
        d_group: "Group chat", "群聊";
        d_custom_bot: "Custom bot", "自定义机器人";
        d_custom: "Custom", "自定义";
        d_sign: "Additional signature", "加签";
        d_add: "Add", "添加";
        d_directory: "Directory", "通讯录";
        d_person: "Wang Fang", "王芳";
        d_please_confirm: "Please confirm your subscription", "请确认订阅";
        d_confirm: "Confirm", "确认订阅";
        d_features: "Features", "应用能力";
        d_permissions: "Permissions", "权限管理";
        d_may_send: "Send messages", "发送消息";
        d_may_read: "Read the directory", "读取通讯录";
        d_may_find: "Find people by phone", "通过手机号查找";
        d_version: "Versions", "版本管理";
        d_publish: "Publish", "发布";
        d_trusted: "Trusted IPs", "企业可信 IP";
        d_range: "Visible range", "可见范围";
        d_part: "Some departments", "部分部门";
        d_all: "Whole company", "全公司";
        d_app: "The app", "应用详情";
    }
}

texts! {
    /// One subscription.
    SubscriptionText {
        title: "Subscription", "订阅";
        filter: "Filter policy", "过滤策略";
        filter_hint: "Only messages whose attributes match come here. One line each: name: value, value. Empty: everything.",
            "仅接收属性匹配的消息。每行一条，格式为 名称: 值, 值。留空则接收全部。";
        delete_address: "Its address and secrets, erased for good", "其地址与密钥，永久清除";
        delete_waiting: "What still waits for it; it is cancelled", "等待发往它的投递，全部取消";
        delete_text: "No more messages arrive there, and the address is erased for good.", "不再向该地址发送消息，地址被永久清除。";
    }
}

texts! {
    /// Publishing.
    PublishText {
        publish: "Publish", "发布";
        title: "Publish a message", "发布消息";
        choose: "Which topic is it for?", "发布到哪个主题？";
        go_on: "Go on", "继续";
        no_topics: "There is no topic that you may publish to.", "没有可以发布的主题。";
        subject: "Title", "标题";
        text: "Text", "正文";
        format: "Format", "格式";
        markdown: "Markdown", "Markdown";
        plain: "Plain text", "纯文本";
        priority: "Priority", "优先级";
        normal: "Normal", "普通";
        urgent: "Urgent, goes first", "紧急，优先发送";
        life: "May wait, in seconds", "有效期（秒）";
        life_hint: "An hour when empty; later it is no longer sent.", "留空为一小时，过期不再发送。";
        preview: "Preview", "预览";
        preview_hint: "Write something, then see here how each chat will show it, and who would get it. Nothing is sent.",
            "填写内容后，在此查看各平台的显示效果和接收方。预览不会发送任何内容。";
        would_get: "{} [subscription|subscriptions] would get it", "将发送给 {} 个订阅";
        of_all: "of {} in force", "共 {} 个生效订阅";
        nobody: "Nobody would get it: the topic has no subscription in force.", "没有接收方：该主题没有生效的订阅。";
        parts: "sent in {} [part|parts]", "分 {} 条发送";
        reduced: "This platform has no tables; they are written as text.", "该平台不支持表格，将以文字呈现。";
        here: "{} [subscription|subscriptions]", "{} 个订阅";
        sample: "nobody here, for comparison", "暂无订阅，仅供对比";
        more_parts: "… and {} more [part|parts]", "……另有 {} 条";
        robot: "Robot", "机器人";
    }
}
