//! Slices of brains with a class for every pixel.

use crate::Result;
use crate::data::images::Images;
use crate::data::pixels::Pixels;
use crate::data::source::ByteSource;
use crate::data::{DataSet, DataSetRow};

/// What is known of slices of one volume.
const NEIGHBORS: &str = "all slices are of one volume, held out in blocks of five: neighbors 2 mm apart are alike, so held-out slices tell \
                         how well is filled in inside one brain, not how well new people are served";

pub const MRI_LESION_SIM: DataSetRow = DataSetRow {
    name: "mri_lesion_sim",
    summary: "simulated lesions on real MRI: 64×64 slices of brains with none to three drawn-in blobs, a mask each; 400 to train on, 100 held out",
    source: "slices of ICBM152 2009a (V. Fonov et al., NeuroImage 47, 2009; from nilearn 0.14.1) and Colin27 (C. J. Holmes et al., JCAT 22(2), 1998; from Debian's mricron-data), lesions simulated",
    licence: "MNI permissive notice; BSD-3-Clause",
    options: &[],
    load: |_| {
        let [train, test] = [
            [file!("mri_lesion_sim/train-images.idx3.gz"), file!("mri_lesion_sim/train-masks.idx3.gz")],
            [file!("mri_lesion_sim/test-images.idx3.gz"), file!("mri_lesion_sim/test-masks.idx3.gz")],
        ];
        let note =
            "the anatomy is real, the lesions are simulated: nothing learned here says how well real lesions are found";
        segmented(train, test, &["no lesion", "simulated lesion"], note)
    },
};

pub const MRI_STRUCTURES: DataSetRow = DataSetRow {
    name: "mri_structures",
    summary: "96×96 MRI slices of one man's head, with parts of the brain drawn by hand; 91 to train on, 32 held out",
    source: "Colin27: C. J. Holmes et al., JCAT 22(2), 1998; regions (AAL): N. Tzourio-Mazoyer et al., NeuroImage 15(1), 2002; from Debian's mricron-data, C. Rorden",
    licence: "MNI permissive notice; BSD-3-Clause",
    options: &[],
    load: |_| {
        let [train, test] = [
            [file!("mri_structures/train-images.idx3.gz"), file!("mri_structures/train-masks.idx3.gz")],
            [file!("mri_structures/test-images.idx3.gz"), file!("mri_structures/test-masks.idx3.gz")],
        ];
        let classes =
            ["outside the brain", "other brain", "deep gray nuclei", "hippocampus and amygdala", "cerebellum"];
        segmented(train, test, &classes, NEIGHBORS)
    },
};

pub const MRI_TISSUE: DataSetRow = DataSetRow {
    name: "mri_tissue",
    summary: "96×96 MRI slices of the mean of 152 brains, by tissue; 91 to train on, 35 held out",
    source: "ICBM152 2009a: V. Fonov et al., NeuroImage 47 S102, 2009, and 54(1), 2011; D. L. Collins et al., 1999; from nilearn 0.14.1",
    licence: "MNI permissive notice",
    options: &[],
    load: |_| {
        let [train, test] = [
            [file!("mri_tissue/train-images.idx3.gz"), file!("mri_tissue/train-masks.idx3.gz")],
            [file!("mri_tissue/test-images.idx3.gz"), file!("mri_tissue/test-masks.idx3.gz")],
        ];
        segmented(train, test, &["background", "fluid and other", "gray matter", "white matter"], NEIGHBORS)
    },
};

/// Pairs of images and masks.
fn segmented(train: [ByteSource; 2], test: [ByteSource; 2], classes: &[&str], note: &str) -> Result<DataSet> {
    let part = |[images, masks]: [ByteSource; 2]| Images::with_masks(Pixels::read(images)?, masks);
    let names: Vec<String> = classes.iter().map(|name| name.to_string()).collect();
    let data = Images::data_set_of_masks(part(train)?, part(test)?, &names, None)?;
    Ok(DataSet { notes: vec![note.into()], ..data })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;

    /// Pixels of each class, to train on and held out.
    const LESIONS: [[usize; 2]; 2] = [[1_588_564, 49_836], [398_175, 11_425]];
    const STRUCTURES: [[usize; 5]; 2] =
        [[618_003, 187_990, 6_048, 2_372, 24_243], [211_907, 70_280, 2_657, 717, 9_351]];
    const TISSUES: [[usize; 4]; 2] = [[629_543, 20_835, 119_706, 68_572], [242_074, 7_686, 46_010, 26_790]];
    /// Slices of mri_lesion_sim, to train on and held out.
    const WITHOUT: [usize; 2] = [44, 14];

    /// Images and their sizes are those of each DATASET.md; pixels of each class were counted by a program of its own.
    #[test]
    fn masks_are_as_their_source_describes_them() {
        for (row, sizes, side, pixels) in [
            (&MRI_LESION_SIM, [400, 100], 64, [&LESIONS[0][..], &LESIONS[1]]),
            (&MRI_STRUCTURES, [91, 32], 96, [&STRUCTURES[0], &STRUCTURES[1]]),
            (&MRI_TISSUE, [91, 35], 96, [&TISSUES[0], &TISSUES[1]]),
        ] {
            let data = (row.load)(&Options::defaults(row.options)).unwrap();
            assert_eq!((data.shape.clone(), data.target.classes()), (vec![1, side, side], Some(pixels[0].len())));
            for ((part, size), pixels) in [&data.train, &data.test].into_iter().zip(sizes).zip(pixels) {
                let masks = part.targets.masks().unwrap();
                assert_eq!((part.len(), masks.len(), masks.height, masks.width), (size, size, side, side));
                let mut counts = vec![0; pixels.len()];
                masks.iter().flatten().for_each(|class| counts[usize::from(*class)] += 1);
                assert_eq!(counts, *pixels, "{}", row.name);
            }
            assert!(!data.notes.is_empty());
        }
    }

    /// About a tenth of the slices have no lesion.
    #[test]
    fn some_slices_have_no_lesion() {
        let data = (MRI_LESION_SIM.load)(&Options::defaults(&[])).unwrap();
        let without =
            |masks: &crate::data::Masks| masks.iter().filter(|mask| mask.iter().all(|class| *class == 0)).count();
        assert_eq!([&data.train, &data.test].map(|part| without(part.targets.masks().unwrap())), WITHOUT);
    }
}
