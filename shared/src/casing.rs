//! How names of tables and columns become names of collections and fields.

use serde::{Deserialize, Serialize};

/// The project's global casing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Casing {
    /// `orderLine`
    #[default]
    CamelCase,
    /// `OrderLine`
    TitleCase,
    /// `order-line`
    KebabCase,
    /// `order_line`
    SnakeCase,
    /// `ORDER_LINE`
    UpperSnakeCase,
    /// As the source has it; a dot or a leading `$` becomes `_`.
    Original,
}

impl Casing {
    /// All of them, in the order in which the page offers them.
    pub const ALL: [Casing; 6] = [
        Casing::CamelCase,
        Casing::TitleCase,
        Casing::KebabCase,
        Casing::SnakeCase,
        Casing::UpperSnakeCase,
        Casing::Original,
    ];

    /// The name of a collection or field for a table's or column's name.
    ///
    /// A name without any word character (`___`) stays as it is, but for the characters that MongoDB cannot hold.
    pub fn apply(self, name: &str) -> String {
        let words = words(name);
        if self == Casing::Original || words.is_empty() {
            let name = name.replace(['.', '\0'], "_");
            return match name.strip_prefix('$') {
                Some(rest) => format!("_{rest}"),
                None => name,
            };
        }
        let lower: Vec<String> = words.iter().map(|w| w.to_lowercase()).collect();
        match self {
            Casing::CamelCase => {
                let mut out = lower[0].clone();
                lower[1..].iter().for_each(|w| out.push_str(&capitalised(w)));
                out
            }
            Casing::TitleCase => lower.iter().map(|w| capitalised(w)).collect(),
            Casing::KebabCase => lower.join("-"),
            Casing::SnakeCase => lower.join("_"),
            Casing::UpperSnakeCase => lower.join("_").to_uppercase(),
            Casing::Original => unreachable!("answered above"),
        }
    }
}

fn capitalised(word: &str) -> String {
    let mut chars = word.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}

/// Splits on `_ - . $` and white space, before a capital after a small letter or digit, and before the last capital of
/// an acronym that a small letter follows.
pub(crate) fn words(name: &str) -> Vec<String> {
    let chars: Vec<char> = name.chars().collect();
    let (mut words, mut word) = (Vec::new(), String::new());
    for (i, &c) in chars.iter().enumerate() {
        let separator = matches!(c, '_' | '-' | '.' | '$' | '\0') || c.is_whitespace();
        let previous = i.checked_sub(1).map(|p| chars[p]);
        let next = chars.get(i + 1).copied();
        let starts_word = is_upper(c)
            && (previous.is_some_and(|p| is_lower(p) || p.is_ascii_digit())
                || (previous.is_some_and(is_upper) && next.is_some_and(is_lower)));
        if (separator || starts_word) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if !separator {
            word.push(c);
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// Latin capitals, as the casing rule names them; other scripts stay as they are.
fn is_upper(c: char) -> bool {
    c.is_ascii_uppercase() || ('À'..='Ö').contains(&c) || ('Ø'..='Þ').contains(&c)
}

fn is_lower(c: char) -> bool {
    c.is_ascii_lowercase() || ('ß'..='ö').contains(&c) || ('ø'..='ÿ').contains(&c)
}

/// Gives every name of a list one of its own: a name that is taken gets a number behind it, the second one `2`.
pub fn distinct(names: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut taken = std::collections::HashSet::new();
    names
        .into_iter()
        .map(|name| {
            let free = (2..)
                .map(|n| format!("{name}{n}"))
                .find(|candidate| !taken.contains(candidate));
            let own = if taken.contains(&name) {
                free.expect("the numbers do not end")
            } else {
                name
            };
            taken.insert(own.clone());
            own
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_name_in_every_casing() {
        let check =
            |name: &str, expected: [&str; 6]| assert_eq!(Casing::ALL.map(|c| c.apply(name)), expected, "{name}");
        check(
            "ORDER_LINE",
            [
                "orderLine",
                "OrderLine",
                "order-line",
                "order_line",
                "ORDER_LINE",
                "ORDER_LINE",
            ],
        );
        check(
            "OrderID",
            ["orderId", "OrderId", "order-id", "order_id", "ORDER_ID", "OrderID"],
        );
        check(
            "Order Details",
            [
                "orderDetails",
                "OrderDetails",
                "order-details",
                "order_details",
                "ORDER_DETAILS",
                "Order Details",
            ],
        );
        check(
            "net.price",
            [
                "netPrice",
                "NetPrice",
                "net-price",
                "net_price",
                "NET_PRICE",
                "net_price",
            ],
        );
        check("$price", ["price", "Price", "price", "price", "PRICE", "_price"]);
        check(
            "HTTPServer2Name",
            [
                "httpServer2Name",
                "HttpServer2Name",
                "http-server2-name",
                "http_server2_name",
                "HTTP_SERVER2_NAME",
                "HTTPServer2Name",
            ],
        );
        check("ünï", ["ünï", "Ünï", "ünï", "ünï", "ÜNÏ", "ünï"]);
        check("___", ["___", "___", "___", "___", "___", "___"]);
    }

    #[test]
    fn a_taken_name_gets_a_number() {
        let names = ["a", "b", "a", "a2", "a"].map(String::from);
        assert_eq!(distinct(names), ["a", "b", "a2", "a22", "a3"]);
    }
}
