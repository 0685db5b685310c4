//! Cards, version 1 and schema 2.0 (card JSON structure pages).

use serde_json::Value;

use super::bad_card;
use super::message::{Message, is_address, resolve_mentions};
use crate::verdict::{Verdict, text_at};

const MOST_ELEMENTS: usize = 200;
const MOST_TABLES: usize = 5;
const MOST_COLUMNS: usize = 50;
/// Deeper than any card can be drawn; it also bounds our own recursion.
const MOST_DEPTH: usize = 16;

/// The attributes a 2.0 card may have at its top; any other is an error there.
const TOP_2: &[&str] = &["schema", "config", "card_link", "header", "body"];

const TAGS_BOTH: &[&str] = &[
    "div",
    "markdown",
    "hr",
    "img",
    "img_combination",
    "column_set",
    "column",
    "form",
    "interactive_container",
    "collapsible_panel",
    "person",
    "person_list",
    "chart",
    "table",
    "button",
    "input",
    "select_static",
    "multi_select_static",
    "select_person",
    "multi_select_person",
    "date_picker",
    "picker_time",
    "picker_datetime",
    "overflow",
    "select_img",
    "checker",
    "audio",
];
const TAGS_1_ONLY: &[&str] = &["action", "note", "plain_text", "lark_md"];

struct Reader {
    is_2: bool,
    elements: usize,
    tables: usize,
    texts: Vec<String>,
    buttons: Vec<(String, String)>,
}

/// Reads a card, or refuses it with 11246 and the sub-code the platform gives.
pub(crate) fn read(card: &Value) -> Result<Message, Verdict> {
    if text_at(card, "type") == Some("template") {
        return read_template(card);
    }
    let is_2 = match card.get("schema").map(Value::as_str) {
        None => false,
        Some(Some("2.0")) => true,
        Some(_) => return Err(bad_card(200_621, "parse card json err, schema must be 2.0")),
    };
    let elements = if is_2 { top_of_2(card)? } else { card.get("elements") };
    let header = card.get("header");
    let title = header.map(read_title).transpose()?;
    let mut reader = Reader { is_2, elements: 0, tables: 0, texts: Vec::new(), buttons: Vec::new() };
    match elements {
        Some(elements) => reader.list(elements, 0)?,
        // A card in several languages keeps its elements elsewhere.
        None if card.get("i18n_elements").is_some_and(Value::is_object) => {}
        None => return Err(bad_card(200_621, "parse card json err, elements is required")),
    }
    let (text, mentions) = resolve_mentions(&reader.texts.join("\n"));
    if mentions.iter().any(String::is_empty) {
        return Err(bad_card(100_290, "at element id is empty"));
    }
    let tone = header.and_then(|header| text_at(header, "template")).map(str::to_owned);
    Ok(Message { title, text, mentions, tone, buttons: reader.buttons, ..Message::default() })
}

fn read_template(card: &Value) -> Result<Message, Verdict> {
    let id = card.get("data").and_then(|data| text_at(data, "template_id"));
    let id = id.ok_or_else(|| bad_card(200_621, "parse card json err, template_id is required"))?;
    let variables =
        card.get("data").and_then(|data| data.get("template_variable")).cloned().unwrap_or_default();
    Ok(Message { title: Some(id.to_owned()), text: variables.to_string(), ..Message::default() })
}

fn top_of_2(card: &Value) -> Result<Option<&Value>, Verdict> {
    let mut fields = card.as_object().into_iter().flatten().map(|(field, _)| field.as_str());
    if let Some(unknown) = fields.find(|field| !TOP_2.contains(field)) {
        let shown: String = unknown.chars().take(60).collect();
        return Err(bad_card(200_621, &format!("parse card json err, unknown property: {shown}")));
    }
    Ok(card.get("body").and_then(|body| body.get("elements")))
}

fn read_title(header: &Value) -> Result<String, Verdict> {
    let title = header.get("title").and_then(|title| title.get("content")).and_then(Value::as_str);
    title.map(str::to_owned).ok_or_else(|| bad_card(200_621, "parse card json err, header.title is required"))
}

impl Reader {
    fn list(&mut self, elements: &Value, depth: usize) -> Result<(), Verdict> {
        let list = elements
            .as_array()
            .filter(|_| depth < MOST_DEPTH)
            .ok_or_else(|| bad_card(200_621, "parse card json err, elements must be an array"))?;
        list.iter().try_for_each(|element| self.element(element, depth))
    }

    fn element(&mut self, element: &Value, depth: usize) -> Result<(), Verdict> {
        self.elements += 1;
        if self.elements > MOST_ELEMENTS {
            return Err(bad_card(11_310, "element exceeds the limit"));
        }
        let tag = text_at(element, "tag")
            .ok_or_else(|| bad_card(200_621, "parse card json err, element tag is required"))?;
        self.check_tag(tag)?;
        match tag {
            "markdown" => self.text(element.get("content"))?,
            "plain_text" | "lark_md" => self.text(element.get("content"))?,
            "div" => self.div(element)?,
            "img" => self.image(element)?,
            "button" => self.button(element)?,
            "table" => self.table(element, depth)?,
            "hr" => self.texts.push("---".to_owned()),
            _ => {}
        }
        for field in ["elements", "columns", "actions"] {
            if tag != "table"
                && let Some(inner) = element.get(field)
            {
                self.list(inner, depth + 1)?;
            }
        }
        Ok(())
    }

    fn check_tag(&self, tag: &str) -> Result<(), Verdict> {
        if TAGS_BOTH.contains(&tag) || (!self.is_2 && TAGS_1_ONLY.contains(&tag)) {
            return Ok(());
        }
        let shown: String = tag.chars().take(60).collect();
        if self.is_2 {
            let text =
                format!("cards of schema V2 no longer support this capability; unsupported tag {shown}");
            return Err(bad_card(200_861, &text));
        }
        Err(bad_card(200_621, &format!("parse card json err, unknown tag {shown}")))
    }

    fn text(&mut self, content: Option<&Value>) -> Result<(), Verdict> {
        let text = content.and_then(Value::as_str);
        let text = text.ok_or_else(|| bad_card(200_621, "parse card json err, content is required"))?;
        self.texts.push(text.to_owned());
        Ok(())
    }

    fn div(&mut self, element: &Value) -> Result<(), Verdict> {
        if let Some(text) = element.get("text") {
            self.text(text.get("content"))?;
        }
        for field in element.get("fields").and_then(Value::as_array).into_iter().flatten() {
            self.text(field.get("text").and_then(|text| text.get("content")))?;
        }
        Ok(())
    }

    fn image(&mut self, element: &Value) -> Result<(), Verdict> {
        let key = text_at(element, "img_key").filter(|key| key.starts_with("img_"));
        let key = key.ok_or_else(|| bad_card(200_570, "image key is invalid"))?;
        let alt = element.get("alt").and_then(|alt| alt.get("content")).and_then(Value::as_str);
        let alt = alt.ok_or_else(|| bad_card(200_621, "parse card json err, img.alt is required"))?;
        self.texts.push(format!("🖼 {alt} {key}"));
        Ok(())
    }

    /// A webhook card's button can only open an address: v1 has it in `url`, 2.0 in `behaviors`.
    fn button(&mut self, element: &Value) -> Result<(), Verdict> {
        let label = element.get("text").and_then(|text| text.get("content")).and_then(Value::as_str);
        let label = label.ok_or_else(|| bad_card(200_621, "parse card json err, button.text is required"))?;
        let behaviors = element.get("behaviors").and_then(Value::as_array).into_iter().flatten();
        let mut addresses = Vec::new();
        for opening in behaviors.filter(|one| text_at(one, "type") == Some("open_url")) {
            let wanted = bad_card(200_621, "parse card json err, open_url needs default_url");
            addresses.push(text_at(opening, "default_url").ok_or(wanted)?);
        }
        addresses.extend(text_at(element, "url"));
        if let Some(illegal) = addresses.iter().find(|address| !is_address(address)) {
            let shown: String = illegal.chars().take(60).collect();
            return Err(bad_card(200_621, &format!("parse card json err, illegal url {shown}")));
        }
        let address = addresses.first().copied().unwrap_or_default();
        self.buttons.push((label.to_owned(), address.to_owned()));
        Ok(())
    }

    /// The table component: at the top level only, few per card, rows keyed by column names.
    fn table(&mut self, element: &Value, depth: usize) -> Result<(), Verdict> {
        self.tables += 1;
        if depth > 0 || self.tables > MOST_TABLES {
            return Err(bad_card(200_914, "table may stand 5 times at most, and only directly in the body"));
        }
        let page_size = element.get("page_size").map(Value::as_u64);
        if page_size.is_some_and(|size| !size.is_some_and(|size| (1..=10).contains(&size))) {
            return Err(bad_card(200_914, "table page_size must be 1 to 10"));
        }
        let columns = element.get("columns").and_then(Value::as_array);
        let columns = columns.filter(|columns| (1..=MOST_COLUMNS).contains(&columns.len()));
        let columns = columns.ok_or_else(|| bad_card(200_914, "table columns must be 1 to 50"))?;
        let unnamed = || bad_card(200_914, "table column name is required");
        let names: Vec<&str> = columns
            .iter()
            .map(|column| text_at(column, "name").ok_or_else(unnamed))
            .collect::<Result<_, _>>()?;
        let labels =
            columns.iter().zip(&names).map(|(column, name)| text_at(column, "display_name").unwrap_or(name));
        let mut lines = vec![line(labels.map(str::to_owned)), line(names.iter().map(|_| "---".to_owned()))];
        for row in element.get("rows").and_then(Value::as_array).into_iter().flatten() {
            let cells = row.as_object().ok_or_else(|| bad_card(200_915, "table row must be an object"))?;
            if cells.keys().any(|key| !names.contains(&key.as_str())) {
                return Err(bad_card(200_915, "table row keys must equal the column names"));
            }
            lines.push(line(names.iter().map(|name| cells.get(*name).map_or_else(String::new, cell))));
        }
        self.texts.push(lines.join("\n"));
        Ok(())
    }
}

fn line(cells: impl Iterator<Item = String>) -> String {
    format!("| {} |", cells.collect::<Vec<_>>().join(" | "))
}

fn cell(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
