//! What is asked before small things are deleted; larger ones have their words with their pages.

texts! {
    /// Questions, and what goes.
    SureText {
        tag_title: "Take off the tag {}?", "移除标签 {}？";
        tag_goes: "The tag; whoever looks for topics by it does not find this one any more", "该标签；按此标签查找将不再找到该主题";
        tag_button: "Take off", "移除";
        tank_title: "Delete the log tank {}?", "删除日志转储 {}？";
        of_topic: "Of the topic {}", "主题：{}";
        tank_goes: "What becomes of this topic's messages is no longer written under this group and stream", "该主题的投递结果不再写入此日志组和日志流";
        tank_stays: "Lines that were written stay in the delivery log.", "已写入的日志保留不变。";
        filter_title: "Delete the filter policy of {}?", "删除 {} 的过滤策略？";
        filter_goes: "These rules; from then on every message of the topic goes there", "以上规则；此后该主题的所有消息都会发送到此";
        policy_title: "Delete the access policy of the topic {}?", "删除主题 {} 的访问策略？";
        policy_goes: "What it allows others; from then on only this project publishes and subscribes", "其中对外的授权；此后仅本项目可以发布和订阅";
        events_title: "Believe no change events of {} any more?", "不再接收 {} 的变更事件？";
        events_goes: "The token and the key that prove them, erased for good", "用于校验的令牌与密钥，永久清除";
        events_stays: "The directory changes by updates, as before.", "通讯录仍可通过更新保持同步。";
        way_title: "Remove an address of {}?", "移除 {} 的联系地址？";
        way_goes: "The address with its secrets, erased for good", "该地址及其密钥，永久清除";
        user_goes: "These addresses with their secrets, erased for good", "以上地址及其密钥，永久清除";
        user_stays: "Subscriptions that were made from the user stay as they are.", "由该用户创建的订阅保持不变。";
        user_type: "Type the user's name to confirm", "输入用户名称以确认";
        user_wrong: "That is not the user's name.", "与用户名称不一致。";
        template_title: "Delete the template {}?", "删除模板 {}？";
        template_goes: "Its text; a publish that names it is refused from then on", "模板内容；此后引用它的发布会被拒绝";
        template_stays: "What was published stays.", "已发布的消息不受影响。";
        subscription_title: "Delete the subscription {}?", "删除订阅 {}？";
        group_goes: "The group; subscriptions that name it reach nobody", "该人员组；引用它的订阅将无法送达";
        group_stays: "Its people stay.", "成员不受影响。";
    }
}
