use crate::Vectorized;
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("`max_steps` must be at least 1")]
pub struct WrapperError;
pub fn limit_time(env: Box<dyn Vectorized>, max_steps: u32) -> Result<Box<dyn Vectorized>, WrapperError> {
    if max_steps == 0 { Err(WrapperError) } else { Ok(env) }
}
