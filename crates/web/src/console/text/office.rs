//! Office apps: connecting, updating, checking.

texts! {
    /// Connections.
    OfficeText {
        title: "Office collaboration", "办公协同";
        access: "Office software access", "办公软件接入";
        lead: "Connect the company's own app once; then topics and messages reach people by name, department or chat.",
            "接入一次企业自建应用，主题和消息即可按姓名、部门或群聊送达。";
        add: "Connect an app", "接入应用";
        choose: "Which platform is the company on?", "企业使用哪个平台？";
        empty_title: "No app is connected yet", "还没有接入应用";
        empty: "With an app of your own, people are reached personally, on the platform where they are. A robot needs none.",
            "接入自建应用后，可以在人员所在的平台上直接送达个人；群机器人无需接入。";
        lark_both: "Lark or Feishu", "飞书或 Lark";
        lark: "Lark", "Lark";
        feishu: "Feishu", "飞书";
        dingtalk: "DingTalk", "钉钉";
        wecom: "WeCom", "企业微信";
        lark_what: "A custom app with its bot switched on", "已启用机器人能力的企业自建应用";
        dingtalk_what: "An internal app with a robot", "带机器人的企业内部应用";
        wecom_what: "A self-built app", "企业自建应用";
        new_title: "Connect {}", "接入{}";
        fields: "The app", "应用信息";
        how: "Where to find these", "在哪里找到这些信息";
        cloud: "Cloud", "云";
        cloud_hint: "Lark is larksuite.com, Feishu is feishu.cn. They do not know each other's apps.",
            "Lark 为 larksuite.com，飞书为 feishu.cn，两者应用互不相通。";
        name_hint: "A name of yours, for example the company's.", "自定义名称，例如企业名称。";
        name_rule: "1 to 64 characters on one line, without blanks at its ends.", "名称须为一行，1 到 64 个字符，首尾不能有空格。";
        name_taken: "There is a connection of that name already.", "同名连接已存在，请换一个名称。";
        app_id: "App ID", "App ID";
        app_key: "AppKey (Client ID)", "AppKey（Client ID）";
        app_secret: "App Secret", "App Secret";
        client_secret: "AppSecret (Client Secret)", "AppSecret（Client Secret）";
        wecom_secret: "Secret", "Secret";
        corp_id: "Corp ID", "企业 ID（CorpId）";
        agent_id: "AgentId", "AgentId";
        robot_code: "RobotCode", "RobotCode";
        robot_code_hint: "Without it nothing can be sent. Often the same as the AppKey.", "没有它无法发送消息，通常与 AppKey 相同。";
        agent_hint: "For work notifications.", "用于工作通知。";
        secret_again: "Type the secret again: it is never sent back to the page.", "请再次输入密钥：页面不会回显密钥。";
        privacy: "Sealed at rest, used only to speak with the platform, never shown again, and erased for good when the connection is deleted.",
            "加密存储，仅用于与平台通信，不再显示，删除连接时永久清除。";
        save: "Save", "保存";
        saving: "Asking the platform…", "正在向平台核实…";
        save_hint: "Save tries the credentials at the platform and says which of them is wrong.", "保存时会向平台核实凭证，并指出哪一项有误。";
        connected: "Connected: the platform took the credentials. Now update the directory.", "已接入：平台已接受凭证。下一步请更新通讯录。";
        update: "Update", "更新";
        update_first: "Read the directory now", "立即读取通讯录";
        never_short: "Not read yet", "尚未读取";
        never_title: "The directory was not read yet", "尚未读取通讯录";
        never: "Update reads departments, members and chats that the app may see. Nothing is sent to anybody.",
            "更新会读取应用可见的部门、成员和群聊，不会向任何人发送消息。";
        check: "Check", "检查";
        settings: "Settings", "设置";
        calls: "Calls this month", "本月调用次数";
        calls_used: "Made so far", "已调用";
        calls_forecast: "By the month's end", "预计月底";
        calls_explained: "at the pace of the first {} days", "按前 {} 天的速度推算";
        calls_limit: "Limit", "限额";
        calls_held: "what is more waits; a twentieth is kept for urgent messages", "超出的消息将等待；保留二十分之一给紧急消息";
        calls_default: "of the platform's smallest plan, for warnings only", "平台最低版本的额度，仅用于提醒";
        calls_none: "None", "无";
        calls_refused: "Refused by the platform until", "平台拒绝调用至";
        calls_ends: "Counted anew from", "重新计数时间";
        calls_set: "Your limit", "自定义限额";
        calls_hint: "Empty: the platform's. 0: none.", "留空为平台额度，0 为不限。";
        events: "Change events", "变更事件";
        events_heard: "Heard", "已收到";
        events_silent: "Nothing heard yet", "尚未收到";
        events_off: "Not set up", "未设置";
        events_lead: "The platform tells by itself who came, moved or left; the directory is read a minute later.",
            "平台主动通知人员加入、调动或离开；一分钟后自动更新通讯录。";
        events_url: "Address for the app's page", "填写到应用页面的地址";
        events_last: "Last heard", "最近一次";
        events_due: "Directory is read at", "将更新通讯录于";
        events_token: "Verification token", "Verification Token / Token";
        events_key: "Encrypt key", "Encrypt Key / EncodingAESKey";
        events_hint: "As the app's page shows them; sealed, never shown again. Both empty: no event is believed any more.",
            "与应用页面一致；加密存储，不再显示。两项均留空则不再接受事件。";
        notices: "Told of what concerns it", "相关通知发送给";
        notices_nobody: "Nobody", "无人";
        notices_hint: "A topic's name, or a subscription's URN: told of limits that come near, people who are gone.",
            "填写主题名称或订阅 URN：限额将满、人员离开时通知。";
        overview: "Overview", "概况";
        members: "Members", "成员";
        departments: "Departments", "部门";
        updated: "Last update", "上次更新";
        range: "The app sees", "应用可见范围";
        range_all: "the whole company", "全公司";
        range_part: "a part of the company", "部分范围";
        app: "App", "应用";
        platform: "Platform", "平台";
        keep_secret: "Leave all of it empty to keep what is there.", "全部留空则保持不变。";
        credentials: "Other credentials", "更换凭证";
        credentials_hint: "All of them together; they are tried at the platform first.", "须全部填写，保存前会向平台核实。";
        danger: "Delete this connection", "删除该连接";
        danger_text: "Its credentials and directory go with it.", "凭证和通讯录一并删除。";
        delete_title: "Delete the connection {}?", "删除连接 {}？";
        delete_credentials: "Its credentials, erased for good", "应用凭证，永久清除";
        delete_directory: "Its directory: {} [member|members] and {} [department|departments]", "通讯录：{} 名成员、{} 个部门";
        delete_groups: "Its groups of people, and its record of updates", "人员组和更新记录";
        delete_waiting: "What waits for its people and chats; it is cancelled", "发往其人员和群聊的等待中投递，全部取消";
        delete_stays: "Subscriptions that name it stay, and reach nobody until they are changed.", "引用它的订阅会保留，但在修改前无法送达。";
        delete_type: "Type the connection's name to confirm", "输入连接名称以确认";
        delete_wrong: "That is not the connection's name.", "与连接名称不一致。";
    }
}

texts! {
    /// Readings of a directory.
    RunText {
        title: "Update", "更新";
        latest: "Updates", "更新记录";
        missed: "Gone, and still named", "已不存在但仍被引用";
        missed_text: "They get nothing any more. Whoever looks after these subscriptions, or the connection, was told.",
            "他们不再收到消息；已通知相关订阅或连接的负责人。";
        missed_by: "Named by", "引用者";
        running: "Reading", "读取中";
        asks: "Asks you", "待确认";
        done: "Done", "已完成";
        failed: "Not done", "未完成";
        reading: "Reading the directory", "正在读取通讯录";
        reading_hint: "What is read is the directory only when all of it was read. Until then everything stays as it is.",
            "全部读取完成后才会生效，在此之前一切保持不变。";
        so_far: "{} [member|members] in {} [department|departments], {} [call|calls]", "已读取 {} 名成员、{} 个部门，调用 {} 次";
        stop: "Stop", "停止";
        asks_title: "Is this meant?", "确认这些变化吗？";
        asks_text: "{} of {} [member|members] would be marked as gone. A smaller range of the app looks exactly like people leaving.",
            "{} / {} 名成员将被标记为离开。应用范围缩小与人员离职看起来完全一样。";
        asks_range: "The app sees less than before.", "应用的可见范围变小了。";
        confirm: "Yes, take it over", "确认生效";
        keep: "No, keep the directory as it is", "放弃，保持现状";
        confirmed: "Taken over: this is the directory now.", "已生效，通讯录已更新。";
        ended: "Ended. The directory is as it was.", "已结束，通讯录保持不变。";
        added: "Added", "新增";
        changed: "Changed", "变更";
        moved: "Moved", "调动";
        gone: "Gone", "离开";
        all: "All", "全部";
        differences: "What would change", "将发生的变化";
        nothing: "Nothing changes.", "没有变化。";
        was: "was {}", "原为 {}";
        from: "from {}", "原在 {}";
        by: "by {}", "由 {} 发起";
        timer: "by the timer", "定时更新";
        events: "after change events", "由变更事件触发";
        missing: "Missing permissions", "缺少的权限";
        missing_hint: "Without them something was not read. The check says where each is granted.", "缺少权限的内容未被读取；“检查”会说明在哪里开通。";
        took: "Duration", "用时";
        seconds: "{} s", "{} 秒";
        calls: "Calls", "调用次数";
        begun: "Begun", "开始时间";
        state: "State", "状态";
        counts: "Changes", "变化";
        no_change: "none", "无";
        look: "Look again", "刷新";
    }
}

texts! {
    /// The check of an app.
    DoctorText {
        title: "Check", "检查";
        lead: "Tries everything that the app needs at its platform, one thing after the other, and says where each is granted.",
            "逐项检查应用在平台上所需的一切，并说明在哪里开通。";
        run: "Check now", "立即检查";
        running: "Asking the platform…", "正在向平台核实…";
        test_to: "Send a test message to", "测试消息发送给";
        test_to_hint: "A member's id at the platform or here, best your own.", "成员在平台或本系统中的编号，建议填写自己。";
        all_good: "Everything is as it should be.", "一切正常。";
        some_bad: "{} [thing is|things are] in the way.", "有 {} 项需要处理。";
        useful_bad: "Everything needed is there; something useful is missing.", "必需项齐全，部分可选项缺失。";
        good: "Good", "正常";
        bad: "Missing", "缺失";
        useful: "Optional, missing", "可选，缺失";
        test: "test message", "测试消息";
        credentials: "credentials", "凭证";
        credentials_address: "credentials and address", "凭证与地址";
        bot: "bot is on and a version published", "已启用机器人并发布版本";
        read_directory: "read the directory", "读取通讯录";
        hear_changes: "hear of changes of the directory", "接收通讯录变更";
        department_names: "read the names of departments", "读取部门名称";
        department_tree: "read the tree of departments", "读取部门结构";
        member_departments: "read which departments a member is in", "读取成员所属部门";
        member_names: "read the names of members", "读取成员姓名";
        member_ids: "read the ids of members", "读取成员编号";
        by_contact: "find members by phone or e-mail", "通过手机号或邮箱查找成员";
        chats: "list the chats of the bot", "列出机器人所在群聊";
        send: "send messages", "发送消息";
        files: "send images and files", "发送图片和文件";
        range: "range is the whole company", "范围为全公司";
        visible: "visible range", "可见范围";
        trusted: "trusted address", "可信 IP";
        robot_code: "robot's code", "RobotCode";
        number: "app's number", "AgentId";
    }
}

texts! {
    /// Steps to an app on each platform.
    AppSteps {
        lark_1: "Open the developer console of your cloud (open.feishu.cn or open.larksuite.com) and create a custom app.",
            "打开开发者后台（飞书 open.feishu.cn，Lark open.larksuite.com），创建企业自建应用。";
        lark_2: "Under Features, add the Bot.", "在“添加应用能力”中添加机器人。";
        lark_3: "Copy App ID and App Secret from Credentials & Basic Info.", "在“凭证与基础信息”中复制 App ID 和 App Secret。";
        lark_4: "Save here, then Check: it names every permission that is missing, with the page that grants it. Set the range to all members if everybody is to be reached.",
            "在此保存后点击“检查”：会逐一列出缺少的权限及开通位置。若需送达所有人，请将可用范围设为全部成员。";
        lark_5: "Publish a version of the app and have it approved.", "发布应用版本并通过审核。";
        dingtalk_1: "Open the developer console (open-dev.dingtalk.com) and create an internal app.", "打开钉钉开发者后台（open-dev.dingtalk.com），创建企业内部应用。";
        dingtalk_2: "Add the robot ability and publish it; its RobotCode shows then.", "添加机器人能力并发布，随后可看到 RobotCode。";
        dingtalk_3: "Copy Client ID (AppKey) and Client Secret from Credentials & Basic Info.", "在“凭证与基础信息”中复制 Client ID（AppKey）和 Client Secret。";
        dingtalk_4: "Save here, then Check: it names every permission that is missing.", "在此保存后点击“检查”：会逐一列出缺少的权限。";
        wecom_1: "Open the admin console (work.weixin.qq.com) and create a self-built app.", "打开企业微信管理后台（work.weixin.qq.com），创建自建应用。";
        wecom_2: "Copy AgentId and Secret from the app's page, and the Corp ID from My Company.", "在应用页面复制 AgentId 和 Secret，在“我的企业”中复制企业 ID。";
        wecom_3: "On the app's page, add this server's public address to the trusted IPs.", "在应用页面将本服务器的公网 IP 加入“企业可信 IP”。";
        wecom_4: "Set the visible range to those who are to be reached, then save here.", "将可见范围设为需要送达的人员，然后在此保存。";
    }
}
