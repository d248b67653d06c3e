//! Names of roles: which are valid, and how they nest.
//!
//! A role is a path of components split by `/`. The rules, and the order in which they are checked, are those of
//! Mesos' `roles::validate`. What a role owns (weight, quota, reservations) is kept elsewhere.

/// The role of everything that nobody reserved.
pub const DEFAULT: &str = "*";

/// Why a text is not a role.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RoleError {
    /// Begins with `/`.
    #[error("role `{0}` begins with a slash")]
    LeadingSlash(String),
    /// Ends with `/`.
    #[error("role `{0}` ends with a slash")]
    TrailingSlash(String),
    /// Has two slashes in a row.
    #[error("role `{0}` has two slashes in a row")]
    DoubleSlash(String),
    /// The empty text.
    #[error("a role cannot be empty")]
    Empty,
    /// `.`, `..` or `*` as a component.
    #[error("role `{role}` cannot have `{component}` as a component")]
    ForbiddenComponent {
        /// The whole role.
        role: String,
        /// The component that is not allowed.
        component: String,
    },
    /// A component begins with `-`.
    #[error("role `{role}` has the component `{component}`, which begins with a dash")]
    LeadingDash {
        /// The whole role.
        role: String,
        /// The component that is not allowed.
        component: String,
    },
    /// A blank or a control character in a component.
    #[error("role {role:?} has a blank or control character (U+{character:04X})")]
    ForbiddenCharacter {
        /// The whole role.
        role: String,
        /// The first character that is not allowed, as its code point.
        character: u32,
    },
}

/// Whether Mesos would take `role` as the name of a role.
///
/// # Errors
/// The first rule that it breaks, in Mesos' order.
pub fn validate(role: &str) -> Result<(), RoleError> {
    if role == DEFAULT {
        return Ok(());
    }
    if role.starts_with('/') {
        return Err(RoleError::LeadingSlash(role.to_owned()));
    }
    if role.ends_with('/') {
        return Err(RoleError::TrailingSlash(role.to_owned()));
    }
    if role.contains("//") {
        return Err(RoleError::DoubleSlash(role.to_owned()));
    }
    if role.is_empty() {
        return Err(RoleError::Empty);
    }
    role.split('/').try_for_each(|component| validate_component(role, component))
}

/// Whether `left` lies below `right`: it begins with `right` and a slash. No role lies below itself.
#[must_use]
pub fn is_strict_subrole(left: &str, right: &str) -> bool {
    left.strip_prefix(right).is_some_and(|rest| rest.starts_with('/'))
}

/// The roles above `role`, nearest first: `a/b/c` has `a/b` and `a`; a role of the top level has none.
pub fn ancestors(role: &str) -> impl Iterator<Item = &str> {
    role.rmatch_indices('/').map(|(slash, _)| &role[..slash])
}

fn validate_component(role: &str, component: &str) -> Result<(), RoleError> {
    let named = || (role.to_owned(), component.to_owned());
    if matches!(component, "." | ".." | "*") {
        let (role, component) = named();
        return Err(RoleError::ForbiddenComponent { role, component });
    }
    if component.starts_with('-') {
        let (role, component) = named();
        return Err(RoleError::LeadingDash { role, component });
    }
    match component.chars().find(|&c| matches!(c, '\t'..='\r' | ' ' | '\x7f')) {
        Some(c) => Err(RoleError::ForbiddenCharacter { role: role.to_owned(), character: u32::from(c) }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mesos_takes_these() {
        for role in ["*", "a", "a/b/c", "Größe", "it's", "a-b", "a.b", "...", "a*", "\u{1}", "\u{a0}"] {
            assert_eq!(validate(role), Ok(()), "{role:?}");
        }
    }

    #[test]
    fn mesos_refuses_these_for_the_first_rule_that_they_break() {
        let text = |role: &str| validate(role).expect_err(role).to_string();
        for (role, words) in [
            ("/", "begins with a slash"),
            ("/a/", "begins with a slash"),
            ("a//", "ends with a slash"),
            ("a//.", "two slashes"),
            ("", "cannot be empty"),
            (".", "cannot have `.`"),
            ("a/..", "cannot have `..`"),
            ("*/a", "cannot have `*`"),
            ("a/-b c", "`-b c`, which begins with a dash"),
            ("a b", "U+0020"),
            ("a\u{b}b", "U+000B"),
            ("a\u{7f}", "U+007F"),
        ] {
            assert!(text(role).contains(words), "{role:?}: {}", text(role));
        }
    }

    #[test]
    fn no_role_lies_below_itself_or_below_a_mere_prefix() {
        assert!(is_strict_subrole("a/b", "a"));
        assert!(is_strict_subrole("a/b/c", "a"));
        assert!(!is_strict_subrole("a", "a"));
        assert!(!is_strict_subrole("ab", "a"));
        assert!(!is_strict_subrole("a", "a/b"));
    }

    #[test]
    fn ancestors_come_nearest_first() {
        assert_eq!(ancestors("a/b/c").collect::<Vec<_>>(), ["a/b", "a"]);
        assert_eq!(ancestors("a").count(), 0);
        assert_eq!(ancestors("*").count(), 0);
    }
}
