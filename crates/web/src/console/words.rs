//! Words for the things of the model, in both languages. Every list is closed: a new member must get its words here.

use axum::http::StatusCode;
use carillon_model::delivery::DeliveryState;
use carillon_model::health::Standing;
use carillon_model::subscription::SubscriptionState;
use carillon_model::{Channel, Field};
use carillon_service::{Error, Unauthenticated};

use super::text::Lang;

/// A state of a delivery.
pub(crate) fn state(state: DeliveryState, lang: Lang) -> &'static str {
    let t = &lang.texts().state;
    match state {
        DeliveryState::Pending => t.pending,
        DeliveryState::Sending => t.sending,
        DeliveryState::Delivered => t.delivered,
        DeliveryState::Failed => t.failed,
        DeliveryState::Expired => t.expired,
        DeliveryState::Cancelled => t.cancelled,
    }
}

/// A state of a subscription: how it looks, and its words.
pub(crate) fn standing(state: SubscriptionState, lang: Lang) -> (&'static str, &'static str) {
    let t = &lang.texts().state;
    match state {
        SubscriptionState::Unconfirmed => ("warn", t.unconfirmed),
        SubscriptionState::Confirmed => ("ok", t.confirmed),
        SubscriptionState::Unneeded => ("ok", t.active),
        SubscriptionState::Cancelled => ("off", t.ended),
    }
}

/// How an endpoint stands: how it looks, and its words.
pub(crate) fn wellness(standing: Option<Standing>, lang: Lang) -> (&'static str, &'static str) {
    let t = &lang.texts().state;
    match standing {
        None => ("ok", t.working),
        Some(Standing::Failing) => ("warn", t.failing),
        Some(Standing::Limited) => ("warn", t.limited),
        Some(Standing::Open) => ("bad", t.open),
        Some(Standing::Paused) => ("bad", t.paused),
    }
}

/// A channel.
pub(crate) fn channel(channel: Channel, lang: Lang) -> &'static str {
    let t = &lang.texts().channel;
    match channel {
        Channel::Dingtalk => t.dingtalk,
        Channel::DingtalkPerson => t.dingtalk_person,
        Channel::Lark => t.lark,
        Channel::Wecom => t.wecom,
        Channel::Http => "HTTP",
        Channel::Https => "HTTPS",
        Channel::Office => match lang {
            Lang::English => "Office app",
            Lang::Chinese => "办公应用",
        },
        Channel::Email => t.email,
    }
}

/// A channel's mark in the sheet of drawings.
pub(crate) fn mark(channel: Channel) -> &'static str {
    match channel {
        Channel::Dingtalk | Channel::DingtalkPerson => "dingtalk",
        Channel::Lark => "lark",
        Channel::Wecom => "wecom",
        Channel::Http | Channel::Https => "web",
        Channel::Office => "office",
        Channel::Email => "email",
    }
}

/// What an attempt came back as.
pub(crate) fn outcome(name: &str, lang: Lang) -> &'static str {
    let t = &lang.texts().outcome;
    match name {
        "accepted" => t.accepted,
        "refused" => t.refused,
        "misconfigured" => t.misconfigured,
        "later" => t.later,
        _ => t.unknown,
    }
}

/// The status of a page that shows a refusal.
pub(crate) fn status(error: &Error) -> StatusCode {
    match error {
        Error::Invalid(_)
        | Error::WrongToken
        | Error::WrongLink
        | Error::PrivateEndpoint
        | Error::PlatformRefuses { .. }
        | Error::NobodyReached(_)
        | Error::SensitiveWords
        | Error::IdempotencyConflict => StatusCode::BAD_REQUEST,
        Error::Unauthenticated(_) => StatusCode::UNAUTHORIZED,
        Error::NoPermission
        | Error::PolicyRefuses(_)
        | Error::RoleForbids { .. }
        | Error::NotOperator
        | Error::AccountShared
        | Error::WrongPassword => StatusCode::FORBIDDEN,
        Error::ProjectNotFound
        | Error::TopicNotFound
        | Error::SubscriptionNotFound
        | Error::SubscriptionUserNotFound
        | Error::LogtankNotFound
        | Error::MessageNotFound
        | Error::DeliveryNotFound
        | Error::EndpointNotFound
        | Error::TemplateNotFound
        | Error::DefaultTemplateNotFound
        | Error::AttributeNotFound
        | Error::TagNotFound
        | Error::CertificateNotFound
        | Error::ConnectionNotFound
        | Error::RunNotFound
        | Error::GroupNotFound
        | Error::DetectionNotFound
        | Error::AccountNotFound
        | Error::KeyNotFound
        | Error::TokenNotFound => StatusCode::NOT_FOUND,
        Error::DeliveryStands { .. }
        | Error::DeliveryNoTarget
        | Error::TemplateExists
        | Error::TemplatesFull
        | Error::TagsFull
        | Error::TopicsFull
        | Error::ConnectionExists
        | Error::ConnectionsFull
        | Error::RunStands(_)
        | Error::SubscriptionsFull
        | Error::SubscriptionUsersFull
        | Error::LogtanksFull
        | Error::NoNewKey
        | Error::KeysInUse(_)
        | Error::KeyFile(_)
        | Error::AccountExists
        | Error::AccountsFull
        | Error::LastAdministrator
        | Error::KeysFull
        | Error::AttachmentsFull
        | Error::TokensFull
        | Error::ProjectExists
        | Error::ProjectsFull
        | Error::ProjectInUse => StatusCode::CONFLICT,
        Error::TooFast { .. } | Error::Throttled => StatusCode::TOO_MANY_REQUESTS,
        Error::NoDeliveryLog => StatusCode::NOT_IMPLEMENTED,
        Error::Unavailable(_) | Error::Unpurged(_) => StatusCode::SERVICE_UNAVAILABLE,
        Error::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// A refusal as a sentence.
pub(crate) fn refusal(error: &Error, lang: Lang) -> String {
    match (error, lang) {
        (Error::Invalid(invalid), lang) => rule(invalid.field, &invalid.rule, lang),
        // The API speaks of tokens and headers; a person has a name and a password.
        (Error::Unauthenticated(why), lang) => {
            let t = &lang.texts().sign_in;
            match why {
                Unauthenticated::Locked => t.locked.to_owned(),
                Unauthenticated::WrongPassword => t.wrong.to_owned(),
                Unauthenticated::Missing
                | Unauthenticated::Malformed
                | Unauthenticated::UnknownKey
                | Unauthenticated::WrongSignature
                | Unauthenticated::Skewed
                | Unauthenticated::UnknownToken => t.ended.to_owned(),
            }
        }
        (error, Lang::English) => sentence(&error.to_string()),
        (Error::PlatformRefuses { zh, .. }, Lang::Chinese) => zh.clone(),
        (error, Lang::Chinese) => chinese(error).to_owned(),
    }
}

/// The service's words begin small and end open, for logs; in a page they are a sentence.
fn sentence(text: &str) -> String {
    let mut signs = text.chars();
    let first = signs.next().map(|sign| sign.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", signs.as_str())
}

fn chinese(error: &Error) -> &'static str {
    match error {
        Error::Invalid(_) => "填写的内容不符合要求。",
        Error::Unauthenticated(_) => "请重新登录。",
        Error::NoPermission => "当前帐号没有这项权限。",
        Error::RoleForbids { .. } => "当前帐号的角色不允许这样做。",
        Error::NotOperator => "只有本系统的运营者可以这样做。",
        Error::AccountShared => "该帐号属于运营者或还属于其他项目，只有运营者可以这样做。",
        Error::WrongPassword => "当前密码不正确。",
        Error::AccountNotFound => "项目中没有该帐号。",
        Error::AccountExists => "同名帐号已存在，请换一个名称。",
        Error::AccountsFull => "项目的帐号已达上限 1000 个。",
        Error::LastAdministrator => "这是项目的最后一位管理员，请先设置另一位。",
        Error::KeyNotFound => "访问密钥不存在。",
        Error::KeysFull => "该帐号在项目中的访问密钥已达上限 20 个。",
        Error::TokenNotFound => "令牌不存在。",
        Error::AttachmentsFull => "项目保存的图片和文件已达上限 2 GiB；每个文件在最后一次推送 7 天后清除。",
        Error::TokensFull => "该帐号在项目中的令牌已达上限 1000 个。",
        Error::ProjectExists => "相同 ID 或名称的项目已存在。",
        Error::ProjectsFull => "项目已达上限 1000 个。",
        Error::ProjectInUse => "项目正在使用：请先删除其中的内容，并在另一个项目中执行删除。",
        Error::ProjectNotFound => "项目不存在。",
        Error::TopicNotFound => "主题不存在。",
        Error::SubscriptionNotFound => "订阅不存在。",
        Error::SubscriptionUserNotFound => "订阅用户不存在。",
        Error::SubscriptionUsersFull => "项目的订阅用户已达上限 1000 个。",
        Error::NoNewKey => "多台服务器可能共用该数据库：请先向密钥文件写入新密钥，并复制到每台服务器。",
        Error::KeysInUse(_) => "仍有内容由旧密钥加密，请先完成密钥轮换。",
        Error::KeyFile(_) => "密钥文件无法读写。",
        Error::NoDeliveryLog => "未启用投递日志：须由运营者设置 --delivery-log。",
        Error::LogtankNotFound => "日志配置不存在。",
        Error::LogtanksFull => "主题的日志配置已达上限 10 个。",
        Error::MessageNotFound => "消息不存在。",
        Error::DeliveryNotFound => "投递不存在。",
        Error::EndpointNotFound => "订阅地址不存在。",
        Error::DeliveryStands { .. } => "投递当前的状态不允许这样做。",
        Error::DeliveryNoTarget => "该投递的订阅已删除，无法重发；请重新订阅并再次发布。",
        Error::SensitiveWords => "消息含有本服务运营者禁止的词语，请删除后再发布。",
        Error::IdempotencyConflict => "24 小时内该幂等键已用于另一条消息，新消息请换一个键。",
        Error::TemplateNotFound => "消息模板不存在。",
        Error::DefaultTemplateNotFound => "该消息模板没有默认版本。",
        Error::TemplateExists => "同名同协议的消息模板已存在。",
        Error::TemplatesFull => "项目的消息模板已达上限。",
        Error::AttributeNotFound => "该属性未设置。",
        Error::TagNotFound => "主题没有这个标签。",
        Error::TagsFull => "每个主题最多 20 个标签。",
        Error::PolicyRefuses(_) => "主题的访问策略不允许这样做。",
        Error::TopicsFull => "项目的主题已达上限。",
        Error::SubscriptionsFull => "主题的订阅已达上限。",
        Error::TooFast { .. } => "该主题本分钟内的发布次数已达上限，请稍后再试。",
        Error::Throttled => "最近发出的确认请求或测试消息过多，请稍后再试。",
        Error::WrongToken => "链接无效或已超过 48 小时，请重新订阅。",
        Error::WrongLink => "链接不是为该订阅签发的。",
        Error::CertificateNotFound => "证书不存在。",
        Error::DetectionNotFound => "检测任务不存在。",
        Error::ConnectionNotFound => "办公应用连接不存在。",
        Error::ConnectionExists => "同名的办公应用连接已存在。",
        Error::ConnectionsFull => "项目的办公应用连接已达上限 100 个。",
        Error::PlatformRefuses { .. } => "平台拒绝了该应用的凭证。",
        Error::RunNotFound => "该次通讯录更新不存在。",
        Error::RunStands(_) => "该次通讯录更新当前的状态不允许这样做。",
        Error::GroupNotFound => "人员组不存在。",
        Error::NobodyReached(_) => "没有可以送达的人。",
        Error::PrivateEndpoint => "该地址位于内网，管理员未放行。",
        Error::Unavailable(_) => "服务暂时无法写入数据，本次操作未生效。",
        Error::Unpurged(_) => "已删除，但数据库日志中的痕迹尚未清除完毕，请稍后再试。",
        Error::Internal(_) => "服务内部错误。",
    }
}

/// What is right in a field. English has the rule itself; Chinese has one sentence for each field that pages have.
pub(crate) fn rule(field: Field, rule: &str, lang: Lang) -> String {
    if lang == Lang::English {
        return sentence(rule);
    }
    let text = match field.name() {
        "name" => "名称须为 1 到 255 个字母、数字、- 或 _，并以字母或数字开头。",
        "display_name" => "显示名最长 192 字节，不能含控制字符。",
        "endpoint" => "地址不正确：请粘贴所选平台给出的完整地址。",
        "extension" => "附加信息不正确：请核对密钥、关键词、应用凭证或请求头。",
        "remark" => "备注最长 128 字节，不能含控制字符。",
        "subject" => "标题最长 512 字节，不能含控制字符。",
        "message" => "消息不能为空，最长 256 KB。",
        "time_to_live" => "有效期须为 1 到 86400 秒。",
        "message_template_name" => "模板名称须为 1 到 64 个字母、数字、- 或 _，并以字母或数字开头。",
        "content" => "模板内容不能为空；占位符写作 {名称}，最长 21 个字符。",
        "placeholders" | "tags" => "请填写模板中的每个占位符。",
        "attribute_value" => "内容不符合要求：简介最长 120 字节；访问策略须为有效的 JSON。",
        name if name.starts_with("access_policy") => "访问策略须为有效的策略 JSON。",
        "filter_policies" => "过滤策略不正确：每条一个名称，1 到 10 个值，长度各不超过 32 个字符。",
        "password" => "密码须为 12 到 256 字节。",
        "account" => "帐号名须为 1 到 64 个字母、数字或 - _ . @。",
        "role" => "角色须为管理员、发布者或只读。",
        "topics" => "发布者须至少有一个主题名称或模式（* 代表任意字符），最多 50 个；其他角色不填。",
        "note" => "备注须为一行，最长 128 字节。",
        "expires_in" => "有效期须为 1 秒到 10 年，或永久有效。",
        "app_id" => "请从应用页面复制完整的应用 ID（AppKey）。",
        "app_secret" => "请从应用页面复制完整的应用密钥。",
        "corp_id" => "请从“我的企业”页面复制企业 ID。",
        "agent_id" => "AgentId 须为数字，见应用页面。",
        "robot_code" => "请从机器人页面复制 RobotCode。",
        "platform" => "请选择平台。",
        _ => "填写的内容不符合要求。",
    };
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use carillon_model::{Channel, Field};

    use super::{channel, rule, sentence};
    use crate::console::text::Lang;

    #[test]
    fn rules_become_sentences() {
        assert_eq!(sentence("must not be empty"), "Must not be empty.");
        assert_eq!(rule(Field::Endpoint, "must not be empty", Lang::English), "Must not be empty.");
        assert!(rule(Field::Endpoint, "must not be empty", Lang::Chinese).starts_with("地址不正确"));
    }

    #[test]
    fn channels_have_words_in_both_languages() {
        for it in Channel::ALL {
            for lang in [Lang::English, Lang::Chinese] {
                assert!(!channel(it, lang).is_empty());
            }
        }
    }
}
