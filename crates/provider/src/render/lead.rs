//! What stands before the lines of a block: quote marks, bullets, numbers, indents.

use super::dialect::Dialect;
use super::inline::Target;
use super::tree::{Container, Item};

/// Before the first line of a block, and before its other lines.
#[derive(Default)]
pub(super) struct Leads {
    pub(super) lead: String,
    pub(super) follow: String,
}

/// The leads of a block. If they would take more than a quarter of a part, the outermost are left out.
pub(super) fn leads(path: &[Container], target: Target) -> Leads {
    let Target { dialect, measure, max } = target;
    let mut path = path;
    loop {
        let leads = if dialect == Dialect::WecomMarkdown { wecom(path) } else { nested(path, dialect) };
        match path.split_first() {
            Some((_, inner)) if measure(&leads.lead).max(measure(&leads.follow)) > max / 4 => path = inner,
            Some(_) | None => return leads,
        }
    }
}

fn nested(path: &[Container], dialect: Dialect) -> Leads {
    let mut leads = Leads::default();
    let mut depth = 0;
    for (place, container) in path.iter().enumerate() {
        match container {
            Container::Quote { .. } => {
                leads.lead.push_str("> ");
                leads.follow.push_str("> ");
            }
            Container::Item(item) => {
                let mark = if dialect.has_lists() { list_mark(*item) } else { text_mark(*item, depth) };
                // Four blanks for each level, as the pages of Lark ask and all others take.
                let width = if dialect.has_lists() { mark.len().max(4) } else { 2 };
                let indent = " ".repeat(width);
                let box_of_task = if dialect.has_lists() { task_box(*item) } else { "" };
                if item.fresh {
                    leads.lead.push_str(&mark);
                    leads.lead.push_str(box_of_task);
                    // A list that begins in this very line must begin where its next lines are indented to.
                    if dialect.has_lists() && place + 1 < path.len() && box_of_task.is_empty() {
                        leads.lead.push_str(&" ".repeat(width - mark.len()));
                    }
                } else {
                    leads.lead.push_str(&indent);
                }
                leads.follow.push_str(&indent);
                depth += 1;
            }
        }
    }
    leads
}

/// The older `WeCom` markdown knows a quote only at the beginning of a line, and no lists; blanks that break not keep
/// the indent.
fn wecom(path: &[Container]) -> Leads {
    let quoted = path.iter().any(|container| matches!(container, Container::Quote { .. }));
    let start = if quoted { "> " } else { "" };
    let mut leads = Leads { lead: start.to_owned(), follow: start.to_owned() };
    let items = path.iter().filter_map(|container| match container {
        Container::Item(item) => Some(item),
        Container::Quote { .. } => None,
    });
    for (depth, item) in items.enumerate() {
        if item.fresh {
            leads.lead.push_str(&text_mark(*item, depth));
        } else {
            leads.lead.push_str("\u{a0}\u{a0}");
        }
        leads.follow.push_str("\u{a0}\u{a0}");
    }
    leads
}

fn list_mark(item: Item) -> String {
    item.number.map_or_else(|| "- ".to_owned(), |number| format!("{number}. "))
}

/// The mark where lists are unknown. Each level has its own bullet, for a chat that drops the indent.
fn text_mark(item: Item, depth: usize) -> String {
    let number = item.number.map(|number| format!("{number}. ")).unwrap_or_default();
    let bullet = match (item.task, item.number) {
        (Some(_), _) => task_box(item),
        (None, Some(_)) => "",
        (None, None) => ["• ", "◦ ", "▪ "].get(depth % 3).copied().unwrap_or("• "),
    };
    format!("{number}{bullet}")
}

fn task_box(item: Item) -> &'static str {
    match item.task {
        Some(true) => "☑ ",
        Some(false) => "☐ ",
        None => "",
    }
}
