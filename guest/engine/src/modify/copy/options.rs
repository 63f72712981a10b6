//! COPY's options.

use crate::bind::name::fold;
use crate::error::{Error, Result, sqlstate};
use sqlparser::ast::{CopyLegacyCsvOption, CopyLegacyOption, CopyOption, Ident};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Text,
    Csv,
}

#[derive(Clone, Debug)]
pub struct Options {
    pub format: Format,
    pub delimiter: u8,
    pub null: String,
    pub header: bool,
    pub quote: u8,
    pub escape: u8,
    pub force_null: Vec<String>,
    pub force_not_null: Vec<String>,
}

impl Options {
    /// Both spellings: `WITH (FORMAT csv)` and `WITH CSV`.
    pub fn new(options: &[CopyOption], legacy: &[CopyLegacyOption]) -> Result<Options> {
        let mut format = Format::Text;
        let (mut delimiter, mut null, mut header, mut quote, mut escape) = (None, None, false, None, None);
        let (mut force_null, mut force_not_null) = (vec![], vec![]);
        for option in options {
            match option {
                CopyOption::Format(name) => format = named_format(name)?,
                CopyOption::Delimiter(given) => delimiter = Some(single(*given, "delimiter")?),
                CopyOption::Null(given) => null = Some(given.clone()),
                CopyOption::Header(given) => header = *given,
                CopyOption::Quote(given) => quote = Some(single(*given, "quote")?),
                CopyOption::Escape(given) => escape = Some(single(*given, "escape")?),
                CopyOption::ForceNull(names) => force_null.extend(names.iter().map(fold)),
                CopyOption::ForceNotNull(names) => force_not_null.extend(names.iter().map(fold)),
                CopyOption::Freeze(_) => {}
                CopyOption::Encoding(name) if is_utf8(name) => {}
                CopyOption::Encoding(name) => return Err(Error::not_supported(format!("the encoding {name}"))),
                CopyOption::ForceQuote(_) => {
                    return Err(Error::not_supported("FORCE_QUOTE outside of COPY TO"));
                }
            }
        }
        for option in legacy {
            match option {
                CopyLegacyOption::Delimiter(given) => delimiter = Some(single(*given, "delimiter")?),
                CopyLegacyOption::Null(given) => null = Some(given.clone()),
                CopyLegacyOption::Header => header = true,
                CopyLegacyOption::Csv(options) => {
                    format = Format::Csv;
                    for option in options {
                        match option {
                            CopyLegacyCsvOption::Header => header = true,
                            CopyLegacyCsvOption::Quote(given) => quote = Some(single(*given, "quote")?),
                            CopyLegacyCsvOption::Escape(given) => escape = Some(single(*given, "escape")?),
                            CopyLegacyCsvOption::ForceNotNull(names) => force_not_null.extend(names.iter().map(fold)),
                            CopyLegacyCsvOption::ForceQuote(_) => {
                                return Err(Error::not_supported("FORCE QUOTE outside of COPY TO"));
                            }
                        }
                    }
                }
                other => return Err(Error::not_supported(format!("COPY's option {other}"))),
            }
        }
        if format == Format::Text && (quote.is_some() || escape.is_some()) {
            let what = if quote.is_some() { "quote" } else { "escape" };
            return Err(Error::new(sqlstate::FEATURE_NOT_SUPPORTED, format!("COPY {what} available only in CSV mode")));
        }
        let quote = quote.unwrap_or(b'"');
        let is_text = format == Format::Text;
        Ok(Options {
            format,
            delimiter: delimiter.unwrap_or(if is_text { b'\t' } else { b',' }),
            null: null.unwrap_or_else(|| if is_text { "\\N".into() } else { String::new() }),
            header,
            quote,
            escape: escape.unwrap_or(quote),
            force_null,
            force_not_null,
        })
    }
}

fn named_format(name: &Ident) -> Result<Format> {
    match fold(name).as_str() {
        "text" => Ok(Format::Text),
        "csv" => Ok(Format::Csv),
        "binary" => Err(Error::not_supported("COPY in binary format")),
        other => Err(Error::new(sqlstate::INVALID_PARAMETER_VALUE, format!("COPY format \"{other}\" not recognized"))),
    }
}

fn single(given: char, what: &str) -> Result<u8> {
    u8::try_from(given).ok().filter(u8::is_ascii).filter(|byte| !matches!(byte, b'\n' | b'\r')).ok_or_else(|| {
        Error::new(sqlstate::FEATURE_NOT_SUPPORTED, format!("COPY {what} must be a single one-byte character"))
    })
}

fn is_utf8(name: &str) -> bool {
    matches!(name.to_ascii_lowercase().as_str(), "utf8" | "utf-8" | "unicode")
}
