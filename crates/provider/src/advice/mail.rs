//! The sentences of advice for mail, where a relay stands between us and the mailbox.

use carillon_model::outcome::Reason;

use super::Pair;

/// What to change after a mail that was not taken; nothing where the words for everybody do.
pub(super) fn mail(reason: Reason) -> Option<Pair> {
    let pair = match reason {
        Reason::Address => ADDRESS,
        Reason::Credentials => CREDENTIALS,
        Reason::Permission => PERMISSION,
        Reason::TargetGone => TARGET_GONE,
        Reason::Recipient => RECIPIENT,
        Reason::TooLong => TOO_LONG,
        Reason::Content => CONTENT,
        Reason::BadRequest => BAD_REQUEST,
        Reason::RateLimited => RATE,
        Reason::Quota => QUOTA,
        Reason::Busy => BUSY,
        Reason::Resolve => RESOLVE,
        Reason::Connect => CONNECT,
        Reason::Timeout => TIMEOUT,
        Reason::Broken => BROKEN,
        Reason::Render => RENDER,
        Reason::Ok
        | Reason::Keyword
        | Reason::Signature
        | Reason::Clock
        | Reason::SignatureOrClock
        | Reason::Security
        | Reason::TokenUnknown
        | Reason::AccessToken
        | Reason::Forbidden
        | Reason::Answer
        | Reason::Status
        | Reason::PlatformUnsure
        | Reason::Interrupted
        | Reason::Unopened
        | Reason::Unlisted => return None,
    };
    Some(pair)
}

const ADDRESS: Pair = (
    "The mail relay does not let this server in. Put this server's address on the relay's list, or use a relay that \
     takes a login (--smtp-url).",
    "邮件中继不接受本服务器的连接。请将本服务器的 IP 加入中继的允许列表，或改用需要登录的中继（--smtp-url）。",
);
const CREDENTIALS: Pair = (
    "The mail relay refused the login, wants one, or offers none over a secure line. Check user and password in \
     --smtp-url; a password is sent over TLS only (smtps:// or smtp+starttls://).",
    "邮件中继拒绝登录、要求登录，或未提供安全的登录方式。请检查 --smtp-url 中的用户名和密码；密码仅通过 TLS 发送\
     （smtps:// 或 smtp+starttls://）。",
);
const PERMISSION: Pair = (
    "The mail relay does not let this sender send there. Check --mail-from, whether the relay may relay for it, and \
     the domain's SPF, DKIM and DMARC records.",
    "邮件中继不允许该发件人向此地址发信。请检查 --mail-from、中继的转发权限，以及发件域名的 SPF、DKIM 和 DMARC 记录。",
);
const TARGET_GONE: Pair = (
    "The mailbox is closed or takes no mail. Ask its owner for another address and subscribe with that.",
    "该邮箱已停用或不接收邮件。请向收件人索取其他地址并重新订阅。",
);
const RECIPIENT: Pair = (
    "There is no such mailbox, or its domain takes no mail. Check the spelling and subscribe with the right address.",
    "邮箱不存在，或其域名不接收邮件。请检查拼写并用正确的地址重新订阅。",
);
const TOO_LONG: Pair = (
    "The mail is larger than the relay or the mailbox takes. Publish a shorter text, or raise the relay's limit.",
    "邮件超过了中继或邮箱的大小限制。请发布更短的文本，或提高中继的限制。",
);
const CONTENT: Pair = (
    "The relay's or the recipient's policy refused the mail, mostly as spam. Read the reply's words, change text or \
     links, and check the sender domain's SPF, DKIM and DMARC records.",
    "中继或收件方的策略拒绝了该邮件，多因被视为垃圾邮件。请查看应答内容，修改文本或链接，并检查发件域名的 SPF、DKIM \
     和 DMARC 记录。",
);
const BAD_REQUEST: Pair = (
    "The relay did not understand the mail or a command. Read the reply's words; another relay or port may be meant.",
    "中继无法识别该邮件或命令。请查看应答内容，可能应使用其他中继或端口。",
);
const RATE: Pair = (
    "The relay or the mailbox wants fewer mails, or sees this sender for the first time (greylisting). It will be \
     tried again; publish less often if it happens often.",
    "中继或邮箱要求降低频率，或首次见到该发件人（灰名单）。系统会自动重试；若经常发生，请降低发布频率。",
);
const QUOTA: Pair = (
    "The mailbox is full. Ask its owner to make room, then send the delivery again.",
    "邮箱已满。请收件人清理邮箱后重新发送。",
);
const BUSY: Pair = (
    "The mail relay is busy or broken for the moment. It will be tried again; look into the relay's log if it happens \
     often.",
    "邮件中继暂时繁忙或出现故障。系统会自动重试；若经常发生，请查看中继的日志。",
);
const RESOLVE: Pair = (
    "The mail relay's name could not be resolved. Check the host in --smtp-url and this server's DNS.",
    "无法解析邮件中继的主机名。请检查 --smtp-url 中的主机和服务器的 DNS 设置。",
);
const CONNECT: Pair = (
    "No connection to the mail relay, or no secure one. Check that --smtp-url is set, its scheme and port, firewalls, \
     and that the relay's certificate is valid and names its host.",
    "无法连接邮件中继，或无法建立安全连接。请检查是否设置了 --smtp-url、其协议和端口、防火墙，以及中继的证书是否有效\
     且与主机名一致。",
);
const TIMEOUT: Pair = (
    "The relay did not confirm in time that it has the mail; it may have arrived. Nothing needs to be changed unless \
     it happens often.",
    "中继未及时确认收到邮件，邮件可能已送达。若不经常发生则无需更改。",
);
const BROKEN: Pair = (
    "The connection broke before the relay confirmed that it has the mail; it may have arrived. A second try carries \
     the same Message-ID.",
    "连接在中继确认收到邮件前中断，邮件可能已送达。重试的邮件带有相同的 Message-ID。",
);
const RENDER: Pair = (
    "No mail can be made of this message or for this address. Subscribe with an address of plain letters and digits.",
    "无法为此消息或此地址生成邮件。请使用由普通字母和数字组成的地址订阅。",
);
