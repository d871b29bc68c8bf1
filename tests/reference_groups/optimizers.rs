use super::{Case, flat, number, numbers};
use candle_core::{DType, Device, Tensor};
use lossward::kernel::{self, Activation, Dense, Graph, Layer};
use lossward::network::{Parameters, Role};
use lossward::optimizer::{Easing, Optimizer, OptimizerSettings, Schedule};
use lossward::stream;
use serde_json::Value;

/// How far single precision may be from double, relative to the largest weight, after every step of a trace. 2e-6 was the most
/// that was seen in fifty steps.
const SINGLE_PRECISION: f64 = 1e-4;

/// The variance of a centered rule is a small difference of large numbers once gradients vary little: in single precision it
/// is compared over so many steps.
const CENTERED_STEPS: usize = 10;

/// Torch's optimizer, and its options, in our words.
pub(super) fn settings(optimizer: &str, options: &Value, clip: &Value, learning_rate: Schedule) -> OptimizerSettings {
    let mut table = toml::Table::new();
    table.insert("rule".into(), optimizer.to_lowercase().into());
    table.insert("learning_rate".into(), toml::Value::try_from(learning_rate).unwrap());
    for (key, value) in options.as_object().unwrap() {
        let ours = match (key.as_str(), optimizer) {
            ("lr", _) => continue,
            ("betas", _) => {
                table.insert("beta1".into(), number(&value[0]).into());
                table.insert("beta2".into(), number(&value[1]).into());
                continue;
            }
            ("weight_decay", "AdamW") => "weight_decay",
            ("weight_decay", _) => "l2",
            ("eps", _) => "epsilon",
            ("lr_decay", _) => "learning_rate_decay",
            ("initial_accumulator_value", _) => "initial_accumulator",
            (same, _) => same,
        };
        table.insert(ours.into(), value.as_bool().map_or_else(|| number(value).into(), toml::Value::from));
    }
    table.extend(clipping(clip));
    table.try_into().unwrap_or_else(|error| panic!("{error}"))
}

fn clipping(clip: &Value) -> toml::Table {
    if clip.is_null() {
        return toml::Table::new();
    }
    let max = number(&clip["max"]);
    match clip["kind"].as_str().unwrap() {
        "norm" => toml::toml!(clip_norm = max),
        "inf_norm" => toml::toml! {
            clip_norm = max
            clip_norm_type = "max"
        },
        "value" => toml::toml!(clip_value = max),
        other => panic!("unknown clipping {other}"),
    }
}

/// Torch's schedule of a trace, and of how many steps its lengths are shares.
pub(super) fn cosine_or_constant(case: &Case, steps: f64) -> (Schedule, f64) {
    let rate = number(&case.input("options")["lr"]);
    if case.input("schedule").is_null() {
        return (Schedule::Constant(rate), steps);
    }
    let schedule = case.input("schedule");
    assert_eq!(schedule["kind"], "cosine", "unknown schedule");
    let end = number(&schedule["T_max"]);
    assert!(end >= steps - 1.0, "a cosine that torch lets rise again");
    let budget = steps.max(end);
    (Schedule::Cosine { from: rate, to: number(&schedule["eta_min"]), until: end / budget }, budget)
}

/// What one run of a trace saw.
struct Trace {
    losses: Vec<f64>,
    norms: Vec<f64>,
    rates: Vec<f64>,
    /// All parameters after every step.
    parameters: Vec<Vec<f64>>,
}

/// Runs the trace: parameters of the dtype, and the loss of them. Torch decays biases too, so every parameter is a weight.
fn run(case: &Case, names: &[(&str, &str)], dtype: DType, loss: impl Fn(&Parameters) -> Tensor) -> Trace {
    let of = |(name, input): &(&str, &str)| (name.to_string(), Role::Weight, cast(&case.tensor(input), dtype));
    let parameters = Parameters::new(names.iter().map(of).collect()).unwrap();
    let steps = numbers(case.expected("losses")).len() - 1;
    let (rate, budget) = cosine_or_constant(case, steps as f64);
    let settings = settings(case.text("optimizer"), case.input("options"), case.input("clip"), rate);
    let mut optimizer = Optimizer::new(&settings, stream(0, "gradient noise", 0)).unwrap();
    let value = |parameters| flat(&cast(&loss(parameters), DType::F64))[0];
    let mut trace =
        Trace { losses: vec![value(&parameters)], norms: Vec::new(), rates: Vec::new(), parameters: Vec::new() };
    for step in 0..steps {
        let descent = optimizer.descend(&parameters, &loss(&parameters), step as f64 / budget).unwrap();
        trace.losses.push(value(&parameters));
        trace.norms.push(descent.gradient_norm);
        trace.rates.push(descent.learning_rate);
        trace.parameters.push(flat(&cast(parameters.values(), DType::F64)));
    }
    trace
}

fn cast(tensor: &Tensor, dtype: DType) -> Tensor {
    tensor.to_dtype(dtype).unwrap()
}

/// What both problems check: the trace in double precision, and single precision against it.
fn check(case: &Case, names: &[(&str, &str)], loss: impl Fn(&Parameters) -> Tensor) -> Trace {
    let trace = run(case, names, DType::F64, &loss);
    case.check("losses", &trace.losses);
    if case.expects("grad_norm_before_clip") {
        case.check("grad_norm_before_clip", &trace.norms);
    }
    if case.expects("lrs") {
        case.check("lrs", &trace.rates);
    }
    let single = run(case, names, DType::F32, &loss);
    let centered = case.input("options")["centered"] == true;
    let compared = if centered { CENTERED_STEPS } else { usize::MAX };
    for (step, (double, single)) in trace.parameters.iter().zip(&single.parameters).enumerate().take(compared) {
        let largest = double.iter().fold(0.0, |largest: f64, w| largest.max(w.abs()));
        for (double, single) in double.iter().zip(single) {
            let difference = (double - single).abs() / largest;
            assert!(difference < SINGLE_PRECISION, "{single} for {double} after {} steps: {difference:e}", step + 1);
        }
    }
    trace
}

pub fn quadratic(case: &Case) {
    let (a, b) = (case.tensor("A"), case.tensor("b"));
    let trace = check(case, &[("w", "w0")], |parameters| {
        let w = parameters.values();
        let (a, b) = (cast(&a, w.dtype()), cast(&b, w.dtype()));
        let column = w.unsqueeze(1).unwrap();
        let quadratic = column.t().unwrap().matmul(&a.matmul(&column).unwrap()).unwrap().sum_all().unwrap();
        ((quadratic * 0.5).unwrap() - (w.as_tensor() * &b).unwrap().sum_all().unwrap()).unwrap()
    });
    case.check("params", &trace.parameters.concat());
}

pub fn mlp(case: &Case) {
    let (x, y) = (case.tensor("X"), case.tensor("Y"));
    let names = ["w1", "b1", "w2", "b2"];
    let shapes = names.map(|name| case.tensor(name).dims().to_vec());
    let dense = |shape: &[usize], activation| Layer::Dense(Dense { inputs: shape[1], outputs: shape[0], activation });
    let layers = [dense(&shapes[0], Activation::Tanh), dense(&shapes[2], Activation::Identity)];
    let layers = Graph::chain(layers).unwrap().into();
    let trace = check(case, &names.map(|name| (name, name)), |parameters| {
        let w = parameters.values();
        let (x, y) = (cast(&x, w.dtype()), cast(&y, w.dtype()));
        let out = kernel::graph(&x, w, &layers, Some(parameters.collector())).unwrap().remove(0);
        (out - &y).unwrap().sqr().unwrap().mean_all().unwrap()
    });
    for (step, expected) in case.expected("params_after_step").as_object().unwrap() {
        let after = &trace.parameters[step.parse::<usize>().unwrap() - 1];
        let mut start = 0;
        for (name, shape) in names.iter().zip(&shapes) {
            let end = start + shape.iter().product::<usize>();
            case.compare(&format!("{name} after step {step}"), &after[start..end], &expected[*name]);
            start = end;
        }
        assert_eq!(expected.as_object().unwrap().len(), names.len());
    }
}

/// From 0 and at the rate 1, a step of SGD leaves the clipped gradient with its sign turned.
pub fn grad_clip(case: &Case) {
    let gradients = case.numbers("grads");
    let zeros = Tensor::zeros(gradients.len(), DType::F64, &Device::Cpu).unwrap();
    let parameters = Parameters::new(vec![("w".into(), Role::Weight, zeros)]).unwrap();
    let gradient = Tensor::from_vec(gradients.clone(), gradients.len(), &Device::Cpu).unwrap();
    let clip = serde_json::json!({ "kind": case.text("kind"), "max": case.number("max") });
    let settings = settings("SGD", &serde_json::json!({}), &clip, Schedule::Constant(1.0));
    let mut optimizer = Optimizer::new(&settings, stream(0, "gradient noise", 0)).unwrap();
    let descent = optimizer.step(&parameters, &gradient, 0.0).unwrap();
    let moved: Vec<f64> = flat(parameters.values()).iter().map(|w| -w).collect();
    case.check("clipped", &moved);
    match case.text("kind") {
        "norm" => case.check("total_norm", &[descent.gradient_norm]),
        "inf_norm" => case.check("total_norm", &[kernel::largest_magnitude(&gradient).unwrap()]),
        _ => assert!(!case.expects("total_norm")),
    }
}

pub fn lr_schedules(case: &Case) {
    let steps = case.number("steps");
    let warmup = if case.has("warmup_iters") { case.number("warmup_iters") } else { 0.0 };
    // A curve that is cut off by the end of the trace still has to end within the budget.
    let lengths = ["T_max", "total_iters", "total_steps", "decay_steps", "transition_steps", "step_size", "T_0"];
    let lengths = lengths.iter().chain(&["milestones"]).filter(|key| case.has(key));
    let end = lengths.flat_map(|key| case.numbers(key)).fold(0.0, f64::max);
    let budget = steps.max(warmup + end);
    let schedule = torch_schedule(case, budget);
    // Written as a file would say it, so that its ranges are checked too.
    let schedule: Schedule = toml::Value::try_from(schedule).unwrap().try_into().unwrap_or_else(|e| panic!("{e}"));
    let rates: Vec<f64> = (0..steps as usize).map(|step| schedule.at(step as f64 / budget)).collect();
    let expected = case.expected("lrs").as_array().unwrap();
    assert_eq!(expected.len(), rates.len());
    // Torch's cosine rises again after its end; ours stays there.
    let compared = if case.has("T_max") { rates.len().min((warmup + end) as usize + 1) } else { rates.len() };
    case.compare("lrs", &rates[..compared], &Value::from(&expected[..compared]));
}

/// The schedule of another package with lengths in steps, as one with shares of `budget` steps.
fn torch_schedule(case: &Case, budget: f64) -> Schedule {
    let share = |key: &str| case.number(key) / budget;
    let base = || case.number("base_lr");
    if case.has("step_size") {
        Schedule::Step { from: base(), factor: case.number("gamma"), every: share("step_size") }
    } else if case.has("milestones") {
        let at = case.numbers("milestones").iter().map(|step| step / budget).collect();
        Schedule::Multistep { from: base(), factor: case.number("gamma"), at }
    } else if case.has("gamma") {
        Schedule::Exponential { from: base(), to: base() * case.number("gamma").powf(budget), until: 1.0 }
    } else if case.has("warmup_iters") {
        Schedule::WarmupCosine {
            from: base() * case.number("warmup_start_factor"),
            peak: base(),
            to: case.number("eta_min"),
            warmup: share("warmup_iters"),
            until: share("warmup_iters") + share("T_max"),
        }
    } else if case.has("T_max") {
        Schedule::Cosine { from: base(), to: case.number("eta_min"), until: share("T_max") }
    } else if case.has("T_0") {
        let (to, growth) = (case.number("eta_min"), case.number("T_mult"));
        Schedule::CosineRestarts { from: base(), to, period: share("T_0"), growth }
    } else if case.has("start_factor") {
        let [from, to] = ["start_factor", "end_factor"].map(|key| base() * case.number(key));
        Schedule::Linear { from, to, until: share("total_iters") }
    } else if case.has("power") {
        Schedule::Polynomial { from: base(), to: 0.0, power: case.number("power"), until: share("total_iters") }
    } else if case.has("factor") {
        let factor = case.number("factor");
        Schedule::Multistep { from: base() * factor, factor: 1.0 / factor, at: vec![share("total_iters")] }
    } else {
        cycle_or_other_package(case, budget)
    }
}

fn cycle_or_other_package(case: &Case, budget: f64) -> Schedule {
    let share = |key: &str| case.number(key) / budget;
    if case.has("max_lr") {
        let (peak, steps) = (case.number("max_lr"), case.number("total_steps"));
        let from = peak / case.number("div_factor");
        return Schedule::OneCycle {
            from,
            peak,
            to: from / case.number("final_div_factor"),
            // Torch counts to the last step rather than to the end of it.
            warmup: (case.number("pct_start") * steps - 1.0) / budget,
            shape: if case.text("anneal_strategy") == "cos" { Easing::Cosine } else { Easing::Linear },
            three_phase: case.flag("three_phase"),
            until: (steps - 1.0) / budget,
        };
    }
    if case.has("peak_value") {
        let [from, peak, to] = ["init_value", "peak_value", "end_value"].map(|key| case.number(key));
        return Schedule::WarmupCosine { from, peak, to, warmup: share("warmup_steps"), until: share("decay_steps") };
    }
    if case.has("transition_steps") {
        let [from, to] = ["init_value", "end_value"].map(|key| case.number(key));
        return Schedule::Linear { from, to, until: share("transition_steps") };
    }
    Schedule::Linear { from: case.number("start"), to: case.number("end"), until: case.number("end_fraction") }
}
