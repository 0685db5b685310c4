//! What a reader gets to see, by example.

use insta::assert_snapshot;

use super::{Dialect, escape, json_bytes, markdown, part_label, raw_bytes, wants_wecom_v2};

const RICH: &str = r#"# Disk almost full
Host **db-1** is at *97 %* on `/data`.
[CRITICAL] snake_case 3 * 4 <at id=all></at> <@u1> <font color="red">x</font>

Now *a **bold** in italics*, ~~gone~~, [a *link*](https://ops.example/i/7 "t"), <mail@a.b>, [no](/web)
![graph](https://ops.example/g/7.png)

| Mount | Used | Free |
|---|--:|---|
| /data | 97 % | `1 GB` |
| a\|b |  | **2 GB** |

- one
  second line
  - nested
    1. deep
- [x] done
- [ ] open

  para

  ```rust
  fn main() {}

      if a < b {}
  ```
- last

7. seven
8. eight

> quote **bold
> over lines**
>
> > nested

---
1986\. # no list
[ERROR]: disk_full
C:\temp <div> &lt;at id=all&gt; 汉字 👩‍👩‍👧‍👦 שלום
"#;

/// The parts, with what cannot be seen made visible.
pub(super) fn show(parts: &[String]) -> String {
    parts.join("\n=====\n").replace("  \n", "␠␠\n").replace('\u{200b}', "{0}").replace('\u{a0}', "{_}")
}

fn rich(dialect: Dialect) -> String {
    show(&markdown(RICH, dialect, json_bytes, 20_000))
}

#[test]
fn rich_text_in_dingtalk() {
    assert_snapshot!(rich(Dialect::DingtalkMarkdown), @r###"
    # Disk almost full␠␠
    Host **db-1** is at *97 %* on /data.␠␠
    [CRITICAL] snake_case 3 * 4 &lt;at id=all>&lt;/at> &lt;@u1> &lt;font color="red">x&lt;/font>␠␠
    ␠␠
    Now *a **bold** in italics*, gone, [a link](https://ops.example/i/7), mail@a.b, no (/web)␠␠
    ![graph](https://ops.example/g/7.png)␠␠
    ␠␠
    - Mount: /data, Used: 97 %, Free: 1 GB
    - Mount: a|b, Free: **2 GB**␠␠
    ␠␠
    - one␠␠
        second line
        - nested
            1. deep
    - ☑ done
    - ☐ open␠␠
    ␠␠
        para␠␠
    ␠␠
        > fn main() {}␠␠
        >␠␠
        > {_}{_}{_}{_}if a < b {}
    - last␠␠
    ␠␠
    7. seven
    8. eight␠␠
    ␠␠
    > quote **bold**␠␠
    > **over lines**␠␠
    >␠␠
    > > nested␠␠
    ␠␠
    1986\. # no list␠␠
    [ERROR\]: disk_full␠␠
    C:\temp &lt;div> &lt;at id=all> 汉字 👩‍👩‍👧‍👦 שלום
    "###);
}

#[test]
fn rich_text_in_a_lark_card() {
    assert_snapshot!(rich(Dialect::LarkCard), @r###"
    # Disk almost full
    Host **db-1** is at *97 %* on `/data`.
    [CRITICAL] snake_case 3 * 4 &lt;at id=all&gt;&lt;/at&gt; &lt;@u1&gt; &lt;font color="red"&gt;x&lt;/font&gt;

    Now *a **bold** in italics*, ~~gone~~, [a link](https://ops.example/i/7), mail@a.b, no (/web)
    [graph](https://ops.example/g/7.png)

    | Mount | Used | Free |
    |---|---|---|
    | /data | 97 % | `1 GB` |
    | a&#124;b |  | **2 GB** |

    - one
        second line
        - nested
            1. deep
    - ☑ done
    - ☐ open

        para

    ```rust
    fn main() {}

        if a < b {}
    ```

    - last

    7. seven
    8. eight

    > quote **bold**
    > **over lines**
    >
    > > nested

     ---

    1986&#46; # no list
    [ERROR&#93;: disk_full
    C:\temp &lt;div&gt; &lt;at id=all&gt; 汉字 👩‍👩‍👧‍👦 שלום
    "###);
}

#[test]
fn rich_text_in_wecom() {
    assert_snapshot!(rich(Dialect::WecomMarkdown), @r###"
    # Disk almost full
    Host **db-1** is at 97 % on `/data`.
    [CRITICAL] snake_case 3 * 4 <{0}at id=all><{0}/at> <{0}@u1> <{0}font color="red">x<{0}/font>

    Now a **bold** in italics, gone, [a link](https://ops.example/i/7), mail@a.b, no (/web)
    [graph](https://ops.example/g/7.png)
    > Mount: /data, Used: 97 %, Free: `1 GB`
    > Mount: a|b, Free: **2 GB**

    • one
    {_}{_}second line
    {_}{_}◦ nested
    {_}{_}{_}{_}1. deep
    ☑ done
    ☐ open

    {_}{_}para
    > {_}{_}fn main() {}
    >
    > {_}{_}{_}{_}{_}{_}if a < b {}

    • last

    7. seven
    8. eight

    > quote **bold**
    > **over lines**
    >
    > nested

    1986. # no list
    [ERROR]: disk_full
    C:\temp <{0}div> <{0}at id=all> 汉字 👩‍👩‍👧‍👦 שלום
    "###);
}

#[test]
fn rich_text_in_wecom_v2() {
    assert_snapshot!(rich(Dialect::WecomMarkdownV2), @r###"
    # Disk almost full
    Host **db-1** is at *97 %* on `/data`.
    [CRITICAL] snake_case 3 * 4 <{0}at id=all><{0}/at> <{0}@u1> <{0}font color="red">x<{0}/font>

    Now *a **bold** in italics*, gone, [a link](https://ops.example/i/7), mail@a.b, no (/web)
    ![graph](https://ops.example/g/7.png)

    | Mount | Used | Free |
    | :--- | :--- | :--- |
    | /data | 97 % | `1 GB` |
    | a\|b |  | **2 GB** |

    - one
        second line
        - nested
            1. deep
    - ☑ done
    - ☐ open

        para

        ```rust
        fn main() {}

            if a < b {}
        ```
    - last

    7. seven
    8. eight

    > quote **bold**
    > **over lines**
    >
    > > nested

    ---

    1986\. # no list
    [ERROR\]: disk_full
    C:\temp <{0}div> <{0}at id=all> 汉字 👩‍👩‍👧‍👦 שלום
    "###);
}

#[test]
fn rich_text_without_markup() {
    assert_snapshot!(rich(Dialect::Plain), @r###"
    Disk almost full
    Host db-1 is at 97 % on /data.
    [CRITICAL] snake_case 3 * 4 <{0}at id=all><{0}/at> <{0}@u1> <{0}font color="red">x<{0}/font>

    Now a bold in italics, gone, a link (https://ops.example/i/7), mail@a.b, no (/web)
    graph (https://ops.example/g/7.png)
    Mount: /data, Used: 97 %, Free: 1 GB
    Mount: a|b, Free: 2 GB

    • one
      second line
      ◦ nested
        1. deep
    ☑ done
    ☐ open

      para
      fn main() {}

          if a < b {}
    • last

    7. seven
    8. eight

    > quote bold
    > over lines
    >
    > > nested

    1986. # no list
    [ERROR]: disk_full
    C:\temp <div> <{0}at id=all> 汉字 👩‍👩‍👧‍👦 שלום
    "###);
}

/// The body, table and picture of one message, as the platforms' pages lead us to write them.
#[test]
fn one_message_in_each_form() {
    let text = "#### 🔴 Disk almost full\nHost **db-1** is at *97 %* on `/data`.\n\n\
                | Mount | Used |\n|---|---|\n| /data | 97 % |\n| / | 41 % |";
    let one = |dialect| markdown(text, dialect, raw_bytes, 4096).concat();
    assert_eq!(
        one(Dialect::DingtalkMarkdown),
        "#### 🔴 Disk almost full  \nHost **db-1** is at *97 %* on /data.  \n  \n- /data: 97 %\n- /: 41 %"
    );
    assert_eq!(
        one(Dialect::WecomMarkdown),
        "#### 🔴 Disk almost full\nHost **db-1** is at 97 % on `/data`.\n> /data: 97 %\n> /: 41 %"
    );
    assert_eq!(
        one(Dialect::WecomMarkdownV2),
        "#### 🔴 Disk almost full\nHost **db-1** is at *97 %* on `/data`.\n\n\
         | Mount | Used |\n| :--- | :--- |\n| /data | 97 % |\n| / | 41 % |"
    );
    assert_eq!(
        one(Dialect::LarkCard),
        "#### 🔴 Disk almost full\nHost **db-1** is at *97 %* on `/data`.\n\n\
         | Mount | Used |\n|---|---|\n| /data | 97 % |\n| / | 41 % |"
    );
    assert_eq!(
        one(Dialect::Plain),
        "🔴 Disk almost full\nHost db-1 is at 97 % on /data.\n/data: 97 %\n/: 41 %"
    );
}

#[test]
fn titles_are_shown_literally() {
    let title = "[CRITICAL] db_main *full* <at id=all></at> [a](b) # 1 & 2 `x` <@u1> <font";
    assert_snapshot!(escape(title, Dialect::DingtalkMarkdown), @r###"[CRITICAL] db_main \*full\* &lt;at id=all>&lt;/at> [a\](b) # 1 & 2 \`x\` &lt;@u1> &lt;font"###);
    assert_snapshot!(escape(title, Dialect::LarkCard), @r###"[CRITICAL] db_main &#42;full&#42; &lt;at id=all&gt;&lt;/at&gt; [a&#93;(b) # 1 & 2 &#96;x&#96; &lt;@u1&gt; &lt;font"###);
    assert_snapshot!(show(&[escape(title, Dialect::WecomMarkdown)]), @r###"[CRITICAL] db_main *full* <{0}at id=all><{0}/at> [a\](b) # 1 & 2 \`x\` <{0}@u1> <{0}font"###);
    assert_snapshot!(show(&[escape(title, Dialect::WecomMarkdownV2)]), @r###"[CRITICAL] db_main \*full\* <{0}at id=all><{0}/at> [a\](b) # 1 & 2 \`x\` <{0}@u1> <{0}font"###);
    assert_snapshot!(show(&[escape(title, Dialect::Plain)]), @r###"[CRITICAL] db_main *full* <{0}at id=all><{0}/at> [a](b) # 1 & 2 `x` <{0}@u1> <{0}font"###);
    assert_eq!(escape("# 1\n- 2", Dialect::WecomMarkdownV2), "\\# 1\n\\- 2");
}

#[test]
fn the_newer_wecom_form_is_for_what_the_older_lacks() {
    for text in ["| a |\n|---|\n", "![a](b)", "```\nx\n```", "> ```\n> x"] {
        assert!(wants_wecom_v2(text), "{text}");
    }
    for text in ["**a** `b` [c](d)", "    indented", "a | b"] {
        assert!(!wants_wecom_v2(text), "{text}");
    }
}

#[test]
fn parts_are_numbered() {
    assert_eq!((part_label(0, 3).as_str(), part_label(0, 1).as_str()), ("(1/3)", ""));
}
