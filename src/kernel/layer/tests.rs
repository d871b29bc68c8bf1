//! Layers as experiments ask for them, and as weights describe them.

use super::*;
use lossward_envs::options::Given;
use std::collections::BTreeMap;

fn planned(layer: &str, shape: &[usize]) -> Result<Planned, String> {
    let mut file: BTreeMap<String, Given> = toml::from_str(&format!("layer = {{ {layer} }}")).unwrap();
    let given = file.remove("layer").unwrap();
    let row = ROWS.iter().find(|row| given.contains_key(row.name())).unwrap();
    let options = Options::new(row.name(), row.options, &given).map_err(|error| error.to_string())?;
    (row.plan)(&options, &Arriving { shapes: vec![shape], activation: Activation::Silu, normalized: false })
}

#[test]
fn layers_have_the_shapes_that_they_plan() {
    for (text, shape, expected) in [
        ("conv_transpose = 5, kernel = 2, stride = 2", &[3, 4, 6][..], &[5, 8, 12][..]),
        ("conv_transpose = 5, kernel = 4, stride = 2, padding = 1, bias = false", &[3, 4, 6], &[5, 8, 12]),
        ("pool = 2", &[3, 7, 6], &[3, 3, 3]),
        ("pool = 3, stride = 2, padding = 1", &[3, 7, 6], &[3, 4, 3]),
        ("average_pool = 3, stride = 1", &[3, 7, 6], &[3, 5, 4]),
        ("adaptive_pool = [3, 2]", &[3, 7, 6], &[3, 3, 2]),
        ("adaptive_pool = 2", &[3, 7, 6], &[3, 2, 2]),
        ("global_pool = true", &[3, 7, 6], &[3, 1, 1]),
        ("upsample = 3", &[3, 7, 6], &[3, 21, 18]),
        ("upsample = 2, mode = \"bilinear\"", &[3, 7, 6], &[3, 14, 12]),
        ("group_norm = 3", &[6, 7, 6], &[6, 7, 6]),
        ("group_norm = 3", &[6], &[6]),
        ("instance_norm = true", &[3, 7, 6], &[3, 7, 6]),
        ("layer_norm = true", &[3, 7, 6], &[3, 7, 6]),
    ] {
        let Planned { layer, shape: out } = planned(text, shape).unwrap();
        let layer = layer.unwrap();
        assert_eq!(out, expected, "{text}");
        assert_eq!(layer.inputs(), shape.iter().product::<usize>(), "{text}");
        assert_eq!(layer.outputs(), expected.iter().product::<usize>(), "{text}");
        assert_eq!(layer.weight_shape().map_or(0, |shape| shape.iter().product()), layer.weights(), "{text}");
        let read: Layer = serde_json::from_str(&serde_json::to_string(&layer).unwrap()).unwrap();
        assert_eq!(read, layer, "{text}");
    }
}

#[test]
fn scales_and_fans_are_told_to_who_draws_weights() {
    let of = |text: &str, shape: &[usize]| {
        let layer = planned(text, shape).unwrap().layer.unwrap();
        (layer.scales(), layer.fan_in(), layer.weights(), layer.biases())
    };
    assert_eq!(of("dense = 4", &[3]), (false, 3.0, 12, 4));
    assert_eq!(of("conv = 4, kernel = 3", &[2, 8, 8]), (false, 18.0, 72, 4));
    // Blocks side by side: each pixel sums over the channels alone.
    assert_eq!(of("conv_transpose = 4, kernel = 2, stride = 2", &[3, 8, 8]), (false, 3.0, 48, 4));
    assert_eq!(of("conv_transpose = 4, kernel = 4, stride = 2, bias = false", &[3, 8, 8]), (false, 12.0, 192, 0));
    let (scales, _, weights, biases) = of("group_norm = 2", &[6, 2, 2]);
    assert_eq!((scales, weights, biases), (true, 6, 6));
    assert_eq!(of("layer_norm = true", &[6, 2, 2]).2, 24);
}

#[test]
fn layers_that_do_not_fit_are_told() {
    for (text, shape, said) in [
        ("conv_transpose = 5, kernel = 2, padding = 3", &[3, 4, 6][..], "leaves nothing of an image of 4×6"),
        ("pool = 3, padding = 2", &[3, 4, 6], "`padding` must be at most 1, not 2"),
        ("pool = 1000000000, padding = 500000000", &[3, 4, 6], "`padding` must be at most 4"),
        ("average_pool = 5", &[3, 4, 6], "windows of 5×5 on an image of 4×6"),
        ("adaptive_pool = [3, 2, 1]", &[3, 4, 6], "one number or [height, width], not 3 numbers"),
        ("adaptive_pool = 2.5", &[3, 4, 6], "must be whole, at least 1 and at most 1e9, not 2.5"),
        ("adaptive_pool = 0", &[3, 4, 6], "numbers in [1, ∞)"),
        ("global_pool = false", &[3, 4, 6], "`global_pool = false` does nothing; leave it out"),
        ("global_pool = true", &[3], "`global_pool` needs images"),
        ("upsample = 3, mode = \"bilinear\"", &[3, 4, 6], "must be 2, not 3"),
        ("upsample = 2, mode = \"cubic\"", &[3, 4, 6], "one of nearest, bilinear, not \"cubic\""),
        ("group_norm = 4", &[6, 2, 2], "must divide the 6 channels that come in, and 4 does not"),
        ("group_norm = 6", &[6], "each by itself"),
        ("instance_norm = true", &[6, 1, 1], "each by itself"),
    ] {
        let error = planned(text, shape).map(|planned| planned.shape).unwrap_err();
        assert!(error.contains(said), "{text}: {error}");
    }
}

/// What weights of before say of their pooling is what they would say now.
#[test]
fn the_description_of_a_pooling_stays() {
    let text = r#"{"kind":"max_pool","channels":3,"height":8,"width":8,"size":2}"#;
    let layer: Layer = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_string(&layer).unwrap(), text);
    for same in ["pool = 2", "pool = 2, stride = 2", "pool = 2, padding = 0"] {
        assert_eq!(planned(same, &[3, 8, 8]).unwrap().layer, Some(layer));
    }
    let other = planned("pool = 2, stride = 1, padding = 1", &[3, 8, 8]).unwrap().layer.unwrap();
    assert_eq!(
        serde_json::to_string(&other).unwrap(),
        r#"{"kind":"max_pool","channels":3,"height":8,"width":8,"size":2,"stride":1,"padding":1}"#
    );
}
