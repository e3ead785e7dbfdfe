//! Expressions that need no engine: arithmetic, comparison and choice over columns and constants, as most are.
//!
//! Only a part of the language that has one meaning in every engine is read here; anything else is `None`, and is left to
//! the engine. So is a row whose values are of other kinds (see `assemble/plain.rs`).

/// An expression without loops, calls and memory.
#[derive(Debug, Clone, PartialEq)]
pub enum Plain {
    /// The number of an input of the script.
    Column(usize),
    Number(f64),
    Text(String),
    Bool(bool),
    Null,
    Undefined,
    Not(Box<Plain>),
    Minus(Box<Plain>),
    Plus(Box<Plain>),
    Calculate(Operator, Box<Plain>, Box<Plain>),
    Compare(Comparison, Box<Plain>, Box<Plain>),
    And(Box<Plain>, Box<Plain>),
    Or(Box<Plain>, Box<Plain>),
    /// `a ?? b`
    Else(Box<Plain>, Box<Plain>),
    /// `a ? b : c`
    If(Box<Plain>, Box<Plain>, Box<Plain>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    Same,
    NotSame,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// Words and signs of an expression: so no tree is too deep to walk.
const TOKENS_MAX: usize = 300;

/// Reads an expression over these columns.
pub fn parse(source: &str, inputs: &[(String, usize)]) -> Option<Plain> {
    // The engine takes no text with a zero byte, and says so.
    if source.contains('\0') {
        return None;
    }
    let tokens = tokens(source)?;
    let mut parser = Parser {
        tokens: &tokens,
        inputs,
    };
    let plain = parser.choice()?;
    parser.tokens.is_empty().then_some(plain)
}

#[derive(Debug, Clone, PartialEq)]
enum Token<'a> {
    Word(&'a str),
    Text(&'a str),
    Number(f64),
    Sign(&'static str),
}

/// Longer signs first. What is not among them (`++`, `**`, `=>`, `?.`, comments) is read as something that no rule takes.
const SIGNS: [&str; 29] = [
    "===", "!==", "++", "--", "**", "=>", "?.", "??", "//", "/*", "<<", ">>", "==", "!=", "<=", ">=", "&&", "||", "+",
    "-", "*", "/", "%", "<", ">", "!", "?", ":", "(",
];
const MORE_SIGNS: [&str; 4] = [")", ".", "[", "]"];

fn tokens(source: &str) -> Option<Vec<Token<'_>>> {
    let mut tokens = Vec::new();
    let mut rest = source.trim_start_matches([' ', '\t', '\r', '\n']);
    while let Some(first) = rest.chars().next() {
        if tokens.len() >= TOKENS_MAX {
            return None;
        }
        let (token, length) = match first {
            '0'..='9' => number(rest)?,
            '"' | '\'' => {
                let (text, _) = rest[1..].split_once(first)?;
                if text.contains(['\\', '\n', '\r', '\u{2028}', '\u{2029}']) {
                    return None;
                }
                (Token::Text(text), text.len() + 2)
            }
            'a'..='z' | 'A'..='Z' | '_' | '$' => {
                let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$';
                let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
                // A letter of another script may belong to the word.
                if rest[end..].starts_with(|c: char| !c.is_ascii() || c == '\\') {
                    return None;
                }
                (Token::Word(&rest[..end]), end)
            }
            _ => {
                let sign = SIGNS.iter().chain(&MORE_SIGNS).find(|sign| rest.starts_with(**sign))?;
                (Token::Sign(sign), sign.len())
            }
        };
        tokens.push(token);
        rest = rest[length..].trim_start_matches([' ', '\t', '\r', '\n']);
    }
    Some(tokens)
}

/// Decimal digits, a fraction, an exponent; no other forms.
fn number(rest: &str) -> Option<(Token<'_>, usize)> {
    let digits = |from: usize| {
        rest[from..]
            .find(|c: char| !c.is_ascii_digit())
            .map_or(rest.len(), |n| from + n)
    };
    let mut end = digits(0);
    if end > 1 && rest.starts_with('0') {
        return None;
    }
    if rest[end..].starts_with('.') {
        let fraction = digits(end + 1);
        if fraction == end + 1 {
            return None;
        }
        end = fraction;
    }
    if rest[end..].starts_with(['e', 'E']) {
        let sign = usize::from(rest[end + 1..].starts_with(['+', '-']));
        let exponent = digits(end + 1 + sign);
        if exponent == end + 1 + sign {
            return None;
        }
        end = exponent;
    }
    let follows = rest[end..].chars().next();
    let is_more =
        follows.is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '$' | '.' | '\\') || !c.is_ascii());
    if is_more {
        return None;
    }
    Some((Token::Number(rest[..end].parse().ok()?), end))
}

struct Parser<'t, 'i> {
    tokens: &'t [Token<'t>],
    inputs: &'i [(String, usize)],
}

type Pair = fn(Box<Plain>, Box<Plain>) -> Plain;

impl Parser<'_, '_> {
    fn sees(&self, sign: &str) -> bool {
        matches!(self.tokens.first(), Some(Token::Sign(found)) if *found == sign)
    }

    fn accept(&mut self, sign: &str) -> bool {
        let found = self.sees(sign);
        if found {
            self.tokens = &self.tokens[1..];
        }
        found
    }

    fn choice(&mut self) -> Option<Plain> {
        let condition = self.either()?;
        if !self.accept("?") {
            return Some(condition);
        }
        let yes = self.choice()?;
        if !self.accept(":") {
            return None;
        }
        let no = self.choice()?;
        Some(Plain::If(condition.into(), yes.into(), no.into()))
    }

    /// `||`, or `??`, which must not stand beside it.
    fn either(&mut self) -> Option<Plain> {
        let first = self.both()?;
        if !self.sees("??") {
            let mut left = first;
            while self.accept("||") {
                left = Plain::Or(left.into(), self.both()?.into());
            }
            return (!self.sees("??")).then_some(left);
        }
        let is_pair = |plain: &Plain| matches!(plain, Plain::And(..));
        let mut left = first;
        while self.accept("??") {
            let right = self.both()?;
            if is_pair(&left) || is_pair(&right) {
                return None;
            }
            left = Plain::Else(left.into(), right.into());
        }
        (!self.sees("||")).then_some(left)
    }

    fn both(&mut self) -> Option<Plain> {
        let mut left = self.equality()?;
        while self.accept("&&") {
            left = Plain::And(left.into(), self.equality()?.into());
        }
        Some(left)
    }

    fn chain(&mut self, signs: &[(&str, Pair)], inner: fn(&mut Self) -> Option<Plain>) -> Option<Plain> {
        let mut left = inner(self)?;
        while let Some((_, pair)) = signs.iter().find(|(sign, _)| self.accept(sign)) {
            left = pair(left.into(), inner(self)?.into());
        }
        Some(left)
    }

    fn equality(&mut self) -> Option<Plain> {
        let signs: [(&str, Pair); 4] = [
            ("===", |a, b| Plain::Compare(Comparison::Same, a, b)),
            ("!==", |a, b| Plain::Compare(Comparison::NotSame, a, b)),
            ("==", |a, b| Plain::Compare(Comparison::Equal, a, b)),
            ("!=", |a, b| Plain::Compare(Comparison::NotEqual, a, b)),
        ];
        self.chain(&signs, Self::order)
    }

    fn order(&mut self) -> Option<Plain> {
        let signs: [(&str, Pair); 4] = [
            ("<=", |a, b| Plain::Compare(Comparison::LessOrEqual, a, b)),
            (">=", |a, b| Plain::Compare(Comparison::GreaterOrEqual, a, b)),
            ("<", |a, b| Plain::Compare(Comparison::Less, a, b)),
            (">", |a, b| Plain::Compare(Comparison::Greater, a, b)),
        ];
        self.chain(&signs, Self::sum)
    }

    fn sum(&mut self) -> Option<Plain> {
        let signs: [(&str, Pair); 2] = [
            ("+", |a, b| Plain::Calculate(Operator::Add, a, b)),
            ("-", |a, b| Plain::Calculate(Operator::Subtract, a, b)),
        ];
        self.chain(&signs, Self::product)
    }

    fn product(&mut self) -> Option<Plain> {
        let signs: [(&str, Pair); 3] = [
            ("*", |a, b| Plain::Calculate(Operator::Multiply, a, b)),
            ("/", |a, b| Plain::Calculate(Operator::Divide, a, b)),
            ("%", |a, b| Plain::Calculate(Operator::Remainder, a, b)),
        ];
        self.chain(&signs, Self::signed)
    }

    fn signed(&mut self) -> Option<Plain> {
        type Wrap = fn(Box<Plain>) -> Plain;
        let signs: [(&str, Wrap); 3] = [("!", Plain::Not), ("-", Plain::Minus), ("+", Plain::Plus)];
        for (sign, wrap) in signs {
            if self.accept(sign) {
                return Some(wrap(self.signed()?.into()));
            }
        }
        self.operand()
    }

    fn operand(&mut self) -> Option<Plain> {
        if self.accept("(") {
            let inner = self.choice()?;
            return self.accept(")").then_some(inner);
        }
        let (token, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        let plain = match token {
            Token::Number(n) => Plain::Number(*n),
            Token::Text(text) => Plain::Text((*text).to_owned()),
            Token::Word("true") => Plain::Bool(true),
            Token::Word("false") => Plain::Bool(false),
            Token::Word("null") => Plain::Null,
            Token::Word("undefined") => Plain::Undefined,
            Token::Word("columns") => return self.column(),
            Token::Word(_) | Token::Sign(_) => return None,
        };
        Some(plain)
    }

    fn column(&mut self) -> Option<Plain> {
        let (name, rest) = match self.tokens {
            [Token::Sign("."), Token::Word(name), rest @ ..]
            | [Token::Sign("["), Token::Text(name), Token::Sign("]"), rest @ ..] => (*name, rest),
            _ => return None,
        };
        self.tokens = rest;
        Some(Plain::Column(self.inputs.iter().position(|(input, _)| input == name)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs() -> Vec<(String, usize)> {
        ["a", "b c"].iter().map(|n| ((*n).to_owned(), 0)).collect()
    }

    #[test]
    fn arithmetic_over_columns_is_plain() {
        for source in [
            "columns.a",
            "columns['b c'] * (1 - columns[\"a\"])",
            " columns . a > 0\n",
            "columns.a === 'x' ? 1.5e3 : null",
            "-columns.a + +1 - -2",
            "!columns.a && columns.a !== undefined || true",
            "columns.a ?? 'none'",
            "1 < 2 == true",
            "columns.a % 2 === 0",
        ] {
            assert!(parse(source, &inputs()).is_some(), "{source}");
        }
        let column = || Box::new(Plain::Column(0));
        let two = Box::new(Plain::Number(2.0));
        let product = Plain::Calculate(Operator::Multiply, column(), two);
        assert_eq!(
            parse("columns.a - columns.a * 2", &inputs()),
            Some(Plain::Calculate(Operator::Subtract, column(), product.into()))
        );
    }

    #[test]
    fn what_the_engine_does_not_take_is_not_plain() {
        assert!(parse("' '", &inputs()).is_some());
        assert!(parse("'\0'", &inputs()).is_none());
    }

    #[test]
    fn anything_else_is_left_to_the_engine() {
        let long = ["1"; 300].join("+");
        let deep = format!("{}1{}", "(".repeat(2000), ")".repeat(2000));
        for source in [
            "",
            "1 +",
            "(1",
            "1)",
            "1, 2",
            "1 2",
            "columns",
            "columns.c",
            "columns.a.b",
            "columns.a[0]",
            "columns.a()",
            "columns[0]",
            "columns['a' + 'b']",
            "columns?.a",
            "columns.a?.b",
            "x",
            "a.columns",
            "1n",
            "1_000",
            "0x10",
            "010",
            "1.",
            ".5",
            "1e",
            "1.2.3",
            "'\\n'",
            "'a\nb'",
            "`a`",
            "/a/",
            "1 // a",
            "1 /* a */",
            "1 <!-- a",
            "1 --> 2",
            "2 ** 3",
            "columns.a--1",
            "columns.a++1",
            "1 << 2",
            "1 >> 2",
            "1 >>> 2",
            "1 & 2",
            "1 | 2",
            "~1",
            "typeof 1",
            "a => 1",
            "1 ?? 2 || 3",
            "1 || 2 ?? 3",
            "1 && 2 ?? 3",
            "1 ?? 2 && 3",
            "columns.a = 1",
            "columns.ä",
            "columns.a\\u0062",
            "[1]",
            "{a: 1}",
            "1\u{a0}+ 1",
            "'a' in columns",
            "1 ? 2",
            "this",
            "columns.a ; 1",
            &long,
            &deep,
        ] {
            assert_eq!(parse(source, &inputs()), None, "{source}");
        }
    }
}
