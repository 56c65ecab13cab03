//! The parameters of a query string, strictly: none is ignored, none is given twice unless that means something.

use super::problem::{Kind, Problem};
use dbgen_schema::json::Int64;

/// Parameters that nobody has asked for yet, decoded.
#[derive(Debug, Default)]
pub(crate) struct Params {
    pairs: Vec<(String, String)>,
}

/// What a route takes from its query string.
pub(crate) trait FromParams: Sized {
    /// The names it knows, for "did you mean".
    const NAMES: &'static [&'static str];

    /// Takes what it knows. What is left is refused by the caller.
    fn from_params(params: &mut Params) -> Result<Self, Problem>;
}

impl Params {
    /// Decodes a query string, the part of a URL behind the `?`.
    pub(crate) fn parse(query: &str) -> Result<Params, Problem> {
        let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(name)?, decode(value)?))
        });
        Ok(Params { pairs: pairs.collect::<Result<_, Problem>>()? })
    }

    /// Reads all of them.
    pub(crate) fn read<T: FromParams>(mut self) -> Result<T, Problem> {
        let value = T::from_params(&mut self)?;
        match self.pairs.first() {
            None => Ok(value),
            Some((name, _)) => Err(unknown_parameter(name, T::NAMES.iter().copied())),
        }
    }

    /// The value of a parameter that may be given once.
    pub(crate) fn take(&mut self, name: &str) -> Result<Option<String>, Problem> {
        let Some(at) = self.pairs.iter().position(|(given, _)| given == name) else { return Ok(None) };
        let (_, value) = self.pairs.remove(at);
        if self.pairs.iter().any(|(given, _)| given == name) {
            let detail = format!("the parameter `{name}` is given twice");
            return Err(Problem::new(Kind::DuplicateParameter, detail).member("param", name));
        }
        Ok(Some(value))
    }

    /// The value of a parameter that is one of a few words.
    pub(crate) fn take_word<T: Copy>(&mut self, name: &str, words: &[(&str, T)]) -> Result<Option<T>, Problem> {
        let Some(value) = self.take(name)? else { return Ok(None) };
        match words.iter().find(|(word, _)| *word == value) {
            Some((_, meaning)) => Ok(Some(*meaning)),
            None => {
                let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
                Err(invalid_parameter(name, &value, &format!("one of {}", known.join(", "))))
            }
        }
    }

    /// `true` or `false`; false if not given.
    pub(crate) fn take_flag(&mut self, name: &str) -> Result<bool, Problem> {
        Ok(self.take_word(name, &[("true", true), ("false", false)])?.unwrap_or(false))
    }

    /// How 64-bit integers are written.
    pub(crate) fn take_int64(&mut self) -> Result<Int64, Problem> {
        Ok(self.take_word("int64", &[("string", Int64::Text), ("number", Int64::Number)])?.unwrap_or_default())
    }

    /// Everything that is left, in order.
    pub(crate) fn take_rest(&mut self) -> Vec<(String, String)> {
        std::mem::take(&mut self.pairs)
    }
}

/// No parameter at all.
impl FromParams for () {
    const NAMES: &'static [&'static str] = &[];

    fn from_params(_: &mut Params) -> Result<Self, Problem> {
        Ok(())
    }
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
        assert_eq!(params.take("b").unwrap().as_deref(), Some("x y z&"));
        assert_eq!(params.take_rest(), [("a".to_owned(), "1".to_owned()), ("c".to_owned(), String::new())]);
        for wrong in ["a=%", "a=%4", "a=%zz", "%ff=1"] {
            assert_eq!(Params::parse(wrong).unwrap_err().kind(), Kind::InvalidParameter, "{wrong}");
        }
    }

    #[test]
    fn none_is_ignored() {
        let problem = Params::parse("limt=1").unwrap().read::<()>().unwrap_err();
        assert_eq!(problem.kind(), Kind::UnknownParameter);
        assert_eq!(Params::parse("a=1&a=2").unwrap().take("a").unwrap_err().kind(), Kind::DuplicateParameter);
        assert_eq!(Params::parse("a=yes").unwrap().take_flag("a").unwrap_err().kind(), Kind::InvalidParameter);
    }
}
