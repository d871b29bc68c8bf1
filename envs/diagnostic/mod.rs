//! Small tasks that each ask for one ability (credit, exploration, memory, continuous control, a shifted rule) and whose
//! best return is known.

pub mod catch;
pub mod copy_task;
pub mod deep_sea;
pub mod lqr;
pub mod memory_chain;
pub mod shifted_grid;
