//! The settings that there are, as PostgreSQL 15 describes them in pg_settings.

/// What values a setting takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Boolean,
    /// Within bounds, in this unit ("" for none; otherwise ms, s or kB).
    Integer {
        minimum: i64,
        maximum: i64,
        unit: &'static str,
    },
    Choice(&'static [&'static str]),
    Text,
    /// Names with commas between them.
    List,
    Real,
    /// Its own rules: see `value::normalize`.
    DateStyle,
    TimeZone,
    Encoding,
    /// Cannot be changed.
    Preset,
}

/// A setting.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    pub name: &'static str,
    pub kind: Kind,
    pub default: &'static str,
    pub description: &'static str,
}

const fn setting(name: &'static str, kind: Kind, default: &'static str, description: &'static str) -> Known {
    Known { name, kind, default, description }
}

const fn integer(minimum: i64, maximum: i64, unit: &'static str) -> Kind {
    Kind::Integer { minimum, maximum, unit }
}

const MAXIMUM: i64 = i32::MAX as i64;
const MILLISECONDS: Kind = integer(0, MAXIMUM, "ms");
const KILOBYTES: Kind = integer(64, MAXIMUM, "kB");
const ISOLATION: Kind = Kind::Choice(&["serializable", "repeatable read", "read committed", "read uncommitted"]);

/// In the order of their names, letters compared without case, as SHOW ALL lists them.
#[rustfmt::skip]
pub const SETTINGS: &[Known] = &[
    setting("application_name", Kind::Text, "", "Sets the application name to be reported in statistics and logs."),
    setting("array_nulls", Kind::Boolean, "on", "Enable input of NULL elements in arrays."),
    setting("backslash_quote", Kind::Choice(&["safe_encoding", "on", "off"]), "safe_encoding", "Sets whether \"\\'\" is allowed in string literals."),
    setting("bytea_output", Kind::Choice(&["escape", "hex"]), "hex", "Sets the output format for bytea."),
    setting("check_function_bodies", Kind::Boolean, "on", "Check routine bodies during CREATE FUNCTION and CREATE PROCEDURE."),
    setting("client_encoding", Kind::Encoding, "UTF8", "Sets the client's character set encoding."),
    setting("client_min_messages", Kind::Choice(&["debug5", "debug4", "debug3", "debug2", "debug1", "log", "notice", "warning", "error"]), "notice", "Sets the message levels that are sent to the client."),
    setting("DateStyle", Kind::DateStyle, "ISO, MDY", "Sets the display format for date and time values."),
    setting("default_table_access_method", Kind::Text, "heap", "Sets the default table access method for new tables."),
    setting("default_tablespace", Kind::Text, "", "Sets the default tablespace to create tables and indexes in."),
    setting("default_text_search_config", Kind::Text, "pg_catalog.english", "Sets default text search configuration."),
    setting("default_transaction_deferrable", Kind::Boolean, "off", "Sets the default deferrable status of new transactions."),
    setting("default_transaction_isolation", ISOLATION, "repeatable read", "Sets the transaction isolation level of each new transaction."),
    setting("default_transaction_read_only", Kind::Boolean, "off", "Sets the default read-only status of new transactions."),
    setting("enable_bitmapscan", Kind::Boolean, "on", "Enables the planner's use of bitmap-scan plans."),
    setting("enable_hashagg", Kind::Boolean, "on", "Enables the planner's use of hashed aggregation plans."),
    setting("enable_hashjoin", Kind::Boolean, "on", "Enables the planner's use of hash join plans."),
    setting("enable_indexonlyscan", Kind::Boolean, "on", "Enables the planner's use of index-only-scan plans."),
    setting("enable_indexscan", Kind::Boolean, "on", "Enables the planner's use of index-scan plans."),
    setting("enable_material", Kind::Boolean, "on", "Enables the planner's use of materialization."),
    setting("enable_mergejoin", Kind::Boolean, "on", "Enables the planner's use of merge join plans."),
    setting("enable_nestloop", Kind::Boolean, "on", "Enables the planner's use of nested-loop join plans."),
    setting("enable_seqscan", Kind::Boolean, "on", "Enables the planner's use of sequential-scan plans."),
    setting("enable_sort", Kind::Boolean, "on", "Enables the planner's use of explicit sort steps."),
    setting("escape_string_warning", Kind::Boolean, "on", "Warn about backslash escapes in ordinary string literals."),
    setting("extra_float_digits", integer(-15, 3, ""), "1", "Sets the number of digits displayed for floating-point values."),
    setting("geqo", Kind::Boolean, "on", "Enables genetic query optimization."),
    setting("idle_in_transaction_session_timeout", MILLISECONDS, "0", "Sets the maximum allowed idle time between queries, when in a transaction."),
    setting("idle_session_timeout", MILLISECONDS, "0", "Sets the maximum allowed idle time between queries, when not in a transaction."),
    setting("in_hot_standby", Kind::Preset, "off", "Shows whether hot standby is currently active."),
    setting("integer_datetimes", Kind::Preset, "on", "Shows whether datetimes are integer based."),
    setting("IntervalStyle", Kind::Choice(&["postgres", "postgres_verbose", "sql_standard", "iso_8601"]), "postgres", "Sets the display format for interval values."),
    setting("is_superuser", Kind::Preset, "on", "Shows whether the current user is a superuser."),
    setting("isobar.read_staleness", MILLISECONDS, "0", "Sets how old what a transaction reads may be; 0 sees everything acknowledged before it began."),
    setting("jit", Kind::Boolean, "on", "Allow JIT compilation."),
    setting("lc_collate", Kind::Preset, "C", "Shows the collation order locale."),
    setting("lc_ctype", Kind::Preset, "C", "Shows the character classification and case conversion locale."),
    setting("lc_messages", Kind::Text, "C", "Sets the language in which messages are displayed."),
    setting("lc_monetary", Kind::Text, "C", "Sets the locale for formatting monetary amounts."),
    setting("lc_numeric", Kind::Text, "C", "Sets the locale for formatting numbers."),
    setting("lc_time", Kind::Text, "C", "Sets the locale for formatting date and time values."),
    setting("lock_timeout", MILLISECONDS, "0", "Sets the maximum allowed duration of any wait for a lock."),
    setting("maintenance_work_mem", integer(1024, MAXIMUM, "kB"), "65536", "Sets the maximum memory to be used for maintenance operations."),
    setting("max_identifier_length", Kind::Preset, "63", "Shows the maximum identifier length."),
    setting("max_index_keys", Kind::Preset, "8", "Shows the maximum number of index keys."),
    setting("password_encryption", Kind::Choice(&["md5", "scram-sha-256"]), "scram-sha-256", "Chooses the algorithm for encrypting passwords."),
    setting("quote_all_identifiers", Kind::Boolean, "off", "When generating SQL fragments, quote all identifiers."),
    setting("random_page_cost", Kind::Real, "4", "Sets the planner's estimate of the cost of a nonsequentially fetched disk page."),
    setting("role", Kind::Text, "none", "Sets the current role."),
    setting("row_security", Kind::Boolean, "on", "Enable row security."),
    setting("search_path", Kind::List, "\"$user\", public", "Sets the schema search order for names that are not schema-qualified."),
    setting("server_encoding", Kind::Preset, "UTF8", "Shows the server (database) character set encoding."),
    setting("server_version", Kind::Preset, "15.18", "Shows the server version."),
    setting("server_version_num", Kind::Preset, "150018", "Shows the server version as an integer."),
    setting("session_authorization", Kind::Text, "isobar", "Sets the session user name."),
    setting("session_replication_role", Kind::Choice(&["origin", "replica", "local"]), "origin", "Sets the session's behavior for triggers and rewrite rules."),
    setting("standard_conforming_strings", Kind::Choice(&["on"]), "on", "Causes '...' strings to treat backslashes literally."),
    setting("statement_timeout", MILLISECONDS, "0", "Sets the maximum allowed duration of any statement."),
    setting("synchronous_commit", Kind::Choice(&["local", "remote_write", "remote_apply", "on", "off"]), "on", "Sets the current transaction's synchronization level."),
    setting("temp_tablespaces", Kind::List, "", "Sets the tablespace(s) to use for temporary tables and sort files."),
    setting("TimeZone", Kind::TimeZone, "UTC", "Sets the time zone for displaying and interpreting time stamps."),
    setting("timezone_abbreviations", Kind::Text, "Default", "Selects a file of time zone abbreviations."),
    setting("transaction_deferrable", Kind::Boolean, "off", "Whether to defer a read-only serializable transaction until it can be executed with no possible serialization failures."),
    setting("transaction_isolation", ISOLATION, "repeatable read", "Sets the current transaction's isolation level."),
    setting("transaction_read_only", Kind::Boolean, "off", "Sets the current transaction's read-only status."),
    setting("transform_null_equals", Kind::Boolean, "off", "Reads \"x = NULL\" as \"x IS NULL\"."),
    setting("work_mem", KILOBYTES, "4096", "Sets the maximum memory to be used for query workspaces."),
    setting("xmlbinary", Kind::Choice(&["base64", "hex"]), "base64", "Sets how binary values are to be encoded in XML."),
    setting("xmloption", Kind::Choice(&["content", "document"]), "content", "Sets whether XML data in implicit parsing and serialization operations is to be considered as documents or content fragments."),
];

/// A setting by its name in any case.
pub fn find(name: &str) -> Option<&'static Known> {
    SETTINGS.iter().find(|known| known.name.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_in_order() {
        assert!(SETTINGS.is_sorted_by_key(|known| known.name.to_ascii_lowercase()));
    }
}
