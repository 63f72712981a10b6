//! User names. Until authentication exists, a session's user is who its connection string says.

use crate::error::{Error, Result, sqlstate};

/// Who a session without a connection string is: an administrator, unless other policies are applied.
pub const DEFAULT_USER: &str = "isobar";

/// Bytes of a name, as of every identifier (PostgreSQL's NAMEDATALEN).
const NAME_BYTES_MAX: usize = 63;

/// 28000 for what is no user's name. A name that cannot be taken as it is must not become another user's.
pub fn user_name(name: &str) -> Result<&str> {
    let reason = if name.is_empty() {
        "it is empty"
    } else if name.len() > NAME_BYTES_MAX {
        "it is longer than 63 bytes"
    } else if name.chars().any(char::is_control) {
        "it has control characters"
    } else {
        return Ok(name);
    };
    Err(Error::new(sqlstate::INVALID_AUTHORIZATION_SPECIFICATION, format!("invalid user name {name:?}: {reason}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_whole_or_not_at_all() {
        for name in ["ann", "ann-b", "Ann B.", "é", &"a".repeat(63)] {
            assert_eq!(user_name(name).ok(), Some(name));
        }
        for name in ["", "a\0b", "a\nb", &"a".repeat(64)] {
            assert_eq!(user_name(name).map_err(|error| error.sqlstate().to_string()), Err("28000".into()));
        }
    }
}
