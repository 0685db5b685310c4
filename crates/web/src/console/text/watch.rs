//! Looking at what happens: overview, messages, deliveries.

texts! {
    /// The overview.
    OverviewText {
        title: "Overview", "总览";
        lead: "What was sent, what came back, and what needs you. It follows by itself.", "发送了什么、结果如何、哪些需要处理；页面自动更新。";
        topics: "Topics", "主题";
        subscriptions: "Subscriptions", "订阅";
        recent: "Latest messages", "最新消息";
        unwell: "Addresses in trouble", "有问题的地址";
        span: "Span of time", "时间范围";
        hour_1: "1 hour", "1 小时";
        hours_6: "6 hours", "6 小时";
        hours_24: "24 hours", "24 小时";
        days_7: "7 days", "7 天";
        messages: "Messages", "消息";
        deliveries: "Deliveries by outcome", "投递结果";
        arrived: "Arrived", "已送达";
        again: "Tried again", "稍后重试";
        refused: "Refused", "被拒绝";
        quiet: "Nothing was sent in this span of time.", "该时间段内没有发送记录。";
        course: "Over time", "走势";
        lanes: "Waiting to be sent", "等待发送";
        wait: "{} waiting", "{} 条等待";
        all_endpoints: "All addresses", "全部地址";
        welcome_title: "Ready when you are", "一切就绪";
        welcome: "Three steps to the first message: create a topic, subscribe a robot, publish.",
            "三步发出第一条消息：新建主题、添加订阅、发布。";
        start: "Create the first topic", "新建第一个主题";
    }
}

texts! {
    /// Messages.
    MessageText {
        title: "Messages", "消息";
        lead: "Everything that was published, newest first.", "全部已发布的消息，最新的在前。";
        empty_title: "No messages", "还没有消息";
        empty: "What is published shows here at once, with what became of it.", "消息发布后立即显示在这里，并附上投递结果。";
        untitled: "Untitled", "无标题";
        topic: "Topic", "主题";
        all_topics: "All topics", "全部主题";
        filter: "Filter", "筛选";
        published: "Published", "发布时间";
        expires: "Valid until", "有效期至";
        deliveries: "Deliveries", "投递";
        urgent: "Urgent", "紧急";
        kind_confirmation: "Confirmation", "订阅确认";
        content: "Content", "内容";
        own_form: "A form of its own", "专用内容";
        recipient: "Recipient", "接收方";
        attempts: "Attempts", "尝试";
        answer: "Answer", "应答";
        nobody: "It was addressed to nobody: the topic had no subscription that wanted it.", "没有接收方：发布时主题没有符合条件的订阅。";
        suppressed: "It went to nobody: it says the same as a message that was sent shortly before, and the topic leaves equal messages out for a while.",
            "未发往任何人：内容与不久前已发送的消息相同，该主题设有相同消息抑制。";
        suppressed_first: "The message that was sent", "查看已发送的消息";
        suppressed_count: "{} equal messages were left out after this one.", "此后有 {} 条相同的消息被抑制。";
        resend_failed: "Resend what failed", "重发失败的投递";
        cancel_waiting: "Cancel what waits", "取消等待中的投递";
        why_title: "Why did somebody not get it?", "为什么有人没收到？";
        why_who: "Person, address or subscription", "人员、地址或订阅";
        why_hint: "A name, an id, a mail address or phone number, a subscription's note, or an address, whole or its last characters. It is compared only: nothing of it is kept or shown.",
            "可填姓名、编号、邮箱或手机号、订阅备注，或地址（完整或末几位）。内容只用于比对，不保存也不显示。";
        why_wrong: "Type at least two characters.", "请至少填写两个字符。";
        why_nobody: "Nobody is known by that here.", "没有找到相符的人员、地址或订阅。";
        why_nobody_hint: "A deleted subscription takes its address with it: what it got stands in the list above, without a name.",
            "订阅删除后地址随之永久删除：发给它的投递仍在上方列表中，但没有名称。";
        why_more: "There are more; type more of it to see the right one.", "还有更多结果，请输入更完整的内容。";
        why_button: "Explain", "查询原因";
        id: "Message id", "消息编号";
    }
}

texts! {
    /// One delivery.
    DeliveryText {
        title: "Delivery", "投递";
        timeline: "Attempts", "尝试记录";
        none: "No attempt has been made yet.", "尚未尝试发送。";
        due: "Not tried before", "最早发送时间";
        recalled: "Taken back", "已撤回";
        resend: "Resend", "重发";
        cancel: "Cancel delivery", "取消投递";
        subscription: "Subscription", "订阅";
        message: "The message", "所属消息";
        attempt: "Attempt {}", "第 {} 次尝试";
        elapsed: "{} ms", "{} 毫秒";
        code: "Code", "代码";
        merged: "in one post with {} messages", "与 {} 条消息合并发送";
        before: "{} [delivery is|deliveries are] before it.", "前面还有 {} 条投递。";
        id: "Delivery id", "投递编号";
    }
}

texts! {
    /// Addresses and how they fare.
    EndpointText {
        title: "Addresses", "地址";
        one: "Address", "地址";
        lead: "Where messages go, and what is wrong there.", "消息发往的地址及其状况。";
        unwell: "In trouble", "有问题";
        all: "All", "全部";
        filter: "State", "状态";
        well_title: "Every address is well", "所有地址均正常";
        well: "An address that fails, or that its platform limits, shows here with what to change.",
            "失败或被平台限流的地址会显示在这里，并说明如何处理。";
        none: "No address stands so at present.", "目前没有处于该状态的地址。";
        since: "Since", "始于";
        until: "Next try", "下次尝试";
        failures: "Failures in a row", "连续失败次数";
        waiting: "Waiting", "等待中的投递";
        subscriptions: "Subscriptions", "订阅";
        resume: "Resume", "恢复发送";
        resume_hint: "When the cause is mended, let it be tried at once.", "排除原因后可恢复发送，立即重试。";
        of_delivery: "The address of this delivery", "该投递的地址";
        look: "Look at the address", "查看该地址";
    }
}

texts! {
    /// What did not arrive.
    DeadText {
        title: "Dead letters", "未送达";
        lead: "What failed or expired, of all messages, newest first. Mend the cause, then send it again.",
            "全部消息中失败或过期的投递，最新的在前。排除原因后可重新发送。";
        any_state: "Failed or expired", "失败或过期";
        reason: "Reason", "原因";
        any_reason: "Every reason", "全部原因";
        since: "From (UTC)", "起始（UTC）";
        until: "To (UTC)", "截止（UTC）";
        last: "Last attempt", "最近尝试";
        empty_title: "Everything arrived", "全部送达";
        empty: "What fails or expires is listed here, with what to change.", "失败或过期的投递会列在这里，并说明如何处理。";
        none: "Nothing fits.", "没有符合条件的投递。";
        none_here: "Nothing among the latest ones fits; older ones were not looked at yet.", "最近的记录中没有符合条件的投递，更早的尚未查找。";
        further: "Look further back", "继续向前查找";
        choose: "Filter by topic, state, reason or time to send many again at once.", "按主题、状态、原因或时间筛选后，可批量重新发送。";
        resend_all: "Send all that fit again", "全部重新发送";
        resend_sure: "Everything that fits the filter goes to the end of its lane again, up to 10,000 at a time. What is gone with its subscription is passed over.",
            "所有符合条件的投递将重新排队，每次最多 10,000 条；订阅已删除的会跳过。";
        cancel_all: "Cancel what still waits", "取消等待中的投递";
        cancel_sure: "Cancel everything of the topic {} that still waits?", "取消主题 {} 所有等待中的投递？";
        resent: "{} waiting to be sent again.", "{} 条已重新排队等待发送。";
        cancelled: "{} cancelled.", "已取消 {} 条。";
        more_left: "There are more; press again.", "还有更多，请再次操作。";
    }
}
