//! Networks that an arm learns from: its expert, and the reference of its divergence.

use super::Subject;
use crate::checks::{Check, fail, require};

/// Whether the network of the arm `name`, named at `path`, can be loaded for this arm.
pub(super) fn check(path: &str, name: &str, subject: Subject) -> Check {
    let Subject { arm, task, arms, tasks } = subject;
    require(name != arm.name, path, "an arm can't be its own teacher")?;
    let others = arms.iter().zip(tasks).filter(|(other, _)| other.name != arm.name);
    let Some((teacher, of_teacher)) = others.clone().find(|(other, _)| other.name == name) else {
        let known: Vec<&str> = others.map(|(other, _)| other.name.as_str()).collect();
        return fail(path, crate::error::unknown("arm", name, &known));
    };
    let same = (&teacher.task.env, &teacher.task.dataset) == (&arm.task.env, &arm.task.dataset)
        && (of_teacher.input_shape(), of_teacher.actions()) == (task.input_shape(), task.actions());
    require(same, path, &format!("`{name}` has another task"))?;
    let same = teacher.network.layers == arm.network.layers && teacher.network.hidden() == arm.network.hidden();
    require(same, path, &format!("the network of `{name}` has other layers"))?;
    let same = teacher.network.policy.unwrap_or_default() == arm.network.policy.unwrap_or_default();
    require(same, path, &format!("the network of `{name}` has another `policy`"))?;
    require(teacher.teachers().next().is_none(), path, &format!("`{name}` itself learns from another arm"))
}
