//! Networks that an arm learns from: its experts, the reference of its divergence, and the one that it starts from.

use super::Subject;
use crate::checks::{Check, fail, require};
use crate::experiment::{Arm, StartSettings};
use crate::network::Network;
use crate::task::Task;
use crate::{Result, stream};

/// Whether the network of the arm `name`, named at `path`, can be loaded for this arm.
pub(super) fn check(path: &str, name: &str, subject: Subject) -> Check {
    let Subject { arm, task, .. } = subject;
    let (teacher, of_teacher) = found(path, name, subject)?;
    let same = (&teacher.task.env, &teacher.task.dataset) == (&arm.task.env, &arm.task.dataset)
        && (of_teacher.input_shape(), of_teacher.actions()) == (task.input_shape(), task.actions());
    require(same, path, &format!("`{name}` has another task"))?;
    let same = teacher.network.layers == arm.network.layers && teacher.network.hidden() == arm.network.hidden();
    require(same, path, &format!("the network of `{name}` has other layers"))?;
    let same = teacher.network.policy.unwrap_or_default() == arm.network.policy.unwrap_or_default();
    require(same, path, &format!("the network of `{name}` has another `policy`"))
}

/// The teacher of this name, which is another arm, with its task.
fn found<'a>(path: &str, name: &str, Subject { arm, arms, tasks, .. }: Subject<'a>) -> Result<(&'a Arm, &'a Task)> {
    require(name != arm.name, path, "an arm can't be its own teacher")?;
    let mut others = arms.iter().zip(tasks).filter(|(other, _)| other.name != arm.name);
    let known = || arms.iter().map(|other| other.name.as_str()).filter(|other| *other != arm.name).collect::<Vec<_>>();
    others
        .find(|(other, _)| other.name == name)
        .ok_or_else(|| crate::Error::setting(path, crate::error::unknown("arm", name, &known())))
}

/// Whether the weights that an arm starts from are those of a network like its own.
pub(super) fn check_start(start: &StartSettings, subject: Subject) -> Check {
    let name = match (&start.arm, &start.file) {
        (Some(name), None) => name,
        (None, Some(file)) => return file.check_weights().map_err(|error| error.under("start.file")),
        _ => return fail("start", "an arm starts from an `arm` or a `file`"),
    };
    let (teacher, of_teacher) = found("start.arm", name, subject)?;
    let [theirs, own] = [(teacher, of_teacher), (subject.arm, subject.task)].map(|(arm, task)| parameters(arm, task));
    let (theirs, own) = (theirs?, own?);
    let shape = |of: &[(String, Vec<usize>)], name: &str| {
        of.iter().find(|(other, _)| other == name).map(|(_, shape)| shape.clone())
    };
    for (parameter, expected) in &own {
        match shape(&theirs, parameter) {
            Some(there) if there == *expected => {}
            Some(there) => {
                let message = format!("`{parameter}` of `{name}` has shape {there:?}, and this arm's has {expected:?}");
                return fail("start.arm", message);
            }
            None => {
                return fail(
                    "start.arm",
                    format!("`{name}` has no `{parameter}`, and this arm's network has one of shape {expected:?}"),
                );
            }
        }
    }
    match theirs.iter().find(|(parameter, _)| shape(&own, parameter).is_none()) {
        None => Ok(()),
        Some((parameter, shape)) => {
            fail("start.arm", format!("`{name}` has `{parameter}` of shape {shape:?}, and this arm's network has none"))
        }
    }
}

/// Names and shapes of the parameters of an arm's network.
fn parameters(arm: &Arm, task: &Task) -> Result<Vec<(String, Vec<usize>)>> {
    let policy = task.policy(arm.network.policy.as_ref())?;
    let network = Network::of_policy(&arm.network, (&task.input_shape(), policy), &mut stream(0, "init", 0))?;
    Ok(network.parameters().iter().map(|parameter| (parameter.name.clone(), parameter.shape.clone())).collect())
}

/// That no arm waits for itself.
pub(super) fn check_order(Subject { arm, arms, .. }: Subject) -> Check {
    for (place, teacher) in arm.named_teachers() {
        let (mut way, mut seen) = (vec![teacher], vec![teacher]);
        while let Some(name) = way.pop() {
            require(
                name != arm.name,
                &place,
                &format!(
                    "`{}` learns from `{teacher}`, which learns from `{}`: no arm of this circle could begin",
                    arm.name, arm.name
                ),
            )?;
            let next = arms.iter().filter(|other| other.name == name).flat_map(Arm::teachers);
            for further in next {
                if !seen.contains(&further) {
                    seen.push(further);
                    way.push(further);
                }
            }
        }
    }
    Ok(())
}
