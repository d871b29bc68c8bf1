//! Windows that move over an image.

use lossward_envs::options::{OptionKind, OptionRow, Options};

pub(super) const STRIDE: OptionRow = OptionRow {
    name: "stride",
    meaning: "pixels from one window to the next; a window's side unless given",
    kind: OptionKind::Whole { default: None, at_least: 1 },
};

/// Windows of `size × size` pixels, with their distance along both sides of an image that has some pixels more all around.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Windows {
    pub size: usize,
    pub stride: usize,
    pub padding: usize,
}

impl Windows {
    /// Those of a pooling layer whose option `name` is their side, on an image of this height and width.
    pub fn of(options: &Options, name: &str, (height, width): (usize, usize)) -> Result<Windows, String> {
        let whole = |name: &str| options.whole(name).map(|number| number as usize);
        let (size, padding) = (whole(name).unwrap_or(1), whole("padding").unwrap_or(0));
        let most = (size / 2).min(height).min(width);
        if padding > most {
            return Err(format!(
                "`padding` must be at most {most}, not {padding}: half a window of {size}×{size}, so that each meets the image, and no \
                 more than there are pixels"
            ));
        }
        let windows = Windows { size, stride: whole("stride").unwrap_or(size), padding };
        match windows.along(height).zip(windows.along(width)) {
            Some(_) => Ok(windows),
            None => Err(format!("windows of {size}×{size} on an image of {height}×{width}")),
        }
    }

    /// How many fit along a side of so many pixels; what is left over is dropped.
    pub fn along(self, side: usize) -> Option<usize> {
        Some((side + 2 * self.padding).checked_sub(self.size)? / self.stride + 1)
    }

    /// Pairs of pixels side by side.
    pub fn are_pairs(self) -> bool {
        self == Windows { size: 2, stride: 2, padding: 0 }
    }
}
