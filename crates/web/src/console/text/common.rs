//! What stands on many pages.

texts! {
    /// Words of every page.
    Common {
        copy: "Copy", "复制";
        copied: "Copied", "已复制";
        save: "Save", "保存";
        cancel: "Cancel", "取消";
        optional: "optional", "选填";
        search: "Search", "搜索";
        previous: "Newest", "回到最新";
        first: "First page", "首页";
        next: "Next page", "下一页";
        created: "Created.", "已创建。";
        saved: "Saved.", "已保存。";
        deleted: "Deleted for good.", "已永久删除。";
        published: "Published. What became of it shows below.", "已发布，投递结果见下方。";
        resent: "Waiting to be sent again.", "已重新排队等待发送。";
        cancelled: "Cancelled.", "已取消。";
        resumed: "What waits is tried at once.", "等待中的投递将立即重试。";
        delete: "Delete", "删除";
        name: "Name", "名称";
        created_at: "Created", "创建时间";
        state: "State", "状态";
    }
}

texts! {
    /// The frame.
    Nav {
        tagline: "Notifications", "消息通知";
        menu: "Menu", "菜单";
        skip: "Skip to content", "跳到正文";
        overview: "Overview", "总览";
        topics: "Topics", "主题";
        messages: "Messages", "消息";
        endpoints: "Addresses", "地址";
        publish: "Publish", "发布";
        users: "Subscription users", "订阅用户";
        templates: "Templates", "消息模板";
        settings: "System settings", "系统设置";
        office: "Office collaboration", "办公协同";
        access: "Keys and accounts", "密钥与帐号";
        audit: "Audit log", "审计日志";
        about: "About", "关于";
        language: "Language", "语言";
        theme: "Theme", "外观";
        theme_auto: "As the system", "跟随系统";
        theme_light: "Light", "浅色";
        theme_dark: "Dark", "深色";
        sign_out: "Sign out", "退出登录";
        zone: "Times in", "时间按";
    }
}

texts! {
    /// Refusals.
    ProblemText {
        home: "Back to the overview", "返回总览";
        request: "Request", "请求编号";
        not_found_title: "Not found", "未找到";
        not_found: "There is no such page. It may have been deleted.", "没有这个页面，它可能已被删除。";
        forged_title: "Please try once more", "请重试一次";
        forged: "The form had grown old, or did not come from this console. Nothing was changed. Go back, reload the page and send it again.",
            "表单已过期，或不是来自本控制台。未做任何更改。请返回、刷新页面后重新提交。";
        refused_title: "That did not work", "操作未完成";
        unavailable_title: "Not available at present", "暂时不可用";
        too_large: "What was sent is larger than 2 MiB.", "提交的内容超过 2 MiB。";
        broken: "The form did not arrive whole.", "表单没有完整送达。";
    }
}

texts! {
    /// Signing in.
    SignIn {
        title: "Sign in", "登录";
        name: "Account", "帐号";
        password: "Password", "密码";
        submit: "Sign in", "登录";
        wrong: "The account or the password is wrong.", "帐号或密码不正确。";
        locked: "Locked for 5 minutes after too many failures.", "失败次数过多，已锁定 5 分钟。";
        ended: "Your session has ended. Please sign in again.", "会话已结束，请重新登录。";
        first_title: "First time here?", "第一次使用？";
        first_1: "The first start made an account with a random password and wrote both to", "首次启动时生成了一个带随机密码的帐号，写在服务器数据目录的";
        first_2: "in the server's data directory, which only its operator can read. The account is", "中，只有运维人员可以读取。帐号为";
        first_3: ".", "。";
    }
}

texts! {
    /// States.
    StateText {
        pending: "Waiting", "等待中";
        sending: "Sending", "发送中";
        delivered: "Delivered", "已送达";
        failed: "Failed", "失败";
        expired: "Expired", "已过期";
        cancelled: "Cancelled", "已取消";
        unconfirmed: "Not confirmed yet", "待确认";
        confirmed: "Confirmed", "已确认";
        active: "Active", "生效中";
        ended: "Ended by its owner", "接收方已退订";
        working: "Working", "正常";
        failing: "Failing", "连续失败";
        limited: "Limited", "平台限流";
        open: "Probing only", "仅试探";
        paused: "Paused", "已暂停";
    }
}

texts! {
    /// Channels.
    ChannelText {
        dingtalk: "DingTalk robot", "钉钉群机器人";
        dingtalk_person: "DingTalk internal robot", "钉钉企业内部机器人";
        lark: "Lark / Feishu robot", "飞书群机器人";
        wecom: "WeCom robot", "企业微信群机器人";
        email: "E-mail", "电子邮件";
    }
}

texts! {
    /// What attempts come back as.
    OutcomeText {
        accepted: "Accepted", "平台已接收";
        refused: "Refused", "平台拒绝";
        misconfigured: "Needs your action", "需要处理";
        later: "Try later", "稍后重试";
        unknown: "Outcome unknown", "结果未知";
    }
}
