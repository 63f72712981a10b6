//! Values that break the rules of Rust and of the canonical ABI. Nothing but the host is to look at them.

use isobar_procedure::bindings::sql::Rows;

/// Bytes that are not UTF-8.
pub fn invalid_text() -> String {
    // SAFETY: none; that is the point. The bytes are handed to the host and never read here.
    unsafe { String::from_utf8_unchecked(vec![b'a', 0xff, 0xfe]) }
}

/// A text that begins inside memory and ends far outside.
pub fn text_out_of_bounds() -> String {
    let text = "x".repeat(16);
    let start = text.leak().as_mut_ptr();
    // SAFETY: none; that is the point. The host refuses the text before anybody reads it.
    unsafe { String::from_raw_parts(start, i32::MAX as usize, i32::MAX as usize) }
}

/// A handle that the host never gave.
pub fn rows_of_nobody() -> Rows {
    // SAFETY: none; that is the point. The host knows which handles there are.
    unsafe { Rows::from_handle(123_456) }
}
