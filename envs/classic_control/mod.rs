//! Classic control, equal to Gymnasium step for step from a given state.

pub mod acrobot;
pub mod cart_pole;
pub mod mountain_car;
pub mod mountain_car_continuous;
pub mod pendulum;
mod trigonometry;

#[cfg(test)]
mod tests {
    use crate::{ALL, RandomActions, Scene, Shape, stream};

    fn corners(shape: &Shape) -> Vec<(f32, f32)> {
        let around = |(x, y): (f32, f32), r: f32| vec![(x - r, y - r), (x + r, y + r)];
        match shape {
            Shape::Line { from, to, .. } => vec![*from, *to],
            Shape::Circle { center, radius, .. } => around(*center, *radius),
            Shape::Rectangle { corner, size, .. } => vec![*corner, (corner.0 + size.0, corner.1 + size.1)],
            Shape::Polygon { points, .. } => points.clone(),
            Shape::Text { at, .. } => vec![*at],
        }
    }

    fn holds_all(scene: &Scene) -> bool {
        let inside = |&(x, y): &(f32, f32)| {
            (-1e-3..=scene.width + 1e-3).contains(&x) && (-1e-3..=scene.height + 1e-3).contains(&y)
        };
        scene.shapes.iter().flat_map(corners).all(|corner| inside(&corner))
    }

    #[test]
    fn scenes_show_every_state_whole() {
        for id in ["Acrobot-v1", "CartPole-v1", "MountainCar-v0", "MountainCarContinuous-v0", "Pendulum-v1"] {
            let spec = ALL.iter().find(|spec| spec.id == id).unwrap();
            let mut env = spec.make_default(vec![stream(0, "env", 0)]);
            let mut actions = RandomActions::new(spec.actions, vec![stream(0, "actions", 0)]);
            for _ in 0..500 {
                env.step(actions.draw(), &[]).unwrap();
                assert!(holds_all(&env.scene(0).unwrap()), "{id}");
            }
        }
    }

    #[test]
    fn a_car_is_seen_whole_at_both_ends() {
        use super::mountain_car::valley;
        assert!([-1.2, 0.6].into_iter().all(|position| holds_all(&valley(position, 0.5))));
    }
}
