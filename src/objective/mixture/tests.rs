#![allow(clippy::unwrap_used)]

use super::*;
use crate::network::NetworkSettings;
use crate::stream;
use candle_core::{Device, Var};
use std::cell::Cell;
use std::rc::Rc;

/// `Σ a x²` of numbers in double precision, and how often it was asked for a batch.
struct Parabola {
    x: Var,
    a: f64,
    sense: Sense,
    asked: Rc<Cell<u64>>,
}

impl Objective for Parabola {
    fn sense(&self) -> Sense {
        self.sense
    }

    fn next(&mut self, _: &Network, _: &mut Rng, _: f64) -> Result<()> {
        self.asked.set(self.asked.get() + 1);
        Ok(())
    }

    fn value(&self, _: &Network) -> Result<ObjectiveValue> {
        let scalar = (self.x.sqr()?.sum_all()? * self.a)?;
        let batch = Tensor::ones((2, 3), candle_core::DType::F32, &Device::Cpu)?;
        Ok(ObjectiveValue {
            scalar,
            inputs: batch.clone(),
            outputs: batch,
            terms: vec![("a".into(), Mean::of_one(self.a))],
        })
    }

    fn note(&mut self, terms: &[(ColumnName, Mean)]) {
        assert!(terms.contains(&("a".into(), Mean::of_one(self.a))), "{terms:?}");
    }

    fn counters(&self) -> Counters {
        let examples = 10 * self.asked.get();
        Counters {
            examples,
            labels: 0,
            operations: 0,
            before: examples.saturating_sub(10),
            rounds: ("epochs", 0.0),
            batch_is_left: false,
        }
    }
}

fn network() -> Network {
    let settings = "hidden = [2]\nactivation = \"tanh\"\ninitialization = \"orthogonal\"\noutput_gain = 1.0";
    let settings: NetworkSettings = toml::from_str(settings).unwrap();
    Network::new(&settings, (&[3], 2), &mut stream(0, "init", 0)).unwrap()
}

fn mixture(x: &Var, weights: [Schedule; 2]) -> (Mixture, Rc<Cell<u64>>, Rc<Cell<u64>>) {
    let [first, second] = [(); 2].map(|()| Rc::new(Cell::new(0)));
    let part = |name: &str, weight, a, sense, asked: &Rc<Cell<u64>>| Part {
        name: name.into(),
        weight,
        objective: Box::new(Parabola { x: x.clone(), a, sense, asked: asked.clone() }),
        rng: stream(0, "batches", 0),
        now: 0.0,
    };
    let [of_first, of_second] = weights;
    let parts = vec![
        part("down", of_first, 1.25, Sense::Minimize, &first),
        part("up", of_second, 0.375, Sense::Maximize, &second),
    ];
    (Mixture { parts }, first, second)
}

#[test]
fn the_gradient_is_the_sum_of_those_of_the_parts() {
    let x = Var::new(&[0.3f64, -1.7, 2.9], &Device::Cpu).unwrap();
    let (network, mut rng) = (network(), stream(0, "test", 0));
    for [of_first, of_second] in [[0.7, 0.3], [1.0, 1.0], [0.01, 5.0]] {
        let (mut mixture, ..) = mixture(&x, [Schedule::Constant(of_first), Schedule::Constant(of_second)]);
        mixture.next(&network, &mut rng, 0.0).unwrap();
        let value = mixture.value(&network).unwrap();
        mixture.note(&value.terms);
        assert_eq!(value.inputs.dims(), [4, 3]);
        let gradients = value.scalar.backward().unwrap();
        let got = gradients.get(&x).unwrap().to_vec1::<f64>().unwrap();
        for (got, x) in got.iter().zip([0.3f64, -1.7, 2.9]) {
            let want = 2.0 * (of_first * 1.25 - of_second * 0.375) * x;
            assert!((got - want).abs() <= 1e-12 * want.abs(), "{got} {want}");
        }
    }
}

/// Weights follow their schedules; a part of weight 0 takes no batch.
#[test]
fn a_part_without_weight_takes_no_batch() {
    let x = Var::new(&[1f64], &Device::Cpu).unwrap();
    let (network, mut rng) = (network(), stream(0, "test", 0));
    let falling = Schedule::Linear { from: 1.0, to: 0.0, until: 0.5 };
    let (mut mixture, first, second) = mixture(&x, [falling, Schedule::Constant(1.0)]);
    let mut weights = Vec::new();
    for progress in [0.0, 0.25, 0.5, 0.75] {
        mixture.next(&network, &mut rng, progress).unwrap();
        let terms = mixture.value(&network).unwrap().terms;
        weights.extend(terms.iter().filter(|(column, _)| column == "down.weight").map(|(_, mean)| mean.value()));
    }
    assert_eq!((weights, first.get(), second.get()), (vec![1.0, 0.5], 2, 4));
    assert_eq!((mixture.counters().examples, mixture.counters().before), (60, 50));
}
