//! Message templates.

texts! {
    /// Message templates.
    TemplateText {
        title: "Templates", "消息模板";
        lead: "A text with placeholders, kept under a name: whoever publishes gives the values only.",
            "带占位符的文本，发布时只需提供变量的值。";
        new: "New template", "新建模板";
        empty_title: "No templates yet", "还没有消息模板";
        empty: "Write one for what is said often, such as an alert with a host and a value.",
            "把常发的内容写成模板，例如包含主机与数值的告警。";
        variant: "For", "适用渠道";
        default: "Every channel without its own", "没有专用模板的渠道";
        variant_hint: "Make the one for every channel first; then others of the same name where a channel needs its own words.",
            "请先创建通用模板，再用同一名称为需要专用内容的渠道创建。";
        placeholders: "Placeholders", "占位符";
        changed: "Changed", "修改时间";
        count: "{} [template|templates]", "共 {} 个模板";
        name_hint: "Letters, digits, - and _; it cannot be changed later.", "字母、数字、- 和 _；创建后不能修改。";
        content_hint: "Write a placeholder as {name}: letters, digits, hyphens, underscores and dots.",
            "占位符写作 {name}，可用字母、数字、连字符、下划线和点。";
        values: "Values for the preview", "预览用的变量值";
        preview_hint: "Write the text, then see here how each chat will show it.", "填写内容后，在此查看各平台的显示效果。";
        id: "Template id", "模板编号";
    }
}
