//! Data that nobody would write on purpose: no panic, and no more memory than is stated.

#![allow(unsafe_code, clippy::unwrap_used)]

#[path = "common/counting.rs"]
mod counting;

use counting::most_bytes;
use lossward::data::source::ByteSource;
use lossward::data::table::{Column, Format, Table};
use lossward::data::tabular::{Missing, Tabular, TargetKind};
use lossward::data::{
    DataSet, Split, boxes, decoded, description, idx, images::Images, notation::Notation, pixels::Pixels,
};
use lossward::report::figure::DescriptionFigure;
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence::WithSource;
use std::io::Write;

/// What is allocated beside what is read: buffers of the readers, and texts of errors.
const ASIDE: usize = 1 << 20;

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// Everything that is done with a table, in each way that it can be done.
fn learn_from(content: &[u8]) {
    let source = ByteSource::Embedded("x.csv", content);
    let missing = ["-".to_string()];
    let german = Notation { decimal: ',', thousands: Some('.') };
    let formats = [
        Format::default(),
        Format { notation: german, missing: &missing, ..Format::default() },
        Format { separator: ';', notation: german, missing: &[] },
    ];
    for format in formats {
        let (table, most) = most_bytes(|| Table::read_as(source, &format));
        assert!(most <= 8 * content.len() + ASIDE, "{most} bytes for {}", content.len());
        let Ok(table) = table else { continue };
        let name = table.columns[0].name.clone();
        let last = table.columns.last().unwrap().name.clone();
        for (kind, logarithm, categorical) in [
            (None, false, None),
            (Some(TargetKind::Classification), false, None),
            (Some(TargetKind::Regression), true, Some(last.as_str())),
        ] {
            let read = Tabular {
                table: &table,
                target: &name,
                kind,
                logarithm,
                ignored: &[],
                categorical: categorical.as_slice(),
                missing: Missing::Fill,
                split: Split::Every(2),
            };
            if let Ok(data) = read.data_set() {
                let finite =
                    |part: &lossward::data::Examples| part.inputs_of(0..part.len()).iter().all(|x| x.is_finite());
                assert!(finite(&data.train) && finite(&data.test));
                assert!((0..data.train.len()).all(|row| data.train.targets.number(row).is_finite()));
                data.description();
            }
        }
        table.clone().followed_by(table.clone()).unwrap();
        _ = boxes::read(&table).map(|boxes| description::of_boxes(&boxes));
        let scenes = Pixels::new(vec![1, 8, 10], idx::Elements::U8(vec![0; 240]), "images".into(), Vec::new());
        if let Ok((images, names)) = Images::with_table(scenes, &table, &[]) {
            in_two(images, |train, test| Images::data_set_of_boxes(train, test, names));
        }
        let described = |column| table.described_column(column, Column::numbers(column).as_deref());
        let description = table.described(table.columns.iter().map(described).collect());
        let figure = DescriptionFigure { title: "x".into(), subtitle: String::new(), description: &description };
        figure.svg().unwrap();
    }
}

/// Halves the images, and describes and draws what can be learned from.
fn in_two(images: Images, data_set: impl FnOnce(Images, Images) -> lossward::Result<DataSet>) {
    let (train, test) = images.split(Split::Every(2));
    let Ok(data) = data_set(train, test) else { return };
    DescriptionFigure { title: "x".into(), subtitle: String::new(), description: &data.description() }.svg().unwrap();
    drop((data.pictures(2), data.legend()));
}

/// Texts that have been trouble to somebody.
const PIECES: &[&str] = &[
    "",
    "1",
    "0.1",
    "-3",
    "1e200",
    "-1e308",
    "1e-320",
    "nan",
    "inf",
    "NA",
    "?",
    "N/A",
    "-",
    "1,100",
    "\"1,100\"",
    "\"3,5\"",
    "1.100,50",
    "45 %",
    "$5",
    "1_000",
    "2024-01-31",
    "12:30",
    "01",
    "00501",
    "a",
    "\"a\nb\"",
    "\"",
    "\"\"",
    "grün",
    "\u{feff}",
    "\u{1b}[31m",
    "\0",
    "sep=",
    "0x1f",
    "−5",
    "99999999999999999999",
    "1e18",
    "1e30",
    "image",
    "x0",
    "true",
];

fn tables() -> impl Strategy<Value = String> {
    let cell = proptest::sample::select(PIECES);
    let separator = prop_oneof![8 => Just(","), 1 => Just(";"), 1 => Just("\t")];
    (1..5usize, 1..12usize, separator, prop_oneof![Just("\n"), Just("\r\n")]).prop_flat_map(
        move |(width, rows, separator, end)| {
            let line = proptest::collection::vec(cell.clone(), width);
            proptest::collection::vec(line, rows).prop_map(move |lines| {
                let header: Vec<String> = (0..width).map(|i| format!("c{i}")).collect();
                let lines = lines.iter().map(|line| line.join(separator));
                std::iter::once(header.join(separator)).chain(lines).collect::<Vec<_>>().join(end)
            })
        },
    )
}

/// An IDX file with a header that may lie.
fn arrays() -> impl Strategy<Value = Vec<u8>> {
    let kind = prop_oneof![Just(8u8), Just(9), Just(0x0b), Just(0x0c), Just(0x0d), Just(0x0e), any::<u8>()];
    let size = prop_oneof![4 => 0u32..5, 1 => any::<u32>(), 1 => Just(u32::MAX)];
    let sizes = proptest::collection::vec(size, 0..5);
    (kind, sizes, proptest::collection::vec(any::<u8>(), 0..300)).prop_map(|(kind, sizes, bytes)| {
        let sizes_in_bytes = sizes.iter().flat_map(|size| size.to_be_bytes());
        [0, 0, kind, sizes.len() as u8].into_iter().chain(sizes_in_bytes).chain(bytes).collect()
    })
}

fn read_array(content: &[u8], unpacked: usize) {
    let source = ByteSource::Embedded("x.idx", content);
    let (array, most) = most_bytes(|| idx::read(source));
    assert!(most <= 4 * unpacked + 2 * ASIDE, "{most} bytes for {unpacked}");
    if let Ok(array) = array {
        let (description, pictures) = (array.description(), array.pictures(4));
        DescriptionFigure { title: "x".into(), subtitle: String::new(), description: &description }.svg().unwrap();
        drop(pictures);
    }
    let labels = [0, 0, 8, 1, 0, 0, 0, 2, 0, 1];
    for pair in [
        (source, ByteSource::Embedded("l.idx", &labels)),
        (ByteSource::Embedded("i.idx", &labels), source),
        (source, source),
    ] {
        let Ok(images) = Images::read(pair.0, pair.1) else { continue };
        let (train, test) = images.split(Split::Every(2));
        _ = Images::data_set(train, test, &[]).map(|data| (data.description(), data.pictures(2).map(drop)));
    }
    let mut images = [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8];
    images[7] = content.get(7).copied().unwrap_or(2).clamp(1, 2);
    let images = ByteSource::Embedded("i.idx", &images[..16 + 4 * usize::from(images[7])]);
    for (images, masks) in [(images, source), (source, source)] {
        if let Ok(images) = Pixels::read(images).and_then(|pixels| Images::with_masks(pixels, masks)) {
            in_two(images, |train, test| Images::data_set_of_masks(train, test, &[], None));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::with_failure_persistence(WithSource("found")) })]

    #[test]
    fn tables_of_trouble_are_read_or_refused(table in tables(), cut in any::<prop::sample::Index>()) {
        learn_from(table.as_bytes());
        let cut = cut.index(table.len() + 1);
        learn_from(&table.as_bytes()[..cut]);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        learn_from(&bytes);
        read_array(&bytes, bytes.len());
    }

    #[test]
    fn arrays_that_lie_are_refused(array in arrays(), cut in any::<prop::sample::Index>()) {
        read_array(&array, array.len());
        let packed = gzip(&array);
        read_array(&packed, array.len());
        read_array(&packed[..cut.index(packed.len())], array.len());
    }

    #[test]
    fn boxes_are_read_or_refused(rows in proptest::collection::vec(proptest::collection::vec(proptest::sample::select(PIECES), 6), 1..8)) {
        let lines = rows.iter().map(|row| row.join(","));
        let table = std::iter::once("image,class,x0,y0,x1,y1".to_string()).chain(lines).collect::<Vec<_>>().join("\n");
        learn_from(table.as_bytes());
    }
}

/// A PNG file of 5×3 pixels.
fn png(color: png::ColorType, depth: png::BitDepth) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, 5, 3);
    encoder.set_color(color);
    encoder.set_depth(depth);
    encoder.set_palette([7; 48].to_vec());
    let bytes = 3 * (5 * color.samples() * depth as usize).div_ceil(8);
    let samples: Vec<u8> = (0..bytes).map(|i| i as u8 % 16).collect();
    encoder.write_header().unwrap().write_image_data(&samples).unwrap();
    file
}

/// Good files of every kind.
fn image_files() -> Vec<Vec<u8>> {
    use png::{BitDepth::*, ColorType::*};
    let kinds = [
        (Grayscale, Eight),
        (Grayscale, One),
        (Indexed, Four),
        (Rgb, Sixteen),
        (Rgba, Eight),
        (GrayscaleAlpha, Sixteen),
    ];
    let mut files: Vec<Vec<u8>> = kinds.map(|(color, depth)| png(color, depth)).to_vec();
    for name in ["gray", "color", "progressive"] {
        files.push(std::fs::read(format!("{}/tests/images/{name}.jpg", env!("CARGO_MANIFEST_DIR"))).unwrap());
    }
    files
}

/// What may be an image takes at most twice the bytes of the largest image, with its transparency.
fn decode(content: &[u8]) {
    let (_, most) = most_bytes(|| {
        (decoded::header(content).is_ok(), decoded::image(content).is_ok(), decoded::mask(content).is_ok())
    });
    assert!(most <= 8 * decoded::MOST_BYTES + 64 * content.len() + ASIDE, "{most} bytes for {}", content.len());
}

#[test]
fn good_images_are_decoded() {
    for file in image_files() {
        decoded::image(&file).map(drop).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::with_failure_persistence(WithSource("found")) })]

    #[test]
    fn damaged_images_are_decoded_or_refused(
        file in 0..9usize,
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut content = image_files().swap_remove(file);
        for (place, byte) in changes {
            let place = place.index(content.len());
            content[place] = byte;
        }
        decode(&content);
        decode(&content[..cut.index(content.len())]);
    }

    #[test]
    fn damaged_instances_are_read_or_refused(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), proptest::sample::select(&b"0123456789-eE.,:[]{}\"\\ntx"[..])), 0..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut text = br#"{"images":[{"id":1,"file_name":"a.png","width":10,"height":8}],"categories":[{"id":7,"name":"dog"}],
            "annotations":[{"image_id":1,"category_id":7,"bbox":[1,2,3.5,4],"iscrowd":0}]}"#.to_vec();
        for (place, byte) in changes {
            let place = place.index(text.len());
            text[place] = byte;
        }
        for text in [&text[..], &text[..cut.index(text.len())]] {
            let files = vec!["a.png".to_string()];
            let scene = Pixels::new(vec![1, 8, 10], idx::Elements::U8(vec![0; 80]), "images".into(), files);
            if let Ok((images, names)) = boxes::coco::read(ByteSource::Embedded("c.json", text), scene, &[]) {
                in_two(images, |train, test| Images::data_set_of_boxes(train, test, names));
            }
        }
    }

    #[test]
    fn texts_of_boxes_are_read_or_refused(words in proptest::collection::vec(proptest::sample::select(PIECES), 0..12), width in 1..6usize) {
        let folder = tempfile::tempdir().unwrap();
        let text: Vec<String> = words.chunks(width).map(|words| words.join(" ")).collect();
        std::fs::write(folder.path().join("a.txt"), text.join("\n")).unwrap();
        let scene = Pixels::new(vec![1, 8, 10], idx::Elements::U8(vec![0; 80]), "images".into(), vec!["a.png".to_string()]);
        if let Ok((images, names)) = boxes::yolo::read(folder.path(), scene, &[]) {
            in_two(images, |train, test| Images::data_set_of_boxes(train, test, names));
        }
    }
}

/// A header that claims 4 GB, plain and packed, over a few bytes; and 300 MB of zeros packed into 300 kB, which are no table.
#[test]
fn claims_of_gigabytes_take_no_memory() {
    let array = [&[0, 0, 8, 3][..], &[0xff; 12], &[7; 100]].concat();
    read_array(&array, array.len());
    let array = [&[0, 0, 8, 1, 0xff, 0xff, 0xff, 0xff][..], &[7; 100]].concat();
    read_array(&array, array.len());
    read_array(&gzip(&array), array.len());
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(b"a,b\n").unwrap();
    (0..300).for_each(|_| encoder.write_all(&[b'0'; 1 << 20]).unwrap());
    let bomb = encoder.finish().unwrap();
    let (message, most) =
        most_bytes(|| Table::read(ByteSource::Embedded("bomb.csv.gz", &bomb)).unwrap_err().to_string());
    assert!(message.contains("bytes unpack to more than"), "{message}");
    assert!(most <= 4 * 100 * bomb.len(), "{most} bytes for {}", bomb.len());
}

/// Found by the properties above, and by others before; what the properties find from now on is kept in hostile_data.found.
#[test]
fn found_inputs_stay_mended() {
    let faults = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/faults")).unwrap();
    let tables =
        faults.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|end| end == "csv"));
    let tables: Vec<_> = tables.map(|path| std::fs::read(path).unwrap()).collect();
    assert!(!tables.is_empty());
    tables.iter().for_each(|table| learn_from(table));
    for table in [
        "image,class,x0,y0,x1,y1\n0,0,-1e200,0,1e200,1\n",
        "image,class,x0,y0,x1,y1\n0,0,-1e308,0,1e308,1\n",
        "a\n1e308\n-1e308\n",
        "a,b\n-1e308,1\n1e308,2\n",
        "a,b\n1e-320,1\n2e-320,2\n3,3\n4,4\n",
        "sep=",
        "sep=,",
        "sep=,\n",
    ] {
        learn_from(table.as_bytes());
    }
}
