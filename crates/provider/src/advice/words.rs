//! The sentences of advice: English first, Chinese second.

use super::Pair;

pub(super) const KEYWORD_LARK: Pair = (
    "The bot demands a keyword. Open the bot's settings in the group (Security settings, Custom \
     keywords) and put one of the keywords into the subscription's extension as keyword.",
    "机器人要求消息包含关键词。请在群的机器人设置（安全设置 → 自定义关键词）中查看关键词，并将\
     其中一个填入订阅扩展的 keyword。",
);
pub(super) const KEYWORD: Pair = (
    "The robot demands a keyword. Look it up in the robot's security settings and put one of the \
     keywords into the subscription's extension as keyword.",
    "机器人要求消息包含关键词。请在机器人的安全设置中查看关键词，并将其中一个填入订阅扩展的 keyword。",
);
pub(super) const SIGNATURE: Pair = (
    "The signature does not match. Copy the signing secret from the robot's security settings again \
     (DingTalk's begins with SEC) and put it into the subscription's extension as sign_secret.",
    "签名不匹配。请从机器人的安全设置中重新复制加签密钥（钉钉的密钥以 SEC 开头），并填入订阅扩\
     展的 sign_secret。",
);
pub(super) const SIGNATURE_OR_CLOCK: Pair = (
    "The signature does not match, or this server's clock is more than an hour off. Copy the signing \
     secret from the bot's security settings again into sign_secret, and check the server's time.",
    "签名不匹配，或服务器时间偏差超过一小时。请从机器人的安全设置中重新复制签名密钥填入 sign_secret，\
     并检查服务器时间。",
);
pub(super) const CLOCK: Pair = (
    "The platform calls the signature's time too old or too new. Set this server's clock right (NTP); \
     it may be off by less than an hour.",
    "平台认为签名时间已过期或无效。请校准服务器时间（NTP），偏差须小于一小时。",
);
pub(super) const ADDRESS_APP: Pair = (
    "This server's public address is not on the app's list. Add it in the DingTalk developer console \
     (the app, Security settings, server exit IP).",
    "服务器的出口 IP 不在应用的白名单中。请在钉钉开发者后台的应用安全设置中添加服务器出口 IP。",
);
pub(super) const ADDRESS: Pair = (
    "This server's public address is not on the robot's IP list. Add it in the robot's security \
     settings.",
    "服务器的出口 IP 不在机器人的 IP 白名单中。请在机器人的安全设置中添加该 IP。",
);
pub(super) const SECURITY: Pair = (
    "One of the robot's security settings refused the message. Check keyword, signing secret and IP \
     list in the robot's settings against the subscription's extension.",
    "机器人的某项安全设置拒绝了消息。请对照订阅扩展检查机器人设置中的关键词、加签密钥和 IP 白名单。",
);
pub(super) const TOKEN_UNKNOWN_LARK: Pair = (
    "The bot's webhook is unknown: the bot was removed, or the address belongs to the other cloud \
     (Feishu and Lark are separate). Copy the webhook from the group's bot settings again and \
     subscribe with it.",
    "机器人的 Webhook 不存在：机器人可能已被移除，或地址属于另一个平台（飞书与 Lark 相互独立）。\
     请从群机器人设置中重新复制 Webhook 地址并重新订阅。",
);
pub(super) const TOKEN_UNKNOWN: Pair = (
    "The robot's webhook is unknown: the robot was removed or its webhook was reset. Copy the whole \
     webhook from the robot's settings again and subscribe with it.",
    "机器人的 Webhook 不存在：机器人可能已被移除或 Webhook 已重置。请从机器人设置中重新复制完\
     整的 Webhook 地址并重新订阅。",
);
pub(super) const CREDENTIALS: Pair = (
    "The app's credentials are wrong or do not belong together. Copy AppKey, AppSecret and robotCode \
     from the developer console again, and check that the app is published and its robot enabled.",
    "应用凭证错误或不匹配。请从开发者后台重新复制 AppKey、AppSecret 和 robotCode，并确认应用已\
     发布且机器人已启用。",
);
pub(super) const PERMISSION: Pair = (
    "The app's robot is not allowed to do this. Grant the permission to send robot messages \
     (qyapi_robot_sendmsg) in the developer console and publish the app again.",
    "应用机器人没有该操作的权限。请在开发者后台为应用开通机器人发送消息权限（qyapi_robot_sendmsg）并重新发布。",
);
pub(super) const TARGET_GONE: Pair = (
    "The group or the robot no longer exists, or the robot is stopped. Add the robot to the group \
     again or enable it, and subscribe with its new address.",
    "群或机器人已不存在，或机器人已停用。请重新将机器人添加到群中或启用它，并用新的地址重新订阅。",
);
pub(super) const RECIPIENT: Pair = (
    "This person cannot be reached: the userId is wrong, the person has left, or is outside the app's \
     visible range. Check the userId and the app's range.",
    "无法联系到此人：userId 错误、人员已离职或不在应用的可见范围内。请检查 userId 和应用的可见范围。",
);
pub(super) const ACCESS_TOKEN: Pair = (
    "The platform refused even a fresh access token. Check that the app is enabled and that AppKey \
     and AppSecret belong to it.",
    "平台拒绝了新获取的访问凭证。请确认应用已启用，且 AppKey 与 AppSecret 属于该应用。",
);
pub(super) const TOO_LONG: Pair = (
    "The platform calls the message too long although it was split. Publish a shorter text, or a form \
     of its own for this channel.",
    "消息拆分后平台仍认为过长。请发布更短的文本，或为该渠道单独提供内容。",
);
pub(super) const CONTENT: Pair = (
    "The platform's content check refused the text: a link or words it calls unsafe. Change the text \
     or the link.",
    "平台的内容检查拒绝了该消息：包含其认为不安全的链接或文字。请修改文本或链接。",
);
pub(super) const BAD_REQUEST_LARK: Pair = (
    "The platform did not understand the message. Publish it as plain text, or simplify its markdown: \
     in a card, a wrong mention id is enough.",
    "平台无法识别该消息。请改用纯文本发布或简化 Markdown；卡片中错误的 @ 用户 ID 也会导致失败。",
);
pub(super) const BAD_REQUEST: Pair = (
    "The platform did not understand the message. Publish it as plain text, or simplify its markdown.",
    "平台无法识别该消息。请改用纯文本发布或简化 Markdown。",
);
pub(super) const UNOPENED: Pair = (
    "What the subscription keeps sealed could not be opened, or the server could not read its store: nothing was \
     sent. It will be tried again; if it stays so, read the server's log, and subscribe the address again.",
    "无法打开该订阅加密保存的内容，或服务器无法读取其存储：没有发出任何内容。系统会自动重试；若持续如此，请查看\
     服务器日志，并重新添加该订阅。",
);
pub(super) const RENDER: Pair = (
    "The message could not be brought into this channel's form: title, mentions or keyword leave no \
     room for text. Shorten them.",
    "消息无法转换为该渠道的格式：标题、@ 名单或关键词占满了空间。请缩短这些内容。",
);
pub(super) const RENDER_OFFICE: Pair = (
    "The message could not be brought into the platform's form, or an image or a file of it is no longer kept. \
     Shorten title and mentions, or push the file again.",
    "消息无法转换为平台的格式，或其中的图片、文件已不再保存。请缩短标题和 @ 名单，或重新推送该文件。",
);
pub(super) const TOO_LONG_OFFICE: Pair = (
    "The platform calls the text, the image or the file too large. Push a shorter text or a smaller file.",
    "平台认为文本、图片或文件过大。请推送更短的文本或更小的文件。",
);
pub(super) const BAD_REQUEST_OFFICE: Pair = (
    "The platform did not understand the message, or refused an image or a file of it. Simplify the markdown, \
     or push the file in another form.",
    "平台无法识别该消息，或拒绝了其中的图片或文件。请简化 Markdown，或更换文件格式后重新推送。",
);
pub(super) const RATE_DINGTALK: Pair = (
    "Too many messages: a DingTalk robot takes 20 a minute and is silent for 10 minutes after more. \
     It will be tried again; publish less often or spread over several robots.",
    "发送过于频繁：钉钉机器人每分钟最多 20 条，超限后禁言 10 分钟。系统会自动重试；请降低发布\
     频率或分散到多个机器人。",
);
pub(super) const RATE_APP: Pair = (
    "Too many calls of this app in a short time. It will be tried again; nothing needs to be changed \
     unless it happens often.",
    "应用在短时间内调用过多。系统会自动重试；若经常发生，请降低发布频率。",
);
pub(super) const RATE_LARK: Pair = (
    "Too many messages: a bot takes 5 a second and 100 a minute, and full and half hours are crowded. \
     It will be tried again; publish less often.",
    "发送过于频繁：机器人每秒最多 5 条、每分钟最多 100 条，整点和半点较拥挤。系统会自动重试；\
     请降低发布频率。",
);
pub(super) const RATE_WECOM: Pair = (
    "Too many messages: a WeCom robot takes 20 a minute. It will be tried again; publish less often \
     or spread over several robots.",
    "发送过于频繁：企业微信机器人每分钟最多 20 条。系统会自动重试；请降低发布频率或分散到多个机器人。",
);
pub(super) const RATE_WEB: Pair = (
    "The endpoint asked for fewer requests (HTTP 429). It will be tried again; let it accept more or \
     publish less often.",
    "目标地址要求降低请求频率（HTTP 429）。系统会自动重试；请提高其限额或降低发布频率。",
);
pub(super) const QUOTA: Pair = (
    "The organisation's monthly quota of calls is used up; nothing arrives before the next month, which \
     begins at midnight Beijing time (UTC+8). Buy a larger package or send digests.",
    "组织本月的调用额度已用尽，下月（北京时间 1 日零时起）之前无法送达。请购买更大的额度或改用合并发送。",
);
pub(super) const BUSY_WEB: Pair = (
    "The endpoint answered with a server error. It will be tried again; look into the endpoint's own \
     log.",
    "目标地址返回服务器错误。系统会自动重试；请检查该服务的日志。",
);
pub(super) const BUSY: Pair = (
    "The platform is busy or broken for the moment. It will be tried again; nothing needs to be \
     changed.",
    "平台暂时繁忙或出现故障。系统会自动重试，无需更改。",
);
pub(super) const RESOLVE: Pair = (
    "The host's name could not be resolved. Check its spelling and this server's DNS.",
    "无法解析主机名。请检查拼写和服务器的 DNS 设置。",
);
pub(super) const CONNECT_WEB: Pair = (
    "No connection could be made. Check that the endpoint listens, that a firewall lets this server \
     through, and that its certificate is valid and complete.",
    "无法建立连接。请确认目标服务正在监听、防火墙允许本服务器访问，且其证书有效并包含完整证书链。",
);
pub(super) const CONNECT: Pair = (
    "No connection to the platform could be made. Check this server's way to the internet (firewall, \
     certificates).",
    "无法连接到平台。请检查服务器的外网访问（防火墙、证书）。",
);
pub(super) const FORBIDDEN: Pair = (
    "The address leads into a private or special network, which is not allowed. Use a public address, \
     or have the operator allow the network with --allow-private-endpoints.",
    "该地址指向内网或特殊网络，不允许访问。请使用公网地址，或由管理员通过 --allow-private-endpoints 放行该网段。",
);
pub(super) const TIMEOUT_WEB: Pair = (
    "The endpoint did not answer within 5 seconds; the message may have arrived. Let it answer first \
     and work afterwards.",
    "目标地址未在 5 秒内应答，消息可能已送达。请让服务先应答再处理。",
);
pub(super) const TIMEOUT: Pair = (
    "The platform did not answer in time; the message may have arrived. Nothing needs to be changed \
     unless it happens often.",
    "平台未及时应答，消息可能已送达。若不经常发生则无需更改。",
);
pub(super) const BROKEN: Pair = (
    "The connection broke before an answer came; the message may have arrived. If it happens often, \
     look at proxies and firewalls in between.",
    "连接在收到应答前中断，消息可能已送达。若经常发生，请检查中间的代理和防火墙。",
);
pub(super) const STATUS: Pair = (
    "The endpoint answered with an HTTP status that is no success (redirects are not followed). Check \
     its URL, its headers and what it expects.",
    "目标地址返回了非成功的 HTTP 状态（不跟随重定向）。请检查 URL、请求头以及该服务的要求。",
);
pub(super) const OK: Pair = ("It was accepted; nothing needs to be changed.", "已被接受，无需更改。");
pub(super) const ANSWER: Pair = (
    "The answer was not in the platform's form, so it is unknown whether the message arrived. If it \
     happens often, look for a proxy or gateway that answers in the platform's place.",
    "应答不是平台的格式，无法确定消息是否送达。若经常发生，请检查是否有代理或网关代替平台应答。",
);
pub(super) const PLATFORM_UNSURE: Pair = (
    "The platform itself does not know whether it sent the message. Look into the chat before sending \
     it again.",
    "平台自身无法确定消息是否已发送。重新发送前请先查看聊天。",
);
pub(super) const INTERRUPTED: Pair = (
    "The server stopped while the attempt was under way; the message may have arrived. Nothing needs \
     to be changed.",
    "服务器在发送过程中停止，消息可能已送达。无需更改。",
);
pub(super) const UNLISTED: Pair = (
    "The platform answered with a code that is not in our list. Look it up in the platform's \
     documentation, and report it with its number so that it can be listed.",
    "平台返回了未收录的错误码。请在平台文档中查询，并反馈该错误码以便收录。",
);
pub(super) const ADDRESS_OFFICE: Pair = (
    "This server's public address is not on the app's list. Add it: Lark, Security settings, IP allow list; DingTalk, \
     Security settings, server exit IP; WeCom, the app's page, trusted IP.",
    "服务器的出口 IP 不在应用的白名单中。请添加：飞书“安全设置-IP 白名单”，钉钉“安全设置-服务器出口 IP”，\
     企业微信应用页面的“企业可信 IP”。",
);
pub(super) const CREDENTIALS_OFFICE: Pair = (
    "The connection's credentials are wrong or do not belong together. Copy them from the app's page again and run \
     the connection's check.",
    "连接的凭证错误或不匹配。请从应用页面重新复制，并运行连接检查。",
);
pub(super) const PERMISSION_OFFICE: Pair = (
    "The app may not do this. Run the connection's check: it names the missing permission; grant it and publish a new \
     version of the app.",
    "应用没有该操作的权限。请运行连接检查查看缺少的权限，开通后发布应用新版本。",
);
pub(super) const TARGET_GONE_OFFICE: Pair = (
    "The chat is gone, or the app's bot is not in it or may not speak there. Add the bot to the chat again.",
    "群聊已解散，或应用机器人不在群中或被禁言。请重新将机器人添加到群中。",
);
pub(super) const RECIPIENT_OFFICE: Pair = (
    "This person cannot be reached: the id is wrong, the person has left, or is outside the app's availability range. \
     Update the directory and check the app's range.",
    "无法联系到此人：ID 错误、人员已离职或不在应用的可用范围内。请更新通讯录并检查应用的可用范围。",
);
pub(super) const ACCESS_TOKEN_OFFICE: Pair = (
    "The platform refused even a fresh access token. Check that the app is enabled and the connection's credentials \
     are right.",
    "平台拒绝了新的访问令牌。请确认应用已启用且连接的凭证正确。",
);
