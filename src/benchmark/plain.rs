//! The same training steps as a user of candle would write them, to compare with.

use crate::kernel::{Activation, Layer};
use crate::network::Network;
use crate::{Error, Result};
use candle_core::{Device, Tensor, Var};
use candle_nn::{AdamW, Optimizer, ParamsAdamW};

pub(super) struct Training {
    layers: Vec<Layer>,
    /// Weight and bias of each layer that has them.
    parameters: Vec<Var>,
    optimizer: AdamW,
    inputs: Tensor,
    labels: Tensor,
}

impl Training {
    /// From the weights of a network.
    pub fn new(network: &Network, (inputs, labels): (Vec<f32>, Vec<u32>)) -> Result<Self> {
        let parameters = network.parameters();
        let var = |p| Ok(Var::from_tensor(&parameters.tensor(p)?)?);
        let parameters = parameters.iter().map(var).collect::<Result<Vec<Var>>>()?;
        let layers: Vec<Layer> = network.graph().layers().copied().collect();
        let batch = labels.len();
        let shape = match layers[0] {
            Layer::Conv(conv) => vec![batch, conv.channels, conv.height, conv.width],
            _ => vec![batch, layers[0].inputs()],
        };
        let settings = ParamsAdamW { lr: super::training::LEARNING_RATE, weight_decay: 0.0, ..ParamsAdamW::default() };
        Ok(Training {
            layers,
            optimizer: AdamW::new(parameters.clone(), settings)?,
            parameters,
            inputs: Tensor::from_vec(inputs, shape, &Device::Cpu)?,
            labels: Tensor::from_vec(labels, batch, &Device::Cpu)?,
        })
    }

    /// One update; returns the examples that it took.
    pub fn step(&mut self) -> Result<f64> {
        let mut parameters = self.parameters.iter();
        let mut next = || parameters.next().ok_or_else(|| Error::Argument("a layer without its parameters".into()));
        let mut y = self.inputs.clone();
        for layer in &self.layers {
            y = match layer {
                Layer::Dropout(_) => y,
                Layer::Dense(dense) => {
                    let y = y.flatten_from(1)?.matmul(&next()?.t()?)?.broadcast_add(next()?)?;
                    activate(&y, dense.activation)?
                }
                Layer::Conv(conv) => {
                    let y = y.conv2d(next()?, conv.padding, conv.stride, 1, 1)?;
                    activate(&y.broadcast_add(&next()?.reshape((1, (), 1, 1))?)?, conv.activation)?
                }
                Layer::Pool(pool) if pool.padding == 0 => {
                    y.max_pool2d_with_stride(pool.size, pool.stride.unwrap_or(pool.size))?
                }
                Layer::Append(_) => Tensor::cat(&[&y, &next()?.broadcast_left(y.dim(0)?)?], 1)?,
                other => return Err(Error::Argument(format!("nobody is compared with {other:?}"))),
            };
        }
        let loss = candle_nn::loss::cross_entropy(&y, &self.labels)?;
        crate::scalar(&loss)?;
        self.optimizer.backward_step(&loss)?;
        Ok(self.labels.elem_count() as f64)
    }
}

fn activate(z: &Tensor, activation: Activation) -> Result<Tensor> {
    Ok(match activation {
        Activation::Relu => z.relu()?,
        Activation::Tanh => z.tanh()?,
        _ => z.clone(),
    })
}
