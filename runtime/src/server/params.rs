//! The parameters of a query string, strictly: none is ignored, none is given twice unless that means something, and all
//! that is wrong with them is told at once.

use super::problem::{Kind, Mistakes, Problem};
use dbgen_schema::json::Int64;

/// Parameters that nobody has asked for yet, decoded.
#[derive(Debug)]
pub(crate) struct Params {
    pairs: Vec<(String, String)>,
    /// What was wrong with those that were asked for.
    mistakes: Mistakes,
}

/// What a route takes from its query string.
pub(crate) trait FromParams: Sized {
    /// The names it knows, for "did you mean".
    const NAMES: &'static [&'static str];

    /// Takes what it knows; what is wrong is noted. What is left is refused by the caller.
    fn from_params(params: &mut Params) -> Self;
}

impl Params {
    /// Decodes a query string, the part of a URL behind the `?`.
    pub(crate) fn parse(query: &str) -> Result<Params, Problem> {
        let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(name)?, decode(value)?))
        });
        Ok(Params { pairs: pairs.collect::<Result<_, Problem>>()?, mistakes: Mistakes::of_url() })
    }

    /// Reads all of them.
    pub(crate) fn read<T: FromParams>(mut self) -> Result<T, Problem> {
        let value = T::from_params(&mut self);
        for (name, _) in &self.pairs {
            self.mistakes.push(unknown_parameter(name, T::NAMES.iter().copied()));
        }
        self.mistakes.check(Kind::InvalidParameter)?;
        Ok(value)
    }

    /// The value of a parameter that may be given once.
    pub(crate) fn take(&mut self, name: &str) -> Option<String> {
        let mut values = self.pairs.extract_if(.., |(given, _)| given == name);
        let (_, value) = values.next()?;
        if values.count() > 0 {
            let detail = format!("the parameter `{name}` is given twice");
            self.mistakes.push(Problem::new(Kind::DuplicateParameter, detail).member("param", name));
            return None;
        }
        Some(value)
    }

    /// The same, read by `read`.
    pub(crate) fn take_read<T>(&mut self, name: &str, read: impl FnOnce(&str) -> Result<T, Problem>) -> Option<T> {
        let value = self.take(name)?;
        self.mistakes.note(read(&value))
    }

    /// The value of a parameter that is one of a few words.
    pub(crate) fn take_word<T: Copy>(&mut self, name: &str, words: &[(&str, T)]) -> Option<T> {
        self.take_read(name, |value| match words.iter().find(|(word, _)| *word == value) {
            Some((_, meaning)) => Ok(*meaning),
            None => {
                let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
                Err(invalid_parameter(name, value, &format!("one of {}", known.join(", "))))
            }
        })
    }

    /// `true` or `false`; false if not given.
    pub(crate) fn take_flag(&mut self, name: &str) -> bool {
        self.take_word(name, &[("true", true), ("false", false)]).unwrap_or(false)
    }

    /// How 64-bit integers are written.
    pub(crate) fn take_int64(&mut self) -> Int64 {
        self.take_word("int64", &[("string", Int64::Text), ("number", Int64::Number)]).unwrap_or_default()
    }

    /// Everything that is left, in order.
    pub(crate) fn take_rest(&mut self) -> Vec<(String, String)> {
        std::mem::take(&mut self.pairs)
    }

    /// What was wrong so far, for who finds more of it later and tells all of it then.
    pub(crate) fn take_mistakes(&mut self) -> Mistakes {
        std::mem::replace(&mut self.mistakes, Mistakes::of_url())
    }
}

/// No parameter at all.
impl FromParams for () {
    const NAMES: &'static [&'static str] = &[];

    fn from_params(_: &mut Params) -> Self {}
}

/// The problem of a parameter that the route does not know.
pub(crate) fn unknown_parameter<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Problem {
    let known: Vec<&str> = known.collect();
    let sentence = match known.as_slice() {
        [] => format!("there is no parameter `{name}`: this route takes none"),
        _ => format!("there is no parameter `{name}`"),
    };
    Problem::unknown(Kind::UnknownParameter, sentence, name, known.iter().copied())
        .member("param", name)
        .member("known", known)
}

/// The problem of a parameter with a value that it cannot have.
pub(crate) fn invalid_parameter(name: &str, got: &str, expected: &str) -> Problem {
    Problem::new(Kind::InvalidParameter, format!("`{name}` must be {expected}, got {got:?}"))
        .member("param", name)
        .member("expected", expected)
        .member("got", got)
}

/// Undoes the encoding of forms: `+` is a space, `%41` a byte.
fn decode(text: &str) -> Result<String, Problem> {
    let refuse = |why: &str| Problem::new(Kind::InvalidParameter, format!("{text:?} in the URL {why}"));
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16));
                let (Some(high), Some(low)) = (digit(), digit()) else {
                    return Err(refuse("has a % that two hexadecimal digits do not follow"));
                };
                (high * 16 + low) as u8
            }
            other => other,
        });
    }
    String::from_utf8(bytes).map_err(|_| refuse("is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_decoded() {
        let mut params = Params::parse("a=1&b=x+y%20z%26&&c").unwrap();
        assert_eq!(params.take("b").as_deref(), Some("x y z&"));
        assert_eq!(params.take_rest(), [("a".to_owned(), "1".to_owned()), ("c".to_owned(), String::new())]);
        for wrong in ["a=%", "a=%4", "a=%zz", "%ff=1"] {
            assert_eq!(Params::parse(wrong).unwrap_err().kind(), Kind::InvalidParameter, "{wrong}");
        }
    }

    #[test]
    fn none_is_ignored() {
        let problem = Params::parse("limt=1").unwrap().read::<()>().unwrap_err();
        assert_eq!(problem.kind(), Kind::UnknownParameter);
        let kind_of = |query: &str| {
            let mut params = Params::parse(query).unwrap();
            assert!(!params.take_flag("a"));
            params.read::<()>().unwrap_err().kind()
        };
        assert_eq!(kind_of("a=true&a=true"), Kind::DuplicateParameter);
        assert_eq!(kind_of("a=yes"), Kind::InvalidParameter);
        assert_eq!(kind_of("a=yes&b=1&c=2"), Kind::InvalidParameter, "several kinds are of the general one");
    }
}
