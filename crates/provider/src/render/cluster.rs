//! What a reader takes for one character: a base with its marks, a flag, a family of emoji.

const JOINER: char = '\u{200d}';

/// Cuts a text into clusters that a split must not break.
///
/// A small part of Unicode's rules (UAX #29): combining marks, vowel signs of Indic and South-East Asian scripts,
/// variation selectors, skin tones, tag sequences, joined emoji, flags, Hangul letters.
pub(super) fn clusters(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (head, tail) = rest.split_at(first_bytes(rest));
        rest = tail;
        (!head.is_empty()).then_some(head)
    })
}

/// How many bytes the first cluster has.
fn first_bytes(text: &str) -> usize {
    let mut characters = text.chars();
    let Some(first) = characters.next() else { return 0 };
    let mut bytes = first.len_utf8();
    if first.is_control() {
        return bytes;
    }
    let mut last = first;
    let mut flag_halves = usize::from(is_flag_half(first));
    for next in characters {
        let second_half = flag_halves == 1 && is_flag_half(next);
        // Nothing of ASCII is ever hidden inside a cluster: it might be markup.
        let joined = last == JOINER && !next.is_ascii() && !next.is_whitespace() && !next.is_control();
        if !(second_half || joined || extends(next)) {
            break;
        }
        flag_halves += usize::from(second_half);
        bytes += next.len_utf8();
        last = next;
    }
    bytes
}

fn is_flag_half(character: char) -> bool {
    matches!(character, '\u{1f1e6}'..='\u{1f1ff}')
}

/// Whether the character belongs to the one before it.
fn extends(character: char) -> bool {
    match character {
        '\0'..'\u{300}' => false,
        // In each Indic block of 128 the signs have the same places.
        '\u{900}'..='\u{dff}' => {
            matches!(u32::from(character) % 0x80, 0..=3 | 0x3a..=0x3c | 0x3e..=0x4f | 0x51..=0x57 | 0x62..=0x63)
        }
        '\u{300}'..='\u{36f}'
        | '\u{483}'..='\u{489}'
        | '\u{591}'..='\u{5bd}'
        | '\u{5bf}'
        | '\u{5c1}'..='\u{5c2}'
        | '\u{5c4}'..='\u{5c5}'
        | '\u{5c7}'
        | '\u{610}'..='\u{61a}'
        | '\u{64b}'..='\u{65f}'
        | '\u{670}'
        | '\u{6d6}'..='\u{6dc}'
        | '\u{6df}'..='\u{6e4}'
        | '\u{6e7}'..='\u{6e8}'
        | '\u{6ea}'..='\u{6ed}'
        | '\u{711}'
        | '\u{730}'..='\u{74a}'
        | '\u{e31}'
        | '\u{e33}'..='\u{e3a}'
        | '\u{e47}'..='\u{e4e}'
        | '\u{eb1}'
        | '\u{eb3}'..='\u{ebc}'
        | '\u{ec8}'..='\u{ece}'
        | '\u{f35}'
        | '\u{f37}'
        | '\u{f39}'
        | '\u{f3e}'..='\u{f3f}'
        | '\u{f71}'..='\u{f87}'
        | '\u{f8d}'..='\u{fbc}'
        | '\u{102b}'..='\u{103e}'
        | '\u{1160}'..='\u{11ff}'
        | '\u{135d}'..='\u{135f}'
        | '\u{17b4}'..='\u{17d3}'
        | '\u{180b}'..='\u{180d}'
        | '\u{1ab0}'..='\u{1aff}'
        | '\u{1dc0}'..='\u{1dff}'
        | '\u{200c}'..='\u{200d}'
        | '\u{20d0}'..='\u{20ff}'
        | '\u{302a}'..='\u{302f}'
        | '\u{3099}'..='\u{309a}'
        | '\u{d7b0}'..='\u{d7ff}'
        | '\u{fb1e}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{fe20}'..='\u{fe2f}'
        | '\u{1f3fb}'..='\u{1f3ff}'
        | '\u{e0020}'..='\u{e007f}'
        | '\u{e0100}'..='\u{e01ef}' => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::clusters;

    #[test]
    fn what_looks_like_one_stays_one() {
        let units = [
            "汉",
            "e\u{301}",
            "👩\u{200d}👩\u{200d}👧\u{200d}👦",
            "👍🏽",
            "❤\u{fe0f}",
            "1\u{fe0f}\u{20e3}",
            "🇨🇳",
            "🇩🇪",
            "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
            "कि",
            "ที่",
            "a",
            "\n",
            "한",
        ];
        assert_eq!(clusters(&units.concat()).collect::<Vec<_>>(), units);
    }

    proptest! {
        #[test]
        fn nothing_is_lost(text in "\\PC{0,40}[\u{200d}\u{1f1e6}-\u{1f1ff}a\n\u{300}]{0,20}") {
            prop_assert_eq!(clusters(&text).collect::<String>(), text);
        }
    }
}
