//! Masks as targets: learned by losses and by reward, with a control, and refused where they don't fit.

#![allow(clippy::unwrap_used)]

mod common;

use common::Sandbox;
use lossward::experiment::Experiment;

/// The bytes of an IDX array of bytes.
fn idx(shape: [u32; 3], elements: Vec<u8>) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, 3];
    shape.iter().for_each(|side| bytes.extend(side.to_be_bytes()));
    bytes.extend(elements);
    bytes
}

/// Forty images of 12×12 with a bright square of 4×4 somewhere on noise, and `classes − 1` kinds of squares by brightness.
fn write_squares(sandbox: &Sandbox, classes: u32) {
    const SIDE: u32 = 12;
    let (mut images, mut masks) = (Vec::new(), Vec::new());
    for image in 0..40u32 {
        let (top, left, class) = (image * 5 % 8, image * 3 % 8, image % (classes - 1) + 1);
        for (y, x) in (0..SIDE).flat_map(|y| (0..SIDE).map(move |x| (y, x))) {
            let inside = (top..top + 4).contains(&y) && (left..left + 4).contains(&x);
            let noise = (image * 31 + y * 17 + x * 7).wrapping_mul(2_654_435_761) >> 27;
            images.push((noise + if inside { 70 * class } else { 0 }) as u8);
            masks.push(if inside { class as u8 } else { 0 });
        }
    }
    std::fs::write(sandbox.path("images.idx"), idx([40, SIDE, SIDE], images)).unwrap();
    std::fs::write(sandbox.path("masks.idx"), idx([40, SIDE, SIDE], masks)).unwrap();
}

const HEAD: &str = r#"seeds = 1
budget.examples = 1_600
[task]
dataset = { images = "images.idx", masks = "masks.idx" }
augmentation = { flip_horizontal = true }
[network]
body = { unet = { widths = [4, 8] } }
[optimizer]
learning_rate = 1e-2
"#;

const DICE: &str = "{ dice = { positive = 1, absent = \"one\" } }";

/// The last value of a column of an arm.
fn last(sandbox: &Sandbox, arm: &str, column: &str) -> f64 {
    let rows = std::fs::read_to_string(sandbox.path(&format!("results/masks/trials/{arm}/seed-0/rows.csv"))).unwrap();
    let mut lines = rows.lines();
    let at = lines.next().unwrap().split(',').position(|name| name == column).unwrap();
    lines.last().unwrap().split(',').nth(at).unwrap().parse().unwrap()
}

#[test]
fn masks_are_learned_by_label_and_played_for_reward() {
    let sandbox = Sandbox::new();
    write_squares(&sandbox, 2);
    let arm = |name: &str, more: &str| format!("[[arm]]\nname = \"{name}\"\n{more}\n");
    let composite = "objective = { kind = \"supervised\", batch_size = 8, loss = { composite = [{ loss = \"dice\" }, { loss = \"bce_with_logits\" }] } }";
    let reward = format!(
        "objective = {{ kind = \"policy_gradient\", preset = \"rloo\", reward = {DICE}, environments = 32, group_size = 8 }}"
    );
    let text = format!(
        "{HEAD}[evaluation]\nmetrics = [{{ dice = {{ positive = 1 }} }}, \"lesion_recall\"]\ntrain_metrics = [\"threshold_gap\"]\n{}{}{}",
        arm("label", composite),
        arm("permuted", &format!("{composite}\ntask = {{ control = \"permuted_labels\" }}")),
        arm("reward", &reward),
    );
    sandbox.write("masks.toml", &text);
    let said = sandbox.run(&["run", "masks.toml"]).succeeded().err;
    // What acts is what learns, unless a rollout is used more than once.
    assert!(!said.contains("running statistics"), "{said}");
    let again = sandbox.write("again.toml", &text.replace("group_size = 8 }", "group_size = 8, epochs = 2 }"));
    let notes = Experiment::load(&again, &[]).unwrap().notes;
    let lags: Vec<&String> = notes.iter().filter(|note| note.contains("running statistics")).collect();
    assert!(lags.len() == 1 && lags[0].starts_with("arm \"reward\": "), "{notes:?}");
    let dice = |arm: &str| last(&sandbox, arm, "dice(positive=1)");
    assert!(dice("label") > 0.9, "{}", dice("label"));
    assert!(dice("permuted") < 0.5, "{}", dice("permuted"));
    assert!(dice("label") > dice("permuted") + 0.4);
    assert!((0.0..=1.0).contains(&last(&sandbox, "reward", "reward")));
    assert!(last(&sandbox, "label", "train_threshold_gap") < 0.1);
    let weights = std::fs::read(sandbox.path("results/masks/trials/label/seed-0/final.safetensors")).unwrap();
    let header = String::from_utf8_lossy(&weights[8..4000.min(weights.len())]).into_owned();
    assert!(header.contains("running_mean") && header.contains("running_var") && header.contains("masks"), "{header}");
}

/// Three classes have a logit each.
#[test]
fn several_classes_are_learned_by_cross_entropy() {
    let sandbox = Sandbox::new();
    write_squares(&sandbox, 3);
    let text = format!(
        "{HEAD}[evaluation]\nmetrics = [{{ dice = {{ average = \"none\" }} }}]\n\
         [[arm]]\nname = \"label\"\nobjective = {{ kind = \"supervised\", loss = \"cross_entropy\", batch_size = 8 }}\n"
    );
    sandbox.write("masks.toml", &text);
    sandbox.run(&["run", "masks.toml", "--quiet"]).succeeded();
    for class in 0..3 {
        let dice = last(&sandbox, "label", &format!("dice(average=none)[{class}]"));
        assert!(dice > 0.85, "class {class}: {dice}");
    }
}

#[test]
fn what_does_not_fit_masks_is_told() {
    let sandbox = Sandbox::new();
    write_squares(&sandbox, 2);
    let refused = |change: (&str, &str), objective: &str, said: &[&str]| {
        let text = format!("{HEAD}[[arm]]\nname = \"a\"\nobjective = {{ {objective} }}\n").replace(change.0, change.1);
        sandbox.write("masks.toml", &text);
        sandbox.run(&["run", "masks.toml", "--quiet"]).failed_with(said);
    };
    let supervised = |loss: &str| format!("kind = \"supervised\", batch_size = 8, loss = {loss}");
    let same = ("seeds", "seeds");
    refused(same, &supervised("\"cross_entropy\""), &["one score per pixel with masks", "bce_with_logits"]);
    refused(same, &supervised("\"ciou\""), &["dice"]);
    refused(same, &supervised("{ bce_with_logits = { pos_weight = [1, 2] } }"), &["`pos_weight` has 2 numbers for 1"]);
    refused(("[4, 8]", "[4, 8, 8, 8]"), &supervised("\"dice\""), &["halves the images 3 times", "12×12"]);
    refused(
        ("body = { unet = { widths = [4, 8] } }", "hidden = [8]"),
        &supervised("\"dice\""),
        &["the layers put out [8]", "[channels, 12, 12]"],
    );
    refused(("flip_horizontal = true", "shift = 40"), &supervised("\"dice\""), &["[0, 11]"]);
    let rloo = |reward: &str| {
        format!("kind = \"policy_gradient\", preset = \"rloo\", environments = 8, group_size = 4, reward = {reward}")
    };
    refused(same, &rloo("\"map\""), &["rates no mask", "dice"]);
    refused(same, &rloo("{ dice = { average = \"none\" } }"), &["a reward is one"]);
}
