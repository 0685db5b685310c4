//! SQLite's words for PostgreSQL. The store's SQL is written once; where the two differ, it is written as SQLite takes
//! it, in one of the forms of this list, and PostgreSQL gets another form of the same.
//!
//! | written | PostgreSQL gets |
//! | --- | --- |
//! | `(SELECT value FROM json_each($1))`, its parameter a list (`Value::Ints`, `Value::Texts`) | `(SELECT unnest($1))` |
//! | `json_each($1)` anywhere else, its parameter a JSON text of lists | rows `key` (from 0) and `value` of that |
//! | `json_extract(value, '$[0]')` | `(value ->> 0)`, always a text |
//! | `a LIKE b` | `a ILIKE b`: SQLite does not tell `A` from `a` |

/// Rewrites a statement.
pub(super) fn rewrite(sql: &str) -> String {
    let mut out = String::with_capacity(sql.len() + 64);
    let mut rest = sql;
    while let Some((before, found, after)) = next(rest) {
        out.push_str(before);
        let (replaced, left) = match found {
            LIST => list(after),
            EACH => each(after),
            EXTRACT => extract(after),
            _ => (" ILIKE ".to_owned(), after),
        };
        out.push_str(&replaced);
        rest = left;
    }
    out.push_str(rest);
    out
}

const LIST: &str = "(SELECT value FROM json_each(";
const EACH: &str = "json_each(";
const EXTRACT: &str = "json_extract(";
const LIKE: &str = " LIKE ";

/// The first of the words, with what is before and behind it.
fn next(text: &str) -> Option<(&str, &'static str, &str)> {
    let found = [LIST, EACH, EXTRACT, LIKE].into_iter().filter_map(|word| Some((text.find(word)?, word)));
    let (_at, word) = found.min()?;
    let (before, after) = text.split_once(word)?;
    Some((before, word, after))
}

/// `$1))` and what follows.
fn list(after: &str) -> (String, &str) {
    match after.split_once("))") {
        Some((parameter, left)) => (format!("(SELECT unnest({parameter}))"), left),
        None => (LIST.to_owned(), after),
    }
}

/// `$1)`, perhaps with a name behind it, and what follows.
fn each(after: &str) -> (String, &str) {
    let Some((parameter, left)) = after.split_once(')') else { return (EACH.to_owned(), after) };
    let rows = format!(
        "(SELECT place - 1 AS key, value FROM jsonb_array_elements({parameter}::jsonb) WITH ORDINALITY AS \
         every(value, place))"
    );
    let named =
        left.strip_prefix(" j").is_some_and(|more| !more.starts_with(|next: char| next.is_alphanumeric()));
    (if named { rows } else { rows + " AS list" }, left)
}

/// `value, '$[0]')` and what follows.
fn extract(after: &str) -> (String, &str) {
    let Some((inside, left)) = after.split_once("]')") else { return (EXTRACT.to_owned(), after) };
    match inside.split_once(", '$[") {
        Some((value, index)) => (format!("({value} ->> {index})"), left),
        None => (EXTRACT.to_owned(), after),
    }
}

#[cfg(test)]
mod tests {
    use super::rewrite;

    #[test]
    fn only_what_differs_is_rewritten() {
        for same in ["SELECT 1", "UPDATE topic SET name = $1 WHERE id = $2", "SELECT '$[0]'"] {
            assert_eq!(rewrite(same), same);
        }
        assert_eq!(
            rewrite(
                "DELETE FROM x WHERE id IN (SELECT value FROM json_each($1)) AND name LIKE $2 ESCAPE '\\'"
            ),
            "DELETE FROM x WHERE id IN (SELECT unnest($1)) AND name ILIKE $2 ESCAPE '\\'"
        );
        assert_eq!(
            rewrite(
                "SELECT json_extract(j.value, '$[10]') FROM json_each($2) j WHERE json_extract(value, '$[1]') = $1"
            ),
            "SELECT (j.value ->> 10) FROM (SELECT place - 1 AS key, value FROM jsonb_array_elements($2::jsonb) \
             WITH ORDINALITY AS every(value, place)) j WHERE (value ->> 1) = $1"
        );
        assert!(rewrite("SELECT key FROM json_each($1) WHERE true").contains("AS list WHERE true"));
    }
}
