//! What is read is what is written, and what can't be read is named.

use super::*;
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence::WithSource;

fn array(text: &str) -> anyhow::Result<Array> {
    Array::of(read(text)?)
}

#[test]
fn nested_lists_have_a_shape() {
    let of = |text: &str| array(text).map(|array| (array.shape, array.values)).unwrap();
    assert_eq!(of("3"), (vec![], vec![3.0]));
    assert_eq!(of("[]"), (vec![0], vec![]));
    assert_eq!(of("[[], []]"), (vec![2, 0], vec![]));
    assert_eq!(of("[[1, 2.5], [-3e2, 4]]"), (vec![2, 2], vec![1.0, 2.5, -300.0, 4.0]));
    assert_eq!(of("[[[1], [2]]]").0, [1, 2, 1]);
    assert_eq!(array("[[1, 2], [3, 4]]").unwrap().whole().unwrap(), [1, 2, 3, 4]);
}

#[test]
fn what_is_not_an_array_of_numbers_is_named_with_its_place() {
    for (text, message) in [
        ("[1, NaN]", "not JSON"),
        ("[1, \"nan\"]", "entry 1 is \"nan\", not a number"),
        ("[[1, 2], [3, null]]", "entry [1][1] is null"),
        ("[{}]", "entry 0 is an object, not a number"),
        ("[[1, 2], [3]]", "row 1 has 1 entries, row 0 has 2"),
        ("[[], [3]]", "row 1 has 1 entries, row 0 has 0"),
        ("[[[1], [1, 2]]]", "row [0][1] has 2 entries, row [0][0] has 1"),
        ("[[[1, 2]], [[1]]]", "row [1][0] has 1 entries, row [0][0] has 2"),
        ("[[1, 2], [[3], [4]]]", "entry [1][0] is a list"),
        ("[[[1], [2]], [3, 4]]", "entry [1][0] is the number 3, the entries before it are lists"),
        ("[1, [2]]", "entry 1 is a list"),
        ("[[1], 2]", "entry 1 is the number 2"),
        ("{}", "{} is not a list of numbers"),
        ("null", "null is not a list of numbers"),
        ("[1e999]", "out of range"),
        ("{\"a\": 1, \"a\": 2}", "`a` is there twice"),
        ("[1] 2", "trailing characters"),
        ("", "nothing"),
        ("@no/such/file", "cannot read no/such/file"),
    ] {
        let error = format!("{:#}", array(text).unwrap_err());
        assert!(error.contains(message), "{text}: {error}");
    }
    let error = array("[[0, 1], [0.5, 1]]").unwrap().whole().unwrap_err().to_string();
    assert!(error.contains("entry [1][0] is 0.5, not a whole number"), "{error}");
}

#[test]
fn nesting_and_sizes_without_end_are_refused() {
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    assert!(format!("{:#}", read(&deep).unwrap_err()).contains("recursion limit"));
    let wide = format!("[{}null]", "null,".repeat(MOST_ENTRIES));
    assert!(format!("{:#}", read(&wide).unwrap_err()).contains("more than 4000000 entries"));
    let numbers = format!("[{}0]", "0,".repeat(MOST_ENTRIES));
    assert_eq!(array(&numbers).unwrap().shape, [MOST_ENTRIES + 1]);
    let endless = text_of(std::io::repeat(b' ')).unwrap_err();
    assert!(format!("{endless:#}").contains("more than 64 MiB"));
}

#[test]
fn options_are_what_they_were() {
    let text = r#"{"a":[1,2.5,-0.0],"b":[[1,2],[3,4]],"c":"x","d":true,"e":[],"f":null,"g":[{"h":3}]}"#;
    assert_eq!(read(text).unwrap().into_value(), serde_json::from_str::<Value>(text).unwrap());
}

/// Any JSON, written down.
pub fn any_json() -> impl Strategy<Value = String> {
    let number = prop_oneof![
        any::<f64>().prop_map(|x| if x.is_finite() { format!("{x:e}") } else { "1e400".into() }),
        any::<i64>().prop_map(|x| x.to_string()),
        (0..4u8).prop_map(|x| x.to_string()),
    ];
    let other =
        proptest::sample::select(&["null", "true", "\"\"", "\"inf\"", "NaN", "-", "1e", "\"a\"", "{}", "[]"][..]);
    prop_oneof![4 => number, 1 => other.prop_map(str::to_string)].prop_recursive(4, 64, 6, |inner| {
        let list = proptest::collection::vec(inner.clone(), 0..6);
        let named = proptest::collection::vec((proptest::sample::select(&["a", "b", "predictions"][..]), inner), 0..4);
        prop_oneof![
            5 => list.prop_map(|list| format!("[{}]", list.join(","))),
            1 => named.prop_map(|list| {
                let entries: Vec<String> = list.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
                format!("{{{}}}", entries.join(","))
            }),
        ]
    })
}

/// Lists of up to four levels, all rows alike, of numbers that something may hold for a class, a probability or a value.
pub fn any_rows() -> impl Strategy<Value = String> {
    let number = proptest::sample::select(
        &["0", "1", "2", "-1", "0.5", "0.25", "-0.0", "1e308", "-1e200", "5e-324", "4294967296"][..],
    );
    let shape = proptest::collection::vec(1..4usize, 0..5);
    (shape, proptest::collection::vec(number, 81)).prop_map(|(shape, numbers)| {
        let mut rows: Vec<String> = numbers.iter().map(|number| number.to_string()).collect();
        for length in shape.iter().rev() {
            rows = rows.chunks(*length).map(|row| format!("[{}]", row.join(","))).collect();
        }
        rows.swap_remove(0)
    })
}

/// The nested lists of serde's own reading, one by one.
fn numbers(value: &Value) -> Option<(Vec<usize>, Vec<f64>)> {
    let Value::Array(list) = value else { return value.as_f64().map(|x| (vec![], vec![x])) };
    let rows: Vec<_> = list.iter().map(numbers).collect::<Option<_>>()?;
    let inner = rows.first().map(|row| row.0.clone()).unwrap_or_default();
    let shape = [vec![list.len()], inner.clone()].concat();
    rows.iter().all(|row| row.0 == inner).then(|| (shape, rows.into_iter().flat_map(|row| row.1).collect()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::with_failure_persistence(WithSource("found")) })]

    /// The double that is nearest to what is written, as Rust's own parser finds it.
    #[test]
    fn a_number_is_read_to_the_last_bit(bits in any::<u64>(), digits in 1..25usize) {
        let x = f64::from_bits(bits);
        if x.is_finite() {
            for text in [format!("{x}"), format!("{x:e}"), format!("{x:.digits$e}")] {
                let expected: f64 = text.parse().unwrap();
                if expected.is_finite() {
                    let got = array(&format!("[{text}]")).unwrap().values[0];
                    prop_assert_eq!(got.to_bits(), expected.to_bits(), "{} is read as {}", text, got);
                }
            }
        }
    }

    /// What a record holds comes back as it was.
    #[test]
    fn a_recorded_number_keeps_its_last_bit(bits in any::<u64>()) {
        let x = f64::from_bits(bits);
        let value = crate::metric::Value::Number(x);
        let back: crate::metric::Value = serde_json::from_str(&serde_json::to_string(&value).unwrap()).unwrap();
        let number = back.numbers()[0];
        prop_assert!(number.to_bits() == x.to_bits() || number.is_nan() && x.is_nan(), "{} comes back as {}", x, number);
    }

    /// Packed or not, a list is what serde's own tree makes of it; what is no array is an error.
    #[test]
    fn any_text_is_an_array_or_an_error(text in any_json()) {
        let plain: Result<Value, _> = serde_json::from_str(&text);
        match (array(&text), plain) {
            (Ok(array), Ok(value)) => prop_assert_eq!(Some((array.shape, array.values)), numbers(&value), "{}", text),
            (Ok(_), Err(error)) => prop_assert!(false, "{} is read, serde says {}", text, error),
            (Err(error), plain) => {
                let message = format!("{error:#}");
                prop_assert!(message.len() > 10 && message.len() < 400, "{}", message);
                let fits = plain.ok().and_then(|value| numbers(&value));
                prop_assert!(fits.is_none(), "{} is {:?}, not an error: {}", text, fits, message);
            }
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = text_of(&bytes[..]).and_then(|text| parse(&text));
    }
}
