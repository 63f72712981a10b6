//! Rows as PostgreSQL's DataRow packs them: per value a big-endian i32 length, -1 for NULL, and its bytes.

/// Appends a value, none for NULL.
pub fn push(out: &mut Vec<u8>, value: Option<&[u8]>) {
    match value {
        Some(bytes) => {
            out.extend_from_slice(&(bytes.len() as i32).to_be_bytes());
            out.extend_from_slice(bytes);
        }
        None => out.extend_from_slice(&(-1i32).to_be_bytes()),
    }
}

/// Appends what `write` appends as one value.
pub fn push_written(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    write(out);
    let length = (out.len() - start - 4) as i32;
    out[start..start + 4].copy_from_slice(&length.to_be_bytes());
}

/// The bytes end within a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut;

/// Takes values from the front.
pub struct Fields<'a>(pub &'a [u8]);

impl<'a> Fields<'a> {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next value, none for NULL.
    pub fn take(&mut self) -> Result<Option<&'a [u8]>, Cut> {
        let (length, rest) = self.0.split_first_chunk::<4>().ok_or(Cut)?;
        self.0 = rest;
        match i32::from_be_bytes(*length) {
            -1 => Ok(None),
            length => {
                let length = usize::try_from(length).map_err(|_| Cut)?;
                let (value, rest) = self.0.split_at_checked(length).ok_or(Cut)?;
                self.0 = rest;
                Ok(Some(value))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back() {
        let mut packed = vec![];
        push(&mut packed, Some(b"ab"));
        push(&mut packed, None);
        push_written(&mut packed, |out| out.extend_from_slice(b"xyz"));
        let mut fields = Fields(&packed);
        assert_eq!(fields.take(), Ok(Some(&b"ab"[..])));
        assert_eq!(fields.take(), Ok(None));
        assert_eq!(fields.take(), Ok(Some(&b"xyz"[..])));
        assert!(fields.is_empty());
    }

    #[test]
    fn cut_values_are_no_values() {
        for packed in [&[0, 0][..], &[0, 0, 0, 2, b'x'], &[0xff, 0, 0, 0]] {
            assert_eq!(Fields(packed).take(), Err(Cut));
        }
    }
}
