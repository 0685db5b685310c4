//! Directories of office apps.

texts! {
    /// Members, departments, chats.
    DirectoryText {
        members: "Members", "成员";
        departments: "Departments", "部门";
        groups: "Groups", "人员组";
        chats: "Chats", "群聊";
        gone: "Gone", "离开";
        find: "Find by name or id", "按姓名或编号查找";
        find_chat: "Find by name", "按名称查找";
        in_department: "In {} directly", "直属“{}”";
        everybody: "Everybody", "全部成员";
        state: "State", "状态";
        there: "There", "在职";
        is_gone: "Gone", "已离开";
        chat_there: "Open", "正常";
        chat_change: "Change", "修改";
        first_seen: "First seen", "首次读取";
        none_found: "Nobody fits.", "没有符合条件的成员。";
        no_members: "Nobody was read yet. Update the directory first.", "尚无成员，请先更新通讯录。";
        no_departments: "No department was read yet. Update the directory first.", "尚无部门，请先更新通讯录。";
        no_chats: "The bot is in no chat yet. Add it to a chat on the platform, then update.",
            "机器人尚未加入任何群聊。请在平台上将其加入群聊，然后更新。";
        no_chat_found: "No chat fits.", "没有符合条件的群聊。";
        about: "About", "描述";
        direct: "{} [member|members] directly", "直属 {} 人";
        departments_lead: "As the platform has it. A group can take a department with all below it, or without.",
            "与平台一致。人员组可包含部门及其下级，或仅直属成员。";
        chats_lead: "A message to a chat names it by its id. The bot must be in it.", "发送到群聊时使用其编号，机器人须在群内。";
    }
}

texts! {
    /// Groups of our own.
    GroupText {
        lead: "People and departments under one name. Whom a group reaches is looked up when a message is sent.",
            "将成员和部门归为一个名称，发送消息时才展开为具体的人。";
        new: "New group", "新建人员组";
        create: "Create group", "创建人员组";
        exists: "There is a group of that name already.", "同名人员组已存在，请换一个名称。";
        empty_title: "No groups yet", "还没有人员组";
        empty: "For example everybody on call: three people and a department.", "例如值班人员：三名成员和一个部门。";
        members: "{} [member|members]", "{} 名成员";
        departments: "{} [department|departments]", "{} 个部门";
        member: "Member", "成员";
        department: "Department with all below it", "部门及其下级";
        department_only: "Department alone", "仅部门直属";
        parts: "Who is in it", "组成";
        nobody: "Nobody yet: add members or departments.", "尚无成员，请添加成员或部门。";
        add_member: "Add a member", "添加成员";
        add_department: "Add a department", "添加部门";
        with_below: "with all below it", "包含下级部门";
        alone: "alone", "仅直属成员";
        add: "Add", "添加";
        added: "In the group", "已在组内";
        remove: "Take out", "移出";
        count: "Whom does it reach?", "能送达哪些人？";
        reaches: "{} [person is|people are] reached at this moment, each once.", "当前可送达 {} 人，每人一次。";
        unreached: "{} [is|are] gone or unknown, and not reached.", "{} 项已离开或未知，无法送达。";
        delete: "Delete group", "删除人员组";
        delete_sure: "Delete the group {}?", "删除人员组 {}？";
    }
}

texts! {
    /// Who is gone.
    GoneText {
        lead: "Kept and marked, skipped when a message is sent. A platform never changes an id: who came back has a new one, and a merge leads what names the old one to the new.",
            "已离开的成员会保留并标记，发送时跳过。平台编号不可更改：重新加入者会有新编号，合并后引用旧编号的内容将送达新编号。";
        none_title: "Nobody is gone", "没有离开的成员";
        none: "Who leaves shows here, with what still names them.", "离开的成员会显示在这里，并列出仍引用他们的内容。";
        since: "Gone since", "离开时间";
        in_groups: "In groups", "所在人员组";
        in_topics: "Subscribed to", "订阅";
        named_nowhere: "Nothing names this member any more.", "没有内容再引用该成员。";
        merged: "Merged", "已合并";
        merged_into: "Is another member now: what names the old id reaches the new one.", "已对应新成员：引用旧编号的内容将送达新编号。";
        candidates: "Who this may be now", "可能的新成员";
        same_contact: "same mail or phone", "邮箱或手机号相同";
        same_union: "same person for the platform", "平台认定为同一人";
        same_name: "same name", "姓名相同";
        merge: "This is the one", "确认是此人";
        other: "Somebody else", "选择其他成员";
        find_other: "Name or id of the member this is now", "输入对应成员的姓名或编号";
        unmerge: "Take back", "撤销";
        merge_done: "Merged: what names the old id reaches the new one.", "已合并：引用旧编号的内容将送达新编号。";
        unmerge_done: "Taken back.", "已撤销。";
    }
}

texts! {
    /// Finding members by contact.
    BindText {
        title: "Find by mail or phone", "按邮箱或手机号查找";
        lead: "The platform is asked who these are. What is found is bound, so that messages may name members by it.",
            "向平台查询这些联系方式对应的成员；找到的会建立绑定，之后可用其指定接收人。";
        contacts: "Mail addresses and phone numbers", "邮箱与手机号";
        contacts_hint: "One a line, at most 200. Only a keyed hash of each is kept.", "每行一个，最多 200 个；仅保存带密钥的哈希。";
        button: "Find and bind", "查找并绑定";
        bound: "{} bound", "已绑定 {} 个";
        unbound: "{} unresolved", "{} 个未能解析";
        malformed: "It is no mail address and no phone number.", "不是有效的邮箱或手机号。";
        twice: "It stands in the list before.", "与前面的重复。";
        no_account: "The platform knows nobody of it whom the app may see. An enterprise mailbox is no contact to it.",
            "平台在应用可见范围内查无此人；企业邮箱不能作为联系方式。";
        unsupported: "This platform cannot find members by it.", "该平台不支持按此类联系方式查找。";
        not_asked: "The platform was not asked any more: too many before were unknown, or a call failed.",
            "未再向平台查询：此前未知的过多，或调用失败。";
        gone: "The member is gone.", "该成员已离开。";
        outside: "The platform knows the member, the directory does not: widen the app's range, or update.",
            "平台有此成员但通讯录中没有：请扩大应用范围或更新通讯录。";
    }
}
