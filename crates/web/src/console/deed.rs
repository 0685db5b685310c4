//! What people did, as the audit log tells it. The list is closed: a new deed must get its words here.

use carillon_model::audit::Deed;
use carillon_model::role::Role;

use super::access::role_text;
use super::show::filled;
use super::text::Lang;
use super::words;
use crate::smn::protocol;

/// A deed in words.
pub(super) fn deed(deed: Deed, lang: Lang) -> &'static str {
    let (english, chinese) = words(deed);
    match lang {
        Lang::English => english,
        Lang::Chinese => chinese,
    }
}

fn words(deed: Deed) -> (&'static str, &'static str) {
    match deed {
        Deed::TopicCreate => ("Created a topic", "创建主题"),
        Deed::TopicUpdate => ("Renamed a topic", "修改主题显示名"),
        Deed::TopicDelete => ("Deleted a topic", "删除主题"),
        Deed::TopicAttribute => ("Changed a topic's attribute", "修改主题属性"),
        Deed::TopicTag => ("Changed a topic's tags", "修改主题标签"),
        Deed::TopicSuppression => ("Chose when equal messages are left out", "修改相同消息抑制时间"),
        Deed::SubscriptionCreate => ("Subscribed an address", "添加订阅"),
        Deed::SubscriptionUpdate => ("Changed a remark", "修改订阅备注"),
        Deed::SubscriptionDelete => ("Deleted a subscription", "删除订阅"),
        Deed::SubscriptionFilter => ("Changed filter policies", "修改过滤策略"),
        Deed::SubscriptionFallback => ("Chose who is told of a pause", "修改暂停通知对象"),
        Deed::SubscriptionOverflow => ("Chose what happens when too much waits", "修改积压处理方式"),
        Deed::LogtankCreate => ("Created a log tank", "创建日志配置"),
        Deed::LogtankUpdate => ("Changed a log tank", "修改日志配置"),
        Deed::LogtankDelete => ("Deleted a log tank", "删除日志配置"),
        Deed::UserCreate => ("Created a subscription user", "创建订阅用户"),
        Deed::UserUpdate => ("Changed a subscription user", "修改订阅用户"),
        Deed::UserDelete => ("Deleted a subscription user", "删除订阅用户"),
        Deed::EndpointResume => ("Resumed an address", "恢复地址发送"),
        Deed::TemplateCreate => ("Created a template", "创建消息模板"),
        Deed::TemplateUpdate => ("Changed a template", "修改消息模板"),
        Deed::TemplateDelete => ("Deleted a template", "删除消息模板"),
        Deed::DeliveryResend => ("Resent deliveries", "重发投递"),
        Deed::DeliveryCancel => ("Cancelled deliveries", "取消投递"),
        Deed::DeliveryRecall => ("Recalled what was sent", "撤回已发送的消息"),
        Deed::ConnectionCreate => ("Connected an office app", "接入办公应用"),
        Deed::ConnectionUpdate => ("Changed a connection", "修改办公应用连接"),
        Deed::ConnectionCallback => ("Set what proves change events", "设置事件回调密钥"),
        Deed::ChatUpdate => ("Changed a chat", "修改群聊信息"),
        Deed::ConnectionDelete => ("Deleted a connection", "删除办公应用连接"),
        Deed::CallsLimit => ("Set a limit of calls per month", "设置每月调用限额"),
        Deed::DirectoryUpdate => ("Updated a directory", "更新通讯录"),
        Deed::DirectoryConfirm => ("Confirmed an update", "确认通讯录更新"),
        Deed::DirectoryCancel => ("Cancelled an update", "取消通讯录更新"),
        Deed::DirectoryMissed => ("Found people gone who are still named", "发现仍被引用的人员已离开"),
        Deed::GroupUpdate => ("Changed a group of people", "修改人员组"),
        Deed::GroupDelete => ("Deleted a group of people", "删除人员组"),
        Deed::ContactBind => ("Bound contacts to members", "绑定成员联系方式"),
        Deed::MemberMerge => ("Merged a member into another", "合并成员"),
        Deed::MemberUnmerge => ("Took a merge of members back", "撤销成员合并"),
        Deed::MasterKeyRotate => ("Rotated the master key", "轮换主密钥"),
        Deed::MasterKeyRetire => ("Retired old master keys", "移除旧主密钥"),
        Deed::ProjectCreate => ("Created a project", "创建项目"),
        Deed::ProjectDelete => ("Deleted a project", "删除项目"),
        Deed::AccountCreate => ("Added an account", "添加帐号"),
        Deed::AccountRole => ("Changed a role", "修改角色"),
        Deed::AccountPassword => ("Changed a password", "修改密码"),
        Deed::AccountDelete => ("Removed an account", "移除帐号"),
        Deed::AccountSignIn => ("Signed in", "登录"),
        Deed::KeyCreate => ("Created an access key", "创建访问密钥"),
        Deed::KeyDelete => ("Revoked an access key", "吊销访问密钥"),
        Deed::TokenCreate => ("Created a token", "创建令牌"),
        Deed::TokenDelete => ("Revoked a token", "吊销令牌"),
    }
}

/// What the log tells beside a deed, in words. What is in no form that we know stands as it was written.
pub(super) fn detail(deed: Deed, text: &str, lang: Lang) -> String {
    let told = match text.split_once(' ') {
        Some((protocol, address)) if deed == Deed::SubscriptionCreate => {
            Some(format!("{} · {address}", channel(protocol, lang)))
        }
        _ if deed == Deed::TemplateCreate => {
            text.split_once(" for ").map(|(name, protocol)| match protocol {
                "default" => name.to_owned(),
                protocol => format!("{name} · {}", channel(protocol, lang)),
            })
        }
        _ if [Deed::UserCreate, Deed::UserUpdate].contains(&deed) => {
            let channels: Vec<String> = text.split(' ').map(|name| channel(name, lang)).collect();
            Some(channels.join(", "))
        }
        _ if deed == Deed::TopicAttribute => Some(attribute(text, lang).to_owned()),
        _ if [Deed::AccountCreate, Deed::AccountRole].contains(&deed) => Some(granted(text, lang)),
        _ if [Deed::KeyCreate, Deed::TokenCreate].contains(&deed) => wished(text, lang),
        _ if deed == Deed::DirectoryMissed => missed(text, lang),
        _ => None,
    };
    told.unwrap_or_else(|| text.to_owned())
}

/// For whom a key or token was made, and with which role of its own.
fn wished(text: &str, lang: Lang) -> Option<String> {
    let wished = text.strip_prefix("for ")?;
    let (name, role) = wished.split_once(", ").unwrap_or((wished, ""));
    let whose = lang.texts().audit.for_whom.replacen("{}", name, 1);
    Some(if role.is_empty() { whose } else { format!("{whose} · {}", granted(role, lang)) })
}

/// How many are gone and still named, and how many were told.
fn missed(text: &str, lang: Lang) -> Option<String> {
    let (gone, notices) = text.strip_suffix(" notices")?.split_once(" gone that are still named, ")?;
    let t = &lang.texts().audit;
    Some(format!("{} · {}", filled(t.missed, gone), filled(t.notices, notices)))
}

/// A channel by SMN's name of it.
fn channel(name: &str, lang: Lang) -> String {
    protocol::channel(name)
        .map_or_else(|_unknown| name.to_owned(), |channel| words::channel(channel, lang).to_owned())
}

fn attribute(name: &str, lang: Lang) -> &str {
    let t = lang.texts();
    match name {
        "access_policy" => t.topic.policy,
        "introduction" => t.topic.introduction,
        "all" => t.audit.all_attributes,
        name => name,
    }
}

/// A role, with the topics of a publisher.
fn granted(text: &str, lang: Lang) -> String {
    let (role, topics) = text.split_once(" of ").unwrap_or((text, ""));
    let Some(role) = Role::from_name(role) else { return text.to_owned() };
    let role = role_text(role, lang);
    if topics.is_empty() { role.to_owned() } else { format!("{role} · {}", topics.replace(',', ", ")) }
}

#[cfg(test)]
mod tests {
    use carillon_model::audit::Deed;

    use super::detail;
    use crate::console::text::Lang;

    #[test]
    fn details_are_told_in_both_languages() {
        for (deed, text, english, chinese) in [
            (
                Deed::SubscriptionCreate,
                "feishu https://x/****",
                "Lark / Feishu robot · https://x/****",
                "飞书群机器人 · https://x/****",
            ),
            (Deed::TopicAttribute, "access_policy", "Access policy", "访问策略"),
            (Deed::AccountRole, "publisher of ops,web-*", "Publisher · ops, web-*", "发布者 · ops, web-*"),
            (Deed::KeyCreate, "for admin, reader", "for admin · Reader", "帐号 admin · 只读"),
            (Deed::TemplateCreate, "disk for wechat", "disk · WeCom robot", "disk · 企业微信群机器人"),
            (Deed::AccountSignIn, "local", "local", "local"),
            (
                Deed::DirectoryMissed,
                "1 gone that are still named, 0 notices",
                "1 gone that is still named · 0 notices",
                "1 项已不存在但仍被引用 · 0 条通知",
            ),
        ] {
            assert_eq!(detail(deed, text, Lang::English), english);
            assert_eq!(detail(deed, text, Lang::Chinese), chinese);
        }
    }
}
