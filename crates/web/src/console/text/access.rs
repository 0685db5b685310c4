//! Who has access, who changed what, and about the installation.

texts! {
    /// Accounts, access keys, tokens, passwords.
    AccessText {
        title: "Keys and accounts", "密钥与帐号";
        accounts: "Accounts", "帐号";
        keys: "Access keys", "访问密钥";
        tokens: "Tokens", "令牌";
        own_password: "Your password", "我的密码";
        accounts_lead: "People and programs that may sign in to this project, and what each may do.",
            "可以登录本项目的人员与程序，以及各自的权限。";
        keys_lead: "A key pair signs the requests of an SDK. It has the rights of its account, or fewer.",
            "密钥对用于 SDK 请求签名，权限与所属帐号相同或更小。";
        tokens_lead: "A token goes along with each request of a program or the command line.",
            "令牌随程序或命令行的每个请求一起发送。";
        account: "Account", "帐号";
        account_id: "Account id", "帐号编号";
        account_new: "Add account", "添加帐号";
        account_new_lead: "It may sign in to the console, and be given keys and tokens.", "可登录控制台，也可为其创建密钥和令牌。";
        account_add: "Add account", "添加帐号";
        exists: "There is an account of that name already.", "同名帐号已存在，请换一个名称。";
        name_hint: "Letters, digits and - _ . @; it cannot be changed later.", "字母、数字与 - _ . @；创建后不能修改。";
        you: "you", "我";
        operator: "operator", "运营者";
        role: "Role", "角色";
        role_title: "What it may do", "权限";
        role_lead: "Its keys and tokens follow at once.", "其密钥和令牌立即随之改变。";
        narrower: "What it may do", "权限";
        as_account: "As the account", "与帐号相同";
        as_account_hint: "And always what the account may at that moment.", "始终随帐号当前的权限。";
        administrator: "Administrator", "管理员";
        administrator_hint: "Everything in the project, access too.", "项目内的一切，包括授权。";
        publisher: "Publisher", "发布者";
        publisher_hint: "Publishes to topics that you name, and sees what became of it.", "向指定主题发布消息，并查看其结果。";
        reader: "Reader", "只读";
        reader_hint: "Sees everything, changes nothing.", "可查看一切，不能更改。";
        topics: "Topics", "主题";
        all_topics: "All", "全部";
        topics_hint: "Names, or patterns with * for any signs: one a line, at most 50.", "主题名称，或用 * 代表任意字符的模式；每行一个，最多 50 个。";
        since: "Since", "加入时间";
        password_hint: "12 to 256 bytes; long is better than odd.", "12 到 256 字节，长度比花样更重要。";
        password_operator: "Leave it empty to add an account that is there already.", "留空则添加一个已有的帐号。";
        password_other: "Another password", "重设密码";
        password_new: "New password", "新密码";
        password_present: "Present password", "当前密码";
        password_repeated: "New password once more", "再次输入新密码";
        repeated_wrong: "The two are not the same.", "两次输入不一致。";
        password_change: "Change password", "修改密码";
        password_ends: "All that is signed in with the old one ends: every session of the console, and tokens made by signing in.",
            "用旧密码登录的一切随即失效：控制台的所有会话，以及登录得到的令牌。";
        password_done: "The password was changed. What was signed in with the old one has ended.", "密码已修改，用旧密码登录的会话均已失效。";
        password_again: "Your password was changed. Please sign in with the new one.", "密码已修改，请用新密码登录。";
        remove: "Remove this account", "移除该帐号";
        remove_text: "It leaves the project with its keys and tokens, at once.", "帐号连同其密钥和令牌立即离开本项目。";
        delete_title: "Remove the account {}?", "移除帐号 {}？";
        delete_keys: "{} [access key; what it signs|access keys; what they sign] is refused at once", "{} 个访问密钥，其签名立即失效";
        delete_tokens: "{} [token|tokens], at once", "{} 个令牌，立即失效";
        delete_sessions: "Its sessions of the console", "其控制台会话";
        delete_stays: "What it published and its lines in the audit log stay.", "其发布的消息和审计记录会保留。";
        delete_type: "Type the account's name to confirm", "输入帐号名称以确认";
        delete_wrong: "That is not the account's name.", "与帐号名称不一致。";
        delete_button: "Remove from the project", "从项目中移除";
        account_hint: "What it may do follows the account.", "权限随所选帐号。";
        note: "Note", "备注";
        note_hint: "What tells it from others, for example where it is used.", "用于区分，例如用在何处。";
        no_note: "Without a note", "无备注";
        of_all: "Show those of all accounts", "显示所有帐号的";
        key: "Access key", "访问密钥 ID";
        secret: "Secret", "密钥";
        key_new: "New access key", "新建访问密钥";
        key_new_lead: "For SDKs that sign their requests. Its secret is shown once.", "用于对请求签名的 SDK，密钥只显示一次。";
        key_create: "Create access key", "创建访问密钥";
        key_made: "The access key is ready", "访问密钥已创建";
        key_usage: "Give both to the SDK as access key and secret key, with the project id and the address of this server.",
            "将两者作为 AK 和 SK 填入 SDK，并填写项目编号与本服务地址。";
        keys_empty_title: "No access keys", "还没有访问密钥";
        keys_empty: "Programs with an SDK of SMN sign their requests with one.", "使用 SMN SDK 的程序用它对请求签名。";
        token: "Token", "令牌";
        token_id: "Token id", "令牌编号";
        token_new: "New token", "新建令牌";
        token_new_lead: "For programs, the command line and scripts. It is shown once.", "用于程序、命令行和脚本，只显示一次。";
        token_create: "Create token", "创建令牌";
        token_made: "The token is ready", "令牌已创建";
        token_usage: "Send it in the header X-Auth-Token, or give it to the command line as CARILLON_TOKEN.",
            "放在请求头 X-Auth-Token 中，或作为命令行的 CARILLON_TOKEN。";
        tokens_empty_title: "No tokens", "还没有令牌";
        tokens_empty: "A token lets a program or the command line in, until its end.", "令牌供程序或命令行在有效期内使用。";
        signed_in: "Made by signing in", "由登录得到";
        ends: "Ends", "有效期至";
        ends_hint: "Renew it before; one that leaked ends by itself some day.", "到期前更换；泄露的令牌总会失效。";
        never: "Never", "永久有效";
        days_1: "In 1 day", "1 天后";
        days_30: "In 30 days", "30 天后";
        days_90: "In 90 days", "90 天后";
        days_365: "In a year", "1 年后";
        revoke: "Revoke", "吊销";
        revoke_now: "Revoke now", "立即吊销";
        revoke_key: "Revoke the key {}?", "吊销密钥 {}？";
        revoke_key_goes: "Requests that it signs are refused at once. It cannot be brought back.", "用它签名的请求立即被拒绝，且无法恢复。";
        revoke_token: "Revoke the token {}?", "吊销令牌 {}？";
        revoke_token_goes: "Requests with it are refused at once. It cannot be brought back.", "使用它的请求立即被拒绝，且无法恢复。";
        revoked: "Revoked. It is refused from now on.", "已吊销，即刻起不再有效。";
        once_title: "Copy it now", "请立即复制";
        once: "The secret is shown this once and is stored sealed or as a hash: nobody can look it up again.",
            "密钥只显示这一次，之后仅以加密或哈希形式保存，任何人都无法再次查看。";
        once_done: "I have copied it", "我已复制";
    }
}

texts! {
    /// The audit log.
    AuditText {
        title: "Audit log", "审计日志";
        lead: "Who changed what, newest first. Publishing is not in it: each message says who published it.",
            "谁更改了什么，最新的在前。发布不在其中：每条消息自带发布者。";
        who: "Who", "帐号";
        did: "What", "操作";
        on: "On", "对象";
        at: "When", "时间";
        any_deed: "Everything that was done", "全部操作";
        account: "Account", "帐号";
        exact: "Id, name or URN", "编号、名称或 URN";
        filter: "Filter", "筛选";
        clear: "Clear", "清除";
        empty_title: "Nothing was changed yet", "还没有更改记录";
        empty: "Every change that somebody makes is written down here, with its change or not at all.",
            "每次更改都会与更改本身一同记录在这里。";
        none: "No line fits the filter.", "没有符合条件的记录。";
        console: "in the console", "控制台";
        by_itself: "by itself", "自动";
        missed: "{} gone [that is|that are] still named", "{} 项已不存在但仍被引用";
        notices: "{} [notice|notices]", "{} 条通知";
        by_key: "with key {}", "访问密钥 {}";
        by_token: "with token {}", "令牌 {}";
        for_whom: "for {}", "帐号 {}";
        all_attributes: "All attributes", "全部属性";
    }
}

texts! {
    /// About the installation.
    About {
        quotas: "Limits of this project", "本项目的配额";
        quotas_lead: "The operator sets them when the server starts.", "由运维人员在启动服务时设置。";
        quota_topics: "Topics", "主题";
        quota_templates: "Templates", "消息模板";
        quota_users: "Subscription users", "订阅用户";
        quota_subscriptions: "Subscriptions of one topic", "每个主题的订阅";
        quota_publishes: "Messages a minute to one topic", "每个主题每分钟的消息";
        quota_none: "no limit", "不限";
        title: "About", "关于";
        version: "Version", "版本";
        region: "Region", "区域";
        project: "Project", "项目";
        project_id: "Project id", "项目编号";
        account: "Signed in as", "当前帐号";
        store: "Store", "存储";
        store_good: "Writable", "可写入";
        store_bad: "Cannot be written", "无法写入";
        sqlite: "SQLite, one file beside its key", "SQLite 单文件";
        postgres: "PostgreSQL, shared by servers", "PostgreSQL，多台服务器共享";
        schema: "Store version", "存储版本";
        public_url: "Public address", "对外地址";
        api: "API document", "接口文档";
        connect: "Connect", "接入";
        connect_lead: "The address and ids that clients of the API need.", "调用接口所需的地址与编号。";
        installation: "This installation", "本机信息";
        keys: "Master keys", "主密钥";
        keys_lead: "Their ids; the keys themselves are in the key file only.", "仅为编号，密钥本身只在密钥文件中。";
        key_active: "Seals now", "当前使用";
        key_old: "Old", "旧密钥";
        key_sealed: "{} [value|values] sealed", "加密了 {} 项";
        key_rotate: "To rotate:", "轮换：";
        servers: "Servers", "服务器";
        servers_lead: "Those that share the store, and how much of the work each has.", "共享存储的服务器及各自承担的份额。";
        server_seen: "Seen", "最近在线";
        server_share: "{} of 256 shares", "{} / 256 份";
        server_here: "this one", "本机";
        server_leaving: "about to stop", "即将停止";
        server_serves: "Serves", "服务中";
    }
}
