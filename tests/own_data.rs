//! Files of the user's own: tables and images are learned from, and bad ones are answered with what is wrong and where.

#![allow(clippy::unwrap_used)]

mod common;

use common::{Run, Sandbox};
use std::fmt::Write;

/// An experiment of one arm on this data set.
fn experiment(dataset: &str, objective: &str) -> String {
    format!(
        "title = \"own\"\nseeds = 1\n[task]\ndataset = {{ {dataset} }}\n[network]\nhidden = [16]\n[optimizer]\nlearning_rate = 1e-2\n\
         [budget]\nexamples = 3_000\n[[arm]]\nname = \"a\"\nobjective = {{ {objective} }}\n"
    )
}

const CLASSES: &str = "kind = \"supervised\", loss = \"cross_entropy\"";
const VALUES: &str = "kind = \"supervised\", loss = \"mse\"";

fn train(sandbox: &Sandbox, dataset: &str, objective: &str) -> Run {
    sandbox.write("own.toml", &experiment(dataset, objective));
    sandbox.run(&["run", "own.toml", "--out", "out", "--quiet"])
}

/// The final value of a column of the summary.
fn final_value(sandbox: &Sandbox, metric: &str) -> f64 {
    let summary = std::fs::read_to_string(sandbox.path("out/summary.json")).unwrap();
    let summary: serde_json::Value = serde_json::from_str(&summary).unwrap();
    summary["arms"][0]["final"][metric]["point"].as_f64().unwrap()
}

/// Houses whose logarithmic price is linear in their size, and their heating.
fn houses() -> String {
    let mut text = "id,size,heating,price\n".to_string();
    for i in 0..300u32 {
        let (size, gas) = (50 + (i * 37) % 101, i % 3 == 0);
        let price = (10.0 + f64::from(size) / 100.0 + if gas { 0.5 } else { 0.0 }).exp();
        writeln!(text, "h{i},{size},{},{price:.2}", if gas { "gas" } else { "oil" }).unwrap();
    }
    text
}

fn idx(kind: u8, shape: &[usize], elements: impl IntoIterator<Item = u8>) -> Vec<u8> {
    let sizes = shape.iter().flat_map(|size| (*size as u32).to_be_bytes());
    [0, 0, kind, shape.len() as u8].into_iter().chain(sizes).chain(elements).collect()
}

/// 4×4 images: those of class 1 are bright at the top, those of class 0 at the bottom.
fn images(rows: usize) -> (Vec<u8>, Vec<u8>) {
    let label = |row: usize| u8::from(row.is_multiple_of(3));
    let pixel = |row: usize, pixel: usize| {
        if (pixel < 8) == (label(row) == 1) { 200 + (row % 50) as u8 } else { (row % 60) as u8 }
    };
    let pixels = (0..rows).flat_map(|row| (0..16).map(move |p| pixel(row, p)));
    (idx(8, &[rows, 4, 4], pixels), idx(8, &[rows], (0..rows).map(label)))
}

fn gzip(content: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_table_is_learned_from_and_drawn_when_it_is_gone() {
    let sandbox = Sandbox::new();
    let table = sandbox.write("houses.csv", &houses());
    let dataset = "csv = \"houses.csv\", target = \"price\", logarithm = true, ignored = [\"id\"]";
    train(&sandbox, dataset, VALUES).succeeded();
    assert!(final_value(&sandbox, "r2") > 0.95, "{}", final_value(&sandbox, "r2"));
    let resolved = std::fs::read_to_string(sandbox.path("out/experiment.toml")).unwrap();
    assert!(resolved.contains("sha256 = [\""), "{resolved}");
    let figure = std::fs::read(sandbox.path("out/curves.svg")).unwrap();
    // Other data under the same name is another experiment, and the old state can be asked for.
    std::fs::write(&table, houses().replace("h7,", "h8,")).unwrap();
    let run = sandbox.run(&["run", "own.toml", "--out", "out", "--quiet"]);
    run.failed_with(&["holds the records of another experiment", "sha256"]);
    sandbox.run(&["run", "out/experiment.toml", "--out", "again"]).failed_with(&["houses.csv", "the data has changed"]);
    std::fs::remove_file(&table).unwrap();
    sandbox.run(&["plot", "out"]).succeeded();
    assert_eq!(std::fs::read(sandbox.path("out/curves.svg")).unwrap(), figure);
    sandbox.run(&["run", "own.toml", "--out", "out"]).failed_with(&["own.toml:4", "houses.csv", "No such file"]);
}

/// The same rows in one file, in two, and the last ones held out: the same split and so the same records.
#[test]
fn what_is_held_out_is_said_in_three_ways() {
    let sandbox = Sandbox::new();
    let all = houses();
    let lines: Vec<&str> = all.lines().collect();
    sandbox.write("all.csv", &all);
    sandbox.write("train.csv", &lines[..201].join("\n"));
    sandbox.write("test.csv", &[&lines[..1], &lines[201..]].concat().join("\n"));
    let common = "target = \"heating\", ignored = [\"id\"]";
    let mut found = Vec::new();
    for dataset in [
        format!("csv = \"all.csv\", test_last = 100, {common}"),
        format!("csv = \"train.csv\", test_csv = \"test.csv\", {common}"),
        format!("csv = \"all.csv\", test_every = 3, {common}"),
    ] {
        sandbox.write("own.toml", &experiment(&dataset, CLASSES));
        sandbox.run(&["run", "own.toml", "--out", "out", "--quiet", "--force"]).succeeded();
        found.push(final_value(&sandbox, "loss"));
    }
    assert_eq!(found[0], found[1]);
    assert_ne!(found[0], found[2]);
}

#[test]
fn images_are_learned_from_plain_and_compressed() {
    let sandbox = Sandbox::new();
    let (pixels, labels) = images(200);
    let (test_pixels, test_labels) = images(40);
    std::fs::write(sandbox.path("i.idx"), &pixels).unwrap();
    std::fs::write(sandbox.path("l.idx"), &labels).unwrap();
    std::fs::write(sandbox.path("i.gz"), gzip(&pixels)).unwrap();
    std::fs::write(sandbox.path("l.gz"), gzip(&labels)).unwrap();
    std::fs::write(sandbox.path("ti.gz"), gzip(&test_pixels)).unwrap();
    std::fs::write(sandbox.path("tl.gz"), gzip(&test_labels)).unwrap();
    for dataset in [
        "images = \"i.idx\", labels = \"l.idx\"",
        "images = \"i.gz\", labels = \"l.gz\", test_images = \"ti.gz\", test_labels = \"tl.gz\"",
    ] {
        sandbox.write("own.toml", &experiment(dataset, CLASSES));
        sandbox.run(&["run", "own.toml", "--out", "out", "--quiet", "--force"]).succeeded();
        assert_eq!(final_value(&sandbox, "accuracy"), 1.0, "{dataset}");
    }
}

/// A file's content, what the data set says of it, and what the answer must name beside the line of the experiment.
type Bad = (&'static str, Vec<u8>, &'static str, &'static str, &'static [&'static str]);

fn bad_tables() -> Vec<Bad> {
    let table = |text: &str| text.as_bytes().to_vec();
    let rows = |rows: &str| table(&format!("size,color,kind\n1,red,x\n2,blue,y\n3,red,x\n4,red,y\n5,red,y\n{rows}"));
    let kind = "csv = \"t.csv\", target = \"kind\"";
    let size = "csv = \"t.csv\", target = \"size\"";
    vec![
        ("empty", table(""), kind, CLASSES, &["t.csv", "it is empty"]),
        ("header only", table("size,kind\n"), kind, CLASSES, &["t.csv", "no row"]),
        ("ragged", rows("7,red\n"), kind, CLASSES, &["t.csv", "row 6 has 2 fields where the header has 3"]),
        ("truncated gz", gzip(&rows(""))[..40].to_vec(), kind, CLASSES, &["t.csv", "broken gzip data"]),
        (
            "not a number",
            rows("big,red,x\n"),
            kind,
            CLASSES,
            &["row 6, column `size`: `big` is not a number", "`categorical`"],
        ),
        ("target not a number", rows("big,red,x\n"), size, VALUES, &["row 6, column `size`: `big` is not a number"]),
        ("NaN", rows("NaN,red,x\n"), kind, CLASSES, &["row 6, column `size`: NaN is not finite"]),
        ("infinite", rows("inf,red,x\n"), kind, CLASSES, &["row 6, column `size`: inf is not finite"]),
        (
            "missing entry",
            rows(",red,x\n"),
            kind,
            CLASSES,
            &["row 6, column `size`: the entry is missing", "missing = \"fill\""],
        ),
        ("missing target", rows("6,red,\n"), kind, CLASSES, &["row 6: the target `kind` is missing"]),
        ("one class", table("size,kind\n1,x\n2,x\n3,x\n4,x\n5,x\n"), kind, CLASSES, &["`kind` has one class only, x"]),
        ("one value", table("size,kind\n1,x\n1,y\n1,x\n1,y\n1,x\n"), size, VALUES, &["`size` has one value only, 1"]),
        (
            "unseen class",
            rows("6,red,x\n7,red,x\n8,red,y\n9,red,x\n10,red,z\n"),
            kind,
            CLASSES,
            &["row 10", "no training row has its class, z"],
        ),
        (
            "no such column",
            rows(""),
            "csv = \"t.csv\", target = \"sort\"",
            CLASSES,
            &["unknown column `sort`", "`size`, `color`, `kind`"],
        ),
        ("no target", rows(""), "csv = \"t.csv\"", CLASSES, &["needs a `target`", "size, color, kind"]),
        (
            "no such ignored",
            rows(""),
            "csv = \"t.csv\", target = \"kind\", ignored = [\"colour\"]",
            CLASSES,
            &["did you mean `color`"],
        ),
        ("labels want classes", rows(""), size, CLASSES, &["`cross_entropy`", "real values", "mse"]),
        (
            "logarithm",
            rows("0,red,x\n"),
            "csv = \"t.csv\", target = \"size\", logarithm = true",
            VALUES,
            &["row 6, column `size`: 0 has no logarithm"],
        ),
        (
            "a key of images",
            rows(""),
            "csv = \"t.csv\", target = \"kind\", labels = \"l\"",
            CLASSES,
            &["`labels` belongs to `images`"],
        ),
        (
            "two splits",
            rows(""),
            "csv = \"t.csv\", target = \"kind\", test_every = 3, test_last = 2",
            CLASSES,
            &["said once"],
        ),
        (
            "too many held out",
            rows(""),
            "csv = \"t.csv\", target = \"kind\", test_last = 5",
            CLASSES,
            &["`test_last` is 5", "5 rows"],
        ),
        (
            "a misspelt key",
            rows(""),
            "csv = \"t.csv\", targt = \"kind\"",
            CLASSES,
            &["`targt`", "did you mean `target`"],
        ),
        (
            "other test columns",
            rows(""),
            "csv = \"t.csv\", target = \"kind\", test_csv = \"own.toml\"",
            CLASSES,
            &["own.toml"],
        ),
        ("no file", rows(""), "csv = \"u.csv\", target = \"kind\"", CLASSES, &["u.csv", "No such file"]),
        ("neither", rows(""), "target = \"kind\"", CLASSES, &["`csv`"]),
    ]
}

#[test]
fn bad_tables_are_told_apart() {
    let sandbox = Sandbox::new();
    for (what, content, dataset, objective, parts) in bad_tables() {
        std::fs::write(sandbox.path("t.csv"), content).unwrap();
        let run = train(&sandbox, dataset, objective);
        assert!(run.err.contains("own.toml:"), "{what}: no line in: {}", run.err);
        parts.iter().for_each(|part| assert!(run.err.contains(part), "{what}: no `{part}` in: {}", run.err));
        run.failed_with(&[]);
    }
    assert!(!sandbox.path("out").exists(), "nothing is left where nothing was trained");
}

#[test]
fn bad_images_are_told_apart() {
    let sandbox = Sandbox::new();
    let (pixels, labels) = images(20);
    let of = |kind: u8, shape: &[usize], bytes: usize| idx(kind, shape, std::iter::repeat_n(1, bytes));
    let one_class = idx(8, &[20], [1; 20]);
    let floats = idx(13, &[20], (0..20).flat_map(|i| (i as f32 + 0.5).to_be_bytes()));
    let gaps = idx(13, &[20, 1], (0..20).flat_map(|_| f32::NAN.to_be_bytes()));
    type BadPair = (&'static str, Vec<u8>, Vec<u8>, &'static [&'static str]);
    let cases: Vec<BadPair> = vec![
        ("empty", vec![], labels.clone(), &["i.idx", "not an IDX file"]),
        ("magic", [&[1, 2][..], &pixels[2..]].concat(), labels.clone(), &["i.idx", "not an IDX file"]),
        ("type", of(7, &[20, 4, 4], 320), labels.clone(), &["i.idx", "IDX type 0x07"]),
        ("rank", of(8, &[320], 320), labels.clone(), &["i.idx", "it must be images"]),
        ("rank of labels", pixels.clone(), pixels.clone(), &["l.idx", "it must be labels"]),
        (
            "short",
            pixels[..100].to_vec(),
            labels.clone(),
            &["i.idx", "84 elements follow a header that says [20, 4, 4]"],
        ),
        ("long", [&pixels[..], &[0]].concat(), labels.clone(), &["i.idx", "more elements follow"]),
        ("header", pixels[..9].to_vec(), labels.clone(), &["i.idx", "cut off inside the 3 sizes"]),
        ("truncated gz", gzip(&pixels)[..60].to_vec(), labels.clone(), &["i.idx", "broken gzip data"]),
        ("truncated labels", pixels.clone(), gzip(&labels)[..20].to_vec(), &["l.idx", "broken gzip data"]),
        ("rows", pixels.clone(), images(19).1, &["l.idx", "19 labels for the 20 images"]),
        ("one class", pixels.clone(), one_class, &["l.idx", "one class only, 1"]),
        ("fractions", pixels.clone(), floats, &["l.idx", "row 1: 0.5 is no class"]),
        ("NaN", gaps, labels.clone(), &["i.idx", "row 1: a pixel is not finite"]),
    ];
    for (what, pixels, labels, parts) in cases {
        std::fs::write(sandbox.path("i.idx"), pixels).unwrap();
        std::fs::write(sandbox.path("l.idx"), labels).unwrap();
        let run = train(&sandbox, "images = \"i.idx\", labels = \"l.idx\"", CLASSES);
        assert!(run.err.contains("own.toml:4"), "{what}: no line in: {}", run.err);
        parts.iter().for_each(|part| assert!(run.err.contains(part), "{what}: no `{part}` in: {}", run.err));
        run.failed_with(&[]);
    }
}

/// A PNG file of 8×8 gray pixels: dark, but for a bright square from this corner on.
fn square(corner: usize, side: usize, value: u8) -> Vec<u8> {
    let inside = |place: usize| (corner..corner + side).contains(&place);
    let pixels: Vec<u8> = (0..64).map(|i| if inside(i % 8) && inside(i / 8) { value } else { 0 }).collect();
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, 8, 8);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
    file
}

/// Folders of images with a folder for each class, masks, boxes in each format, all of the same squares: corner `i % 4`, side 3.
fn squares() -> Sandbox {
    let sandbox = Sandbox::new();
    let mut csv = "image,class,x1,y1,x2,y2\n".to_string();
    let (mut images, mut annotations) = (Vec::new(), Vec::new());
    for i in 0..10 {
        let (corner, name) = (i % 4, format!("s{i}.png"));
        let write = |folder: &str, name: &str, content: &[u8]| {
            let path = sandbox.path(folder).join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        };
        write("images", &name, &square(corner, 3, 200 + i as u8));
        write(if corner < 2 { "classes/left" } else { "classes/right" }, &name, &square(corner, 3, 200 + i as u8));
        write("masks", &name, &square(corner, 3, 255));
        let middle = (corner as f64 + 1.5) / 8.0;
        write("texts", &format!("s{i}.txt"), format!("0 {middle} {middle} 0.375 0.375\n").as_bytes());
        writeln!(csv, "{name},thing,{corner},{corner},{0},{0}", corner + 3).unwrap();
        images.push(serde_json::json!({ "id": i, "file_name": name }));
        let bbox = [corner, corner, 3, 3];
        annotations.push(serde_json::json!({ "image_id": i, "category_id": 5, "bbox": bbox, "iscrowd": 0 }));
    }
    sandbox.write("boxes.csv", &csv);
    let categories = [serde_json::json!({ "id": 5, "name": "thing" })];
    let instances = serde_json::json!({ "images": images, "annotations": annotations, "categories": categories });
    sandbox.write("instances.json", &instances.to_string());
    sandbox
}

fn described(sandbox: &Sandbox, settings: &[&str]) -> serde_json::Value {
    let run = sandbox.run(&[&["data"], settings, &["--json"]].concat()).succeeded();
    serde_json::from_str(&run.out).unwrap()
}

/// Ten squares of 9 pixels, every fifth held out: 72 pixels of 512 to train on.
#[test]
fn folders_of_images_are_read_with_masks_and_boxes() {
    let sandbox = squares();
    let masks = described(&sandbox, &["images", "masks=masks", "classes=none,square"]);
    let pixels = &masks["target"]["categories"][1];
    assert_eq!((&pixels["name"], &pixels["pixels"]["to_train_on"]), (&"square".into(), &72.into()));
    assert_eq!(
        (&masks["rows"]["held_out"], &masks["target"]["categories"][0]["pixels"]["held_out"]),
        (&2.into(), &110.into())
    );
    assert!(masks["notes"][0].as_str().unwrap().contains("masks of 0 and 255 are read as 0 and 1"));
    let mut found = Vec::new();
    for boxes in ["boxes=boxes.csv", "boxes=instances.json", "boxes=texts"] {
        let mut boxes = described(&sandbox, &["images", boxes]);
        boxes["target"]["categories"][0]["name"].take();
        found.push((boxes["target"].clone(), boxes["columns"].clone()));
    }
    assert_eq!(found[0].0["categories"][0]["boxes"]["to_train_on"], 8);
    let widths = found[0].1.as_array().unwrap().iter().find(|column| column["name"] == "width").unwrap();
    assert_eq!(widths["parts"]["to_train_on"]["quantiles"]["50%"], 3.0);
    assert!(found[0] == found[1] && found[0] == found[2], "one truth in three formats");
    sandbox.run(&["data", "images", "boxes=texts", "--figure", "sheet.svg"]).succeeded();
    let svg = std::fs::read_to_string(sandbox.path("sheet.svg")).unwrap();
    assert_eq!((svg.matches("<image ").count(), svg.matches("fill=\"none\" stroke=").count()), (10, 10));
}

#[test]
fn a_folder_of_classes_is_learned_from() {
    let sandbox = squares();
    train(&sandbox, "images = \"classes\", test_images = \"classes\"", CLASSES).succeeded();
    assert_eq!(final_value(&sandbox, "accuracy"), 1.0);
    let resolved = std::fs::read_to_string(sandbox.path("out/experiment.toml")).unwrap();
    assert!(resolved.contains("sha256 = [\""), "{resolved}");
    std::fs::write(sandbox.path("classes/left/s0.png"), square(1, 3, 9)).unwrap();
    sandbox.run(&["run", "out/experiment.toml", "--out", "again"]).failed_with(&["classes", "the data has changed"]);
}

#[test]
fn folders_that_do_not_fit_are_told_apart() {
    let sandbox = squares();
    let told = |settings: &[&str], parts: &[&str]| {
        sandbox.run(&[&["data"], settings].concat()).failed_with(parts);
    };
    told(&["images"], &["`s0.png` is in none of its folders", "`masks`"]);
    told(&["images", "masks=masks", "boxes=texts"], &["one of `masks` and `boxes`, not both"]);
    told(&["images", "boxes=texts", "ignored_value=3"], &["`ignored_value` belongs to `masks`"]);
    told(&["images", "masks=masks", "test_images=images"], &["`test_images` and `test_masks` need each other"]);
    told(&["images", "masks=nowhere"], &["nowhere", "No such file"]);
    told(&["images", "masks=masks", "ignored_value=0"], &["masks", "`ignored_value` is 0, one of the"]);
    std::fs::write(sandbox.path("masks/s3.png"), square(0, 3, 7)).unwrap();
    told(&["images", "masks=masks", "classes=a,b"], &["the mask of `s", "line 1, column 1", "none of the 2 classes"]);
    std::fs::remove_file(sandbox.path("masks/s3.png")).unwrap();
    told(&["images", "masks=masks"], &["the image `s3.png` has no file `s3.png` here"]);
    std::fs::write(sandbox.path("texts/s3.txt"), "0 2 0.5 0.5 0.5\n").unwrap();
    told(&["images", "boxes=texts"], &["s3.txt: line 1: `0 2 0.5 0.5 0.5`; it must be a class"]);
    std::fs::write(sandbox.path("images/s3.png"), &square(0, 3, 7)[..60]).unwrap();
    told(&["images", "boxes=boxes.csv"], &["s3.png: broken PNG"]);
}
