//! What a reason is called in a sentence; what to change is the advice.

use std::borrow::Cow;

use carillon_model::outcome::{Advice, Reason};

use super::Pair;

/// A reason in words that fit into a sentence.
#[must_use]
pub fn reason_words(reason: Reason) -> Advice {
    let (en, zh) = pair(reason);
    Advice { en: Cow::Borrowed(en), zh: Cow::Borrowed(zh) }
}

/// The words with the name that the API and metrics have for it, as they stand in brackets.
#[must_use]
pub fn reason_named(reason: Reason) -> Advice {
    let ((en, zh), name) = (pair(reason), reason.name());
    Advice { en: format!("{en}, {name}").into(), zh: format!("{zh}，{name}").into() }
}

fn pair(reason: Reason) -> Pair {
    match reason {
        Reason::Ok => ("accepted", "已接收"),
        Reason::Keyword => ("keyword missing", "缺少关键词"),
        Reason::Signature => ("wrong signature", "签名错误"),
        Reason::Clock => ("clock off", "时间偏差"),
        Reason::SignatureOrClock => ("wrong signature or clock off", "签名错误或时间偏差"),
        Reason::Address => ("server's address not allowed", "服务器 IP 不在白名单"),
        Reason::Security => ("refused by a security setting", "安全设置不符"),
        Reason::TokenUnknown => ("unknown address", "地址无效"),
        Reason::Credentials => ("wrong credentials", "凭证错误"),
        Reason::Permission => ("permission missing", "缺少权限"),
        Reason::TargetGone => ("group or robot gone", "群或机器人已不存在"),
        Reason::Recipient => ("recipient cannot be reached", "接收人无法送达"),
        Reason::TooLong => ("too long", "消息过长"),
        Reason::Content => ("content refused", "内容未通过检查"),
        Reason::BadRequest => ("not understood", "平台无法识别"),
        Reason::RateLimited => ("too many messages", "发送过于频繁"),
        Reason::Quota => ("monthly quota used up", "月度额度已用完"),
        Reason::Busy => ("busy", "暂时繁忙"),
        Reason::AccessToken => ("access token refused", "访问令牌失效"),
        Reason::Resolve => ("host name not found", "域名无法解析"),
        Reason::Connect => ("no connection", "无法连接"),
        Reason::Forbidden => ("forbidden network", "地址位于受限网络"),
        Reason::Timeout => ("no answer in time", "未及时响应"),
        Reason::Broken => ("connection broke", "连接中断"),
        Reason::Answer => ("unexpected answer", "响应无法识别"),
        Reason::Status => ("HTTP status is no success", "HTTP 状态异常"),
        Reason::PlatformUnsure => ("platform unsure", "平台无法确认"),
        Reason::Interrupted => ("server stopped meanwhile", "服务器中途停止"),
        Reason::Unopened => ("could not be opened", "无法解封"),
        Reason::Render => ("cannot be shown there", "该渠道无法呈现"),
        Reason::Unlisted => ("unlisted code", "未收录的代码"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use carillon_model::outcome::Reason;

    use super::{reason_named, reason_words};

    #[test]
    fn every_reason_has_words_of_its_own_in_both_languages() {
        let words = Reason::ALL.map(reason_words);
        let all: BTreeSet<_> = words.iter().flat_map(|words| [&words.en, &words.zh]).collect();
        assert_eq!(all.len(), 2 * Reason::ALL.len());
        assert!(words.iter().all(|words| words.en.is_ascii() && !words.en.contains('_')));
        assert_eq!(reason_named(Reason::TokenUnknown).en, "unknown address, token_unknown");
    }
}
