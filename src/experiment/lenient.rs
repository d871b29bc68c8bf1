//! What a file may write in more than one way: `1e5` where a whole number is wanted, and one thing where a list of them is. It holds for
//! every key, and whatever is neither is answered in the words of the file.

use serde::de::value::{MapAccessDeserializer, SeqDeserializer, StrDeserializer};
use serde::de::{
    self, DeserializeSeed, Deserializer, EnumAccess, Error, IntoDeserializer, MapAccess, SeqAccess, VariantAccess,
    Visitor,
};
use std::fmt::{self, Formatter};

/// A deserializer, with this leniency in all that it holds.
pub(super) struct Lenient<D>(pub D);

/// What the place that is read wants.
#[derive(Clone, Copy)]
enum Wanted {
    Anything,
    /// A whole number.
    Whole,
    List,
    /// One of these names, or a table with one of them; how an enum is called.
    Variant(&'static str, &'static [&'static str]),
}

struct LenientVisitor<V> {
    inner: V,
    wanted: Wanted,
}

fn visitor<V>(inner: V, wanted: Wanted) -> LenientVisitor<V> {
    LenientVisitor { inner, wanted }
}

/// What can stand where an enum with values is wanted, by its name.
const EXAMPLES: &[(&str, &str)] = &[("Length", "\"episodes\" or a number of steps, such as { steps = 256 }")];

/// Above this, not every double is a whole number of its own.
const EXACT: f64 = 9_007_199_254_740_992.0;

impl<'de, V: Visitor<'de>> LenientVisitor<V> {
    /// One thing as a list of one, or the error that says what is wanted.
    fn alone<T, E>(self, one: T, unexpected: de::Unexpected) -> Result<V::Value, E>
    where
        T: IntoDeserializer<'de, E>,
        E: Error,
    {
        match self.wanted {
            Wanted::List => self.inner.visit_seq(SeqDeserializer::new(std::iter::once(one))),
            Wanted::Variant(name, variants) => {
                Err(E::custom(format!("must be {}, not {unexpected}", choices(name, variants))))
            }
            _ => Err(E::invalid_type(unexpected, &self.inner)),
        }
    }
}

fn choices(name: &str, variants: &[&str]) -> String {
    match EXAMPLES.iter().find(|(of, _)| *of == name) {
        Some((_, example)) => example.to_string(),
        None => {
            format!("one of {}", variants.iter().map(|variant| format!("\"{variant}\"")).collect::<Vec<_>>().join(", "))
        }
    }
}

impl<'de, V: Visitor<'de>> Visitor<'de> for LenientVisitor<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut Formatter) -> fmt::Result {
        self.inner.expecting(f)
    }

    fn visit_bool<E: Error>(self, x: bool) -> Result<V::Value, E> {
        match self.wanted {
            Wanted::Anything | Wanted::Whole => self.inner.visit_bool(x),
            _ => self.alone(x, de::Unexpected::Bool(x)),
        }
    }

    fn visit_i64<E: Error>(self, x: i64) -> Result<V::Value, E> {
        match self.wanted {
            Wanted::Whole if x >= 0 => self.inner.visit_u64(x as u64),
            Wanted::Anything | Wanted::Whole => self.inner.visit_i64(x),
            _ => self.alone(x, de::Unexpected::Signed(x)),
        }
    }

    fn visit_u64<E: Error>(self, x: u64) -> Result<V::Value, E> {
        match self.wanted {
            Wanted::Anything | Wanted::Whole => self.inner.visit_u64(x),
            _ => self.alone(x, de::Unexpected::Unsigned(x)),
        }
    }

    fn visit_f64<E: Error>(self, x: f64) -> Result<V::Value, E> {
        match self.wanted {
            Wanted::Whole if x.fract() == 0.0 && (0.0..=EXACT).contains(&x) => self.inner.visit_u64(x as u64),
            Wanted::Whole if x.fract() == 0.0 && (-EXACT..0.0).contains(&x) => self.inner.visit_i64(x as i64),
            Wanted::Anything | Wanted::Whole => self.inner.visit_f64(x),
            _ => self.alone(x, de::Unexpected::Float(x)),
        }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<V::Value, E> {
        match self.wanted {
            Wanted::Anything | Wanted::Whole => self.inner.visit_str(text),
            Wanted::List => self.alone(text.to_string(), de::Unexpected::Str(text)),
            Wanted::Variant(..) => self.inner.visit_enum(StrDeserializer::new(text)),
        }
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_none()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        self.inner.visit_some(Lenient(deserializer))
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_unit()
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        self.inner.visit_newtype_struct(Lenient(deserializer))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<V::Value, A::Error> {
        match self.wanted {
            Wanted::Variant(name, variants) => {
                Err(A::Error::custom(format!("must be {}, not a list", choices(name, variants))))
            }
            _ => self.inner.visit_seq(LenientList(list)),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        match self.wanted {
            Wanted::List => self.inner.visit_seq(OneTable(Some(LenientMap(map)))),
            Wanted::Variant(..) => self.inner.visit_enum(MapAccessDeserializer::new(LenientMap(map))),
            _ => self.inner.visit_map(LenientMap(map)),
        }
    }

    fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<V::Value, A::Error> {
        self.inner.visit_enum(LenientVariant(data))
    }
}

macro_rules! forwarded {
    ($($method:ident => $wanted:expr),* $(,)?) => {
        $(fn $method<V: Visitor<'de>>(self, inner: V) -> Result<V::Value, D::Error> {
            self.0.$method(visitor(inner, $wanted))
        })*
    };
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Lenient<D> {
    type Error = D::Error;

    forwarded! {
        deserialize_any => Wanted::Anything, deserialize_bool => Wanted::Anything, deserialize_f32 => Wanted::Anything,
        deserialize_f64 => Wanted::Anything, deserialize_char => Wanted::Anything, deserialize_str => Wanted::Anything,
        deserialize_string => Wanted::Anything, deserialize_bytes => Wanted::Anything, deserialize_byte_buf => Wanted::Anything,
        deserialize_option => Wanted::Anything, deserialize_unit => Wanted::Anything, deserialize_map => Wanted::Anything,
        deserialize_identifier => Wanted::Anything, deserialize_ignored_any => Wanted::Anything,
        deserialize_i8 => Wanted::Whole, deserialize_i16 => Wanted::Whole, deserialize_i32 => Wanted::Whole,
        deserialize_i64 => Wanted::Whole, deserialize_u8 => Wanted::Whole, deserialize_u16 => Wanted::Whole,
        deserialize_u32 => Wanted::Whole, deserialize_u64 => Wanted::Whole,
    }

    // `deserialize_any` of what is not a list: the format would refuse it before anybody is asked.
    fn deserialize_seq<V: Visitor<'de>>(self, inner: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_any(visitor(inner, Wanted::List))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, length: usize, inner: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_tuple(length, visitor(inner, Wanted::Anything))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        length: usize,
        inner: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_tuple_struct(name, length, visitor(inner, Wanted::Anything))
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, name: &'static str, inner: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_unit_struct(name, visitor(inner, Wanted::Anything))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, inner: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_newtype_struct(name, visitor(inner, Wanted::Anything))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        inner: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_struct(name, fields, visitor(inner, Wanted::Anything))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        inner: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_any(visitor(inner, Wanted::Variant(name, variants)))
    }
}

/// What reads a value, leniently.
struct LenientSeed<S>(S);

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for LenientSeed<S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        self.0.deserialize(Lenient(deserializer))
    }
}

struct LenientMap<A>(A);

impl<'de, A: MapAccess<'de>> MapAccess<'de> for LenientMap<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        self.0.next_key_seed(seed)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.0.next_value_seed(LenientSeed(seed))
    }
}

struct LenientList<A>(A);

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for LenientList<A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        self.0.next_element_seed(LenientSeed(seed))
    }
}

/// A list of one table.
struct OneTable<A>(Option<A>);

impl<'de, A: MapAccess<'de>> SeqAccess<'de> for OneTable<A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        match self.0.take() {
            Some(map) => seed.deserialize(MapAccessDeserializer::new(map)).map(Some),
            None => Ok(None),
        }
    }
}

struct LenientVariant<A>(A);

impl<'de, A: EnumAccess<'de>> EnumAccess<'de> for LenientVariant<A> {
    type Error = A::Error;
    type Variant = LenientContent<A::Variant>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self::Variant), A::Error> {
        let (value, content) = self.0.variant_seed(seed)?;
        Ok((value, LenientContent(content)))
    }
}

struct LenientContent<A>(A);

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for LenientContent<A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.0.unit_variant()
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, A::Error> {
        self.0.newtype_variant_seed(LenientSeed(seed))
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, inner: V) -> Result<V::Value, A::Error> {
        self.0.tuple_variant(length, visitor(inner, Wanted::Anything))
    }

    fn struct_variant<V: Visitor<'de>>(self, fields: &'static [&'static str], inner: V) -> Result<V::Value, A::Error> {
        self.0.struct_variant(fields, visitor(inner, Wanted::Anything))
    }
}
