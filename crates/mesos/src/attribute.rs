//! What an agent says of itself beside its resources (Mesos' `Attributes`).

use std::fmt;

use crate::resource::{Parsed, Ranges, Scalar, parse_value};

/// An agent's attributes, in the order given; a name may stand there more than once.
///
/// Two lists are equal if each holds every (name, type, value) of the other.
#[derive(Clone, Debug, Default)]
pub struct Attributes(pub Vec<(String, AttributeValue)>);

/// The value of an attribute.
#[derive(Clone, PartialEq, Debug)]
pub enum AttributeValue {
    /// A number.
    Scalar(Scalar),
    /// Ranges of whole numbers.
    Ranges(Ranges),
    /// Anything else, without its blanks.
    Text(String),
}

/// Why a text is no list of attributes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct AttributeError(pub String);

impl Attributes {
    /// Parses `name:value;...`, tokens split by `;` or a new line, each at its first `:` (`Attributes::parse`).
    ///
    /// # Errors
    /// A token without colon, or a value that is a set.
    pub fn parse(text: &str) -> Result<Self, AttributeError> {
        let tokens = text.split([';', '\n']).filter(|token| !token.is_empty());
        tokens.map(parse_attribute).collect::<Result<_, _>>().map(Self)
    }

    /// The first attribute with this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&AttributeValue> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }
}

fn parse_attribute(token: &str) -> Result<(String, AttributeValue), AttributeError> {
    let pair = token.split_once(':').filter(|(name, value)| !name.is_empty() && !value.is_empty());
    let (name, value) =
        pair.ok_or_else(|| AttributeError(format!("attribute `{token}` is not of the form name:value")))?;
    let wrong = |cause: &dyn fmt::Display| {
        AttributeError(format!("`{}` is no value for attribute `{}`: {cause}", value.trim(), name.trim()))
    };
    let value = match parse_value(value) {
        Ok(Parsed::Number(number)) => {
            let number = Scalar::from_f64(number).ok_or_else(|| wrong(&"the number is too large"))?;
            AttributeValue::Scalar(number)
        }
        Ok(Parsed::Ranges(intervals)) => AttributeValue::Ranges(Ranges::new(intervals)),
        Ok(Parsed::Text(text)) => AttributeValue::Text(text),
        Ok(Parsed::Set(_)) => return Err(wrong(&"attributes cannot be sets")),
        Err(cause) => return Err(wrong(&cause)),
    };
    Ok((name.to_owned(), value))
}

impl fmt::Display for Attributes {
    /// As text that parses to the same.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (name, value)) in self.0.iter().enumerate() {
            write!(f, "{}{name}:{value}", if place > 0 { ";" } else { "" })?;
        }
        Ok(())
    }
}

impl fmt::Display for AttributeValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scalar(number) => fmt::Display::fmt(number, f),
            Self::Ranges(ranges) => fmt::Display::fmt(ranges, f),
            Self::Text(text) => f.write_str(text),
        }
    }
}

impl PartialEq for Attributes {
    fn eq(&self, other: &Self) -> bool {
        let within = |a: &Self, b: &Self| a.0.iter().all(|attribute| b.0.contains(attribute));
        within(self, other) && within(other, self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_token_is_split_at_its_first_colon_and_blanks_in_values_vanish() {
        let attributes = Attributes::parse("rack:r 1;url:http://a:80\nslots:[1-2,3-4];gen:2;").unwrap();
        assert_eq!(attributes.to_string(), "rack:r1;url:http://a:80;slots:[1-4];gen:2");
        assert_eq!(attributes.get("gen"), Some(&AttributeValue::Scalar(Scalar::whole(2))));
    }

    #[test]
    fn the_order_of_attributes_does_not_tell_them_apart() {
        let [a, b] = ["x:1;y:2;x:1", "y:2;x:1"].map(|text| Attributes::parse(text).unwrap());
        assert_eq!(a, b);
        assert_ne!(a, Attributes::parse("x:1").unwrap());
    }

    #[test]
    fn sets_and_tokens_without_a_colon_are_refused_by_name() {
        for (text, words) in [("a:{b}", "sets"), ("rack", "`rack`"), ("a:[1", "mismatched"), (":1", "`:1`")] {
            assert!(Attributes::parse(text).expect_err(text).to_string().contains(words), "{text}");
        }
    }
}
