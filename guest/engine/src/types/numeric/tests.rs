use super::Numeric;

#[test]
fn prints_what_it_reads() {
    for text in ["0", "-1", "0.10", "123456789012345678901234567890123456789012345.678", "-0.000001", "NaN"] {
        assert_eq!(Numeric::parse(text).map(|value| value.to_string()), Ok(text.to_string()));
    }
}
