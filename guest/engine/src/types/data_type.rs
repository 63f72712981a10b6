//! The types, with what PostgreSQL's catalog says of them (pg_type).

/// A type without its modifier. Modifiers travel beside it as PostgreSQL's `atttypmod` (i32, -1 for none): varchar(n)
/// and char(n) are n + 4, numeric(p, s) is ((p << 16) | (s & 0x7ff)) + 4, time and timestamp precision is itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DataType {
    /// A quoted literal or NULL whose type is not yet known.
    Unknown,
    Void,
    Boolean,
    SmallInt,
    Integer,
    BigInt,
    Real,
    Double,
    Numeric,
    Text,
    Varchar,
    /// char(n), blank-padded: `bpchar`
    Char,
    /// 63-byte identifiers in the system catalog
    Name,
    /// the one-byte `"char"` of the system catalog
    InternalChar,
    Bytea,
    Uuid,
    Date,
    Time,
    TimeTz,
    Timestamp,
    Timestamptz,
    Interval,
    Json,
    Jsonb,
    Oid,
    Regclass,
    Regtype,
    Regproc,
    Regnamespace,
    /// A row of values whose column types are not part of the type.
    Record,
    /// An array of any of the above; elements are never arrays themselves (dimensions are in the value).
    Array(&'static DataType),
}

macro_rules! types {
    ($($variant:ident $oid:literal $array_oid:literal $size:literal $name:literal $internal:literal;)*) => {
        /// Every scalar type that has an array type.
        pub const SCALAR_TYPES: &[DataType] = &[$(DataType::$variant),*];

        impl DataType {
            /// pg_type.oid
            pub fn oid(self) -> u32 {
                match self {
                    $(DataType::$variant => $oid,)*
                    DataType::Array(element) => match element {
                        $(DataType::$variant => $array_oid,)*
                        DataType::Array(_) => 2277,
                    },
                }
            }

            pub fn from_oid(oid: u32) -> Option<DataType> {
                match oid {
                    $($oid => Some(DataType::$variant),)*
                    $($array_oid if $array_oid != 0 => Some(DataType::Array(&DataType::$variant)),)*
                    _ => None,
                }
            }

            /// pg_type.typlen: bytes, or -1 for variable length.
            pub fn size(self) -> i16 {
                match self {
                    $(DataType::$variant => $size,)*
                    DataType::Array(_) => -1,
                }
            }

            /// As SQL spells it and `format_type` prints it, without modifier: `integer`, `timestamp with time zone`.
            pub fn name(self) -> String {
                match self {
                    DataType::Array(element) => format!("{}[]", element.name()),
                    scalar => scalar.scalar_names().0.to_string(),
                }
            }

            /// pg_type.typname: `int4`, `timestamptz`, `_int4`.
            pub fn internal_name(self) -> String {
                match self {
                    DataType::Array(element) => format!("_{}", element.internal_name()),
                    scalar => scalar.scalar_names().1.to_string(),
                }
            }

            /// SQL's name and pg_type's of a type, of an array's elements.
            pub const fn scalar_names(self) -> (&'static str, &'static str) {
                match self {
                    $(DataType::$variant => ($name, $internal),)*
                    DataType::Array(element) => element.scalar_names(),
                }
            }

            /// The array type with this element type; arrays of arrays are the same type as their inner arrays.
            pub fn array_of(self) -> DataType {
                match self {
                    $(DataType::$variant => DataType::Array(&DataType::$variant),)*
                    DataType::Array(_) => self,
                }
            }
        }
    };
}

types! {
    Unknown 705 0 -2 "unknown" "unknown";
    Void 2278 0 4 "void" "void";
    Boolean 16 1000 1 "boolean" "bool";
    SmallInt 21 1005 2 "smallint" "int2";
    Integer 23 1007 4 "integer" "int4";
    BigInt 20 1016 8 "bigint" "int8";
    Real 700 1021 4 "real" "float4";
    Double 701 1022 8 "double precision" "float8";
    Numeric 1700 1231 -1 "numeric" "numeric";
    Text 25 1009 -1 "text" "text";
    Varchar 1043 1015 -1 "character varying" "varchar";
    Char 1042 1014 -1 "character" "bpchar";
    Name 19 1003 64 "name" "name";
    InternalChar 18 1002 1 "\"char\"" "char";
    Bytea 17 1001 -1 "bytea" "bytea";
    Uuid 2950 2951 16 "uuid" "uuid";
    Date 1082 1182 4 "date" "date";
    Time 1083 1183 8 "time without time zone" "time";
    TimeTz 1266 1270 12 "time with time zone" "timetz";
    Timestamp 1114 1115 8 "timestamp without time zone" "timestamp";
    Timestamptz 1184 1185 8 "timestamp with time zone" "timestamptz";
    Interval 1186 1187 16 "interval" "interval";
    Json 114 199 -1 "json" "json";
    Jsonb 3802 3807 -1 "jsonb" "jsonb";
    Oid 26 1028 4 "oid" "oid";
    Regclass 2205 2210 4 "regclass" "regclass";
    Regtype 2206 2211 4 "regtype" "regtype";
    Regproc 24 1008 4 "regproc" "regproc";
    Regnamespace 4089 4090 4 "regnamespace" "regnamespace";
    Record 2249 2287 -1 "record" "record";
}

impl DataType {
    pub fn is_integer(self) -> bool {
        matches!(self, DataType::SmallInt | DataType::Integer | DataType::BigInt)
    }

    pub fn is_number(self) -> bool {
        self.is_integer() || matches!(self, DataType::Real | DataType::Double | DataType::Numeric)
    }

    /// text, varchar, char(n), name: held as `Value::Text`.
    pub fn is_text(self) -> bool {
        matches!(self, DataType::Text | DataType::Varchar | DataType::Char | DataType::Name | DataType::Unknown)
    }

    pub fn element(self) -> Option<DataType> {
        match self {
            DataType::Array(element) => Some(*element),
            _ => None,
        }
    }
}
