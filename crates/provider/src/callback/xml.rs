//! The values of `WeCom`'s flat XML.

/// The text of the first element of a name, without its CDATA mark.
pub(super) fn value<'x>(xml: &'x str, name: &str) -> Option<&'x str> {
    let (_before, rest) = xml.split_once(&format!("<{name}>"))?;
    let (text, _after) = rest.split_once(&format!("</{name}>"))?;
    let text = text.trim();
    let inner = text.strip_prefix("<![CDATA[").and_then(|text| text.strip_suffix("]]>"));
    Some(inner.unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use super::value;

    #[test]
    fn values_are_found_with_and_without_marks() {
        let xml = "<xml><A><![CDATA[one]]></A>\n<B> 2 </B><C></C></xml>";
        assert_eq!((value(xml, "A"), value(xml, "B"), value(xml, "C")), (Some("one"), Some("2"), Some("")));
        assert_eq!((value(xml, "D"), value("<A>x", "A")), (None, None));
    }
}
