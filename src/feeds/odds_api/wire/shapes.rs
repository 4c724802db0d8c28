//! Shared shapes of the levels' visitors.

/// For the visit functions of everything but the one expected shape: say what stood there and go on.
macro_rules! otherwise {
    ($de:lifetime, $value:ty) => {
        fn visit_bool<E: Error>(self, v: bool) -> Result<$value, E> {
            Ok(self.other(Scalar::Bool(v)))
        }
        fn visit_i64<E: Error>(self, v: i64) -> Result<$value, E> {
            Ok(self.other(Scalar::Number(v as f64)))
        }
        fn visit_u64<E: Error>(self, v: u64) -> Result<$value, E> {
            Ok(self.other(Scalar::Number(v as f64)))
        }
        fn visit_f64<E: Error>(self, v: f64) -> Result<$value, E> {
            Ok(self.other(Scalar::Number(v)))
        }
        fn visit_str<E: Error>(self, v: &str) -> Result<$value, E> {
            Ok(self.other(Scalar::Text(Cow::Owned(v.to_owned()))))
        }
        fn visit_unit<E: Error>(self) -> Result<$value, E> {
            Ok(self.other(Scalar::Null))
        }
    };
}

macro_rules! seed {
    ($name:ident, $value:ty) => {
        impl<'de> DeserializeSeed<'de> for $name<'_, 'de> {
            type Value = $value;

            fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<$value, D::Error> {
                d.deserialize_any(self)
            }
        }
    };
}

macro_rules! expecting {
    ($text:literal) => {
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str($text)
        }
    };
}

/// A list where a record belongs: skipped, and said so.
macro_rules! no_list {
    ($de:lifetime, $value:ty) => {
        fn visit_seq<A: SeqAccess<$de>>(self, seq: A) -> Result<$value, A::Error> {
            skip_seq(seq)?;
            Ok(self.other(Scalar::Compound))
        }
    };
}

/// A record where a list belongs: skipped, and said so.
macro_rules! no_record {
    ($de:lifetime, $value:ty) => {
        fn visit_map<A: MapAccess<$de>>(self, map: A) -> Result<$value, A::Error> {
            skip_map(map)?;
            Ok(self.other(Scalar::Compound))
        }
    };
}

pub(super) use {expecting, no_list, no_record, otherwise, seed};
