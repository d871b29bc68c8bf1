#![allow(unsafe_code)]
use candle_core::{Device, Tensor};
use lossward::{loss, network::*, optimizer::*, stream};
fn main() {
    unsafe {
        std::env::set_var("CANDLE_NUM_THREADS", "1");
        std::env::set_var("RAYON_NUM_THREADS", "1");
    }
    let a: Vec<String> = std::env::args().collect();
    let (net, shape, out, batch): (&str, &[usize], usize, usize) = match a[1].as_str() {
        "1" => ("hidden=[64,64]\nactivation='tanh'", &[4], 2, 128),
        "2" => ("hidden=[64,64]\nactivation='tanh'", &[64], 10, 128),
        "3" => ("hidden=[256,128]\nactivation='relu'", &[784], 10, 128),
        _ => (
            "layers=[{conv=16,kernel=3},{pool=2},{conv=32,kernel=3},{pool=2}]\nactivation='relu'",
            &[1, 28, 28],
            10,
            64,
        ),
    };
    let s: NetworkSettings = toml::from_str(&format!("{net}\ninitialization='orthogonal'\noutput_gain=1.0")).unwrap();
    let n = Network::new(&s, (shape, out), &mut stream(0, "init", 0)).unwrap();
    let os: OptimizerSettings = toml::from_str("rule='adam'\nlearning_rate=1e-3").unwrap();
    let mut o = Optimizer::new(&os).unwrap();
    let ce = loss::find("cross_entropy").unwrap();
    let f: usize = shape.iter().product();
    let x: Vec<f32> = (0..batch * f).map(|i| (i as f32).sin()).collect();
    let y: Vec<u32> = (0..batch).map(|i| (i % out) as u32).collect();
    let steps: usize = a[2].parse().unwrap();
    let mut best = f64::INFINITY;
    for _ in 0..20 {
        let t = std::time::Instant::now();
        for _ in 0..steps {
            let xi = Tensor::from_slice(&x, (batch, f), &Device::Cpu).unwrap();
            let yi = Tensor::from_slice(&y, batch, &Device::Cpu).unwrap();
            let l = (ce.per_example)(&n.forward(&xi).unwrap(), &yi).unwrap().mean_all().unwrap();
            lossward::scalar(&l).unwrap();
            o.descend(n.parameters(), &l, 0.0).unwrap();
        }
        best = best.min(t.elapsed().as_secs_f64() / steps as f64);
    }
    println!("{} best {:.2} us", a[1], best * 1e6);
}
