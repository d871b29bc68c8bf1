//! `lossward data`: built-in sets, a user's own files and the page on all sets.

#![allow(clippy::unwrap_used)]

mod common;

use common::{Run, Sandbox, TINY};
use serde_json::Value;
use std::io::Write;

/// Twelve homes, one without a size.
const HOMES: &str = "city,beds,size,price\nX,1,40.5,100\nY,2,60,150\nX,2,,160\nX,3,80,210\nY,3,90,230\nX,1,42,105\n\
                     X,2,55,140\nY,2,61,155\nX,3,85,220\nX,3,95,260\nY,1,38,95\nX,4,120,300\n";

fn json(run: Run) -> Value {
    serde_json::from_str(&run.succeeded().out).unwrap()
}

#[test]
fn every_built_in_set_is_described_and_drawn() {
    let sandbox = Sandbox::new();
    for row in lossward::data::BUILT_IN {
        let run = sandbox.run(&["data", row.name, "--figure", "set.svg"]).succeeded();
        for part in [row.summary, row.source, row.licence, "to train on", "predicted"] {
            assert!(run.out.contains(part), "{}: no `{part}` in {}", row.name, run.out);
        }
        assert!(std::fs::read_to_string(sandbox.path("set.svg")).unwrap().starts_with("<svg"), "{}", row.name);
    }
}

/// The numbers of datasets/iris/iris.csv, its rows 5, 10, … aside: 40 of each species, petals 1 to 6.9 cm long.
#[test]
fn a_table_with_classes_is_described() {
    let sandbox = Sandbox::new();
    let text = sandbox.run(&["data", "iris"]).succeeded().out;
    for part in ["versicolor  40   33.3 %", "petal_length_cm", "▁", "120 to train on, 30 held out", "one of 3 classes"]
    {
        assert!(text.contains(part), "no `{part}` in {text}");
    }
    let iris = json(sandbox.run(&["data", "iris", "--json"]));
    assert_eq!((&iris["rows"]["to_train_on"], &iris["target"]["distinct"]), (&120.into(), &3.into()));
    assert_eq!(iris["target"]["categories"][0]["rows"]["held_out"], 10);
    let petals = &iris["columns"][2];
    assert_eq!((&petals["name"], &petals["parts"]["to_train_on"]["least"]), (&"petal_length_cm".into(), &1.0.into()));
    let bins = petals["parts"]["to_train_on"]["bins"].as_array().unwrap();
    assert_eq!(bins.iter().map(|count| count.as_u64().unwrap()).sum::<u64>(), 120);
}

#[test]
fn images_are_shown_and_drawn() {
    let sandbox = Sandbox::new();
    let text = sandbox.run(&["data", "digits", "--figure", "sheet.png"]).succeeded().out;
    assert!(text.contains("143   10.0 %") && text.contains("pixel") && !text.contains("@@"), "{text}");
    assert!(std::fs::read(sandbox.path("sheet.png")).unwrap().starts_with(b"\x89PNG"));
    let text = sandbox.run(&["data", "digits"]).succeeded().out;
    assert!(
        text.contains("@@") && text.lines().all(|line| line.starts_with("  source") || line.chars().count() <= 100)
    );
    assert!(!text.contains('\x1b'), "no colors where there is no terminal");
    sandbox.run(&["data", "fashion_mnist", "--figure", "sheet.svg"]).succeeded();
    let svg = std::fs::read_to_string(sandbox.path("sheet.svg")).unwrap();
    assert_eq!((svg.matches("<image ").count(), svg.contains("ankle boot")), (120, true));
}

#[test]
fn values_are_described_in_their_unit() {
    let sandbox = Sandbox::new();
    let text = sandbox.run(&["data", "house_sacramento"]).succeeded().out;
    for part in ["ln price", "median", "categories, most often SACRAMENTO 47", "sqft", "484", "4878"] {
        assert!(text.contains(part), "no `{part}` in {text}");
    }
    let diabetes = json(sandbox.run(&["data", "diabetes", "--json"]));
    let train = &diabetes["target"]["parts"]["to_train_on"];
    assert_eq!((&train["least"], &train["largest"], &train["rows"]), (&25.0.into(), &346.0.into(), &354.into()));
}

#[test]
fn options_are_given_as_pairs_or_as_an_object() {
    let sandbox = Sandbox::new();
    let drawn = json(sandbox.run(&["data", "blobs", "classes=4", "features=2", "train=300", "--json"]));
    assert_eq!((&drawn["target"]["distinct"], &drawn["rows"]["to_train_on"]), (&4.into(), &300.into()));
    let same =
        json(sandbox.run(&["data", "blobs", "--options", "{\"classes\":4,\"features\":2,\"train\":300}", "--json"]));
    assert_eq!(drawn, same);
    sandbox.run(&["data", "blobs", "features=2", "--figure", "plane.svg"]).succeeded();
    assert!(std::fs::read_to_string(sandbox.path("plane.svg")).unwrap().contains("x2 against x1"));
    let all = sandbox.run(&["data", "house_ames", "columns=all"]).succeeded().out;
    assert!(all.contains("Neighborhood") && all.contains("categories"), "{all}");
    sandbox.run(&["data", "moons", "nois=1"]).failed_with(&["did you mean `noise`"]);
    sandbox.run(&["data", "moons", "noise=-1"]).failed_with(&["`noise` of moons must be a number in [0, ∞)"]);
    sandbox.run(&["data", "moons", "noise"]).failed_with(&["`noise` is not of the form key=value"]);
}

#[test]
fn own_tables_are_described_column_by_column() {
    let sandbox = Sandbox::new();
    sandbox.write("homes.csv", HOMES);
    let text = sandbox.run(&["data", "homes.csv", "--figure", "homes.png"]).succeeded().out;
    let parts = [
        "rows     12",
        "columns  4",
        "2 categories, most often X 66.7 %",
        "whole",
        "number",
        "missing = \"fill\"",
        "csv = \"homes.csv\"",
    ];
    for part in parts {
        assert!(text.contains(part), "no `{part}` in {text}");
    }
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(HOMES.as_bytes()).unwrap();
    std::fs::write(sandbox.path("homes.csv.gz"), packed.finish().unwrap()).unwrap();
    let packed = json(sandbox.run(&["data", "homes.csv.gz", "--json"]));
    let plain = json(sandbox.run(&["data", "homes.csv", "--json"]));
    assert_eq!(packed["columns"], plain["columns"]);
    assert_eq!(
        (&plain["columns"][2]["missing"], &plain["columns"][2]["parts"]["rows"]["largest"]),
        (&1.into(), &120.0.into())
    );
    sandbox.write("faulty.csv", &HOMES.replace(",55,", ",large,").replace(",4,", ",inf,"));
    let notes = sandbox.run(&["data", "faulty.csv"]).succeeded().out;
    assert!(notes.contains("`size` is mostly numbers, but row 7: `large` is not a number"), "{notes}");
    assert!(notes.contains("`beds`: inf is not finite"), "{notes}");
}

#[test]
fn own_arrays_and_boxes_are_recognized() {
    let sandbox = Sandbox::new();
    let images =
        [&[0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 2][..], &[0, 9, 0, 9, 255, 0, 0, 0, 1, 2, 3, 4]].concat();
    std::fs::write(sandbox.path("images-idx3-ubyte"), &images).unwrap();
    let text = sandbox.run(&["data", "images-idx3-ubyte"]).succeeded().out;
    for part in ["[3, 2, 2]", "unsigned bytes", "pixel", "255", "@@"] {
        assert!(text.contains(part), "no `{part}` in {text}");
    }
    sandbox.run(&["data", "images-idx3-ubyte", "--figure", "sheet.svg"]).succeeded();
    assert_eq!(std::fs::read_to_string(sandbox.path("sheet.svg")).unwrap().matches("<image ").count(), 3);
    std::fs::write(sandbox.path("labels"), [0, 0, 8, 1, 0, 0, 0, 3, 7, 9, 7]).unwrap();
    let labels = json(sandbox.run(&["data", "labels", "--json"]));
    assert_eq!(labels["target"]["categories"][0], serde_json::json!({ "name": "7", "rows": { "rows": 2 } }));
    sandbox.write("boxes.csv", "image,class,x0,y0,x1,y1\n0,8,40,30,61,51\n0,1,28,35,39,50\n5,1,0,0,10,20\n");
    let boxes = sandbox.run(&["data", "boxes.csv", "--figure", "boxes.svg"]).succeeded().out;
    for part in ["a list of boxes", "2 with at least one box, numbered 0 to 5", "boxes per image", "width / height"] {
        assert!(boxes.contains(part), "no `{part}` in {boxes}");
    }
}

#[test]
fn what_an_experiment_learns_from_is_described() {
    let sandbox = Sandbox::new();
    sandbox.write("tiny.toml", TINY);
    let text = sandbox.run(&["data", "tiny.toml", "task.train_rows=200"]).succeeded().out;
    assert!(text.contains("200 to train on, 360 held out") && text.contains("the arm `label` of tiny.toml"), "{text}");
    sandbox.write("play.toml", &TINY.replace("dataset = \"digits\"", "dataset = \"digit\""));
    sandbox.run(&["data", "play.toml"]).failed_with(&["did you mean `digits`"]);
}

#[test]
fn what_can_not_be_described_is_told() {
    let sandbox = Sandbox::new();
    sandbox.run(&["data", "moon"]).failed_with(&["did you mean `moons`", "there is no file of this name", "CSV"]);
    sandbox.write("ragged.csv", "a,b\n1,2\n3\n");
    sandbox.run(&["data", "ragged.csv"]).failed_with(&["ragged.csv: row 2 has 1 fields"]);
    sandbox.write("empty.csv", "");
    sandbox.run(&["data", "empty.csv"]).failed_with(&["empty.csv: it is empty"]);
    std::fs::write(sandbox.path("cut"), [0, 0, 8, 1, 0, 0, 0, 9, 1]).unwrap();
    sandbox.run(&["data", "cut"]).failed_with(&["cut: 1 elements follow a header that says [9]"]);
    std::fs::write(sandbox.path("cut.csv.gz"), [0x1f, 0x8b, 8, 0]).unwrap();
    sandbox.run(&["data", "cut.csv.gz"]).failed_with(&["cut.csv.gz: broken gzip"]);
    sandbox.write("boxes.csv", "image,class,x0,y0,x1,y1\n0,8,40,30,40,51\n");
    sandbox.run(&["data", "boxes.csv"]).failed_with(&["boxes.csv: row 1: the box 40, 30, 40, 51 has no area"]);
    sandbox.run(&["data", "."]).failed_with(&["no file in it ends in .png or .jpg"]);
    sandbox.run(&["data", "iris", "--figure", "iris.gif"]).failed_with(&[".svg or .png"]);
    sandbox.run(&["data", "ragged.csv", "target=a"]).failed_with(&["unknown option of a file `target`"]);
    assert_eq!(sandbox.run(&["data"]).status, Some(2));
}

/// docs/datasets.md and its figures are what the table and the data say.
#[test]
fn the_page_on_data_sets_is_generated() {
    let sandbox = Sandbox::new();
    sandbox.run(&["data", "--document", "docs"]).succeeded();
    let mut names: Vec<String> = vec!["datasets.md".into()];
    names.extend(
        std::fs::read_dir(sandbox.path("docs/datasets"))
            .unwrap()
            .map(|entry| format!("datasets/{}", entry.unwrap().file_name().into_string().unwrap())),
    );
    assert_eq!(names.len(), 1 + lossward::data::BUILT_IN.len());
    for name in names {
        let [written, committed] = [sandbox.path("docs").join(&name), format!("docs/{name}").into()].map(std::fs::read);
        assert!(written.unwrap() == committed.unwrap(), "{name}: run `lossward data --document docs`");
    }
}
