//! Subscription users.

texts! {
    /// People with several ways to be reached.
    UsersText {
        title: "Subscription users", "订阅用户";
        one: "Subscription user", "订阅用户";
        lead: "Somebody with several ways to be reached, kept once and subscribed to topics as a whole.",
            "一个人的多种联系方式集中保存，可整体订阅主题。";
        new: "New user", "新建用户";
        empty_title: "No users yet", "还没有订阅用户";
        empty: "For example everybody on call, each with a chat robot and a mailbox.", "例如每位值班人员，各有一个群机器人和一个邮箱。";
        count: "{} [user|users]", "共 {} 个用户";
        group: "Group", "分组";
        contacts: "Ways to be reached", "联系方式";
        changed: "Changed", "修改时间";
        form_lead: "One address for each channel; at least one.", "每种渠道一个地址，至少填写一个。";
        address: "Address", "地址";
        another: "Another address in its place", "更换为新地址";
        remove: "Remove", "移除";
        privacy: "Addresses and their secrets are encrypted at rest, shown to nobody again, and erased for good with the user. Subscriptions made from it stand on their own.",
            "地址与密钥在存储时加密，之后不再向任何人显示，并随用户永久清除。由其创建的订阅独立存在。";
        subscribe: "Subscribe to a topic", "订阅主题";
        subscribe_lead: "Each way becomes a subscription of its own; mailboxes and web endpoints confirm by a link.",
            "每种联系方式各成为一个订阅；邮箱和 Web 地址需通过链接确认。";
        subscribe_button: "Subscribe", "订阅";
        delete_title: "Delete the user {}?", "删除用户 {}？";
    }
}
