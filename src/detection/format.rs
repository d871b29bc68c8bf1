//! How boxes are written down, and how they move with their image.

use super::Corners;

/// COCO's x, y, width, height in pixels.
pub fn xywh(&[x1, y1, x2, y2]: &Corners) -> [f64; 4] {
    [x1, y1, x2 - x1, y2 - y1]
}

/// Of COCO's x, y, width, height.
pub fn from_xywh(&[x, y, width, height]: &[f64; 4]) -> Corners {
    [x, y, x + width, y + height]
}

/// Center x, center y, width, height in pixels.
pub fn centered(&[x1, y1, x2, y2]: &Corners) -> [f64; 4] {
    [(x1 + x2) / 2.0, (y1 + y2) / 2.0, x2 - x1, y2 - y1]
}

/// Of center x, center y, width, height.
pub fn from_centered(&[x, y, width, height]: &[f64; 4]) -> Corners {
    [x - width / 2.0, y - height / 2.0, x + width / 2.0, y + height / 2.0]
}

/// YOLO's center and size as shares of the image, whose size is width, height; not clipped.
pub fn normalized(corners: &Corners, (width, height): (f64, f64)) -> [f64; 4] {
    let [x, y, w, h] = centered(corners);
    [x / width, y / height, w / width, h / height]
}

/// Of YOLO's shares of the image.
pub fn from_normalized(&[x, y, w, h]: &[f64; 4], (width, height): (f64, f64)) -> Corners {
    from_centered(&[x * width, y * height, w * width, h * height])
}

/// The part within the image; one without area where the box lies outside.
pub fn clipped(&[x1, y1, x2, y2]: &Corners, (width, height): (f64, f64)) -> Corners {
    // Not `clamp`, which panics where a size is NaN.
    let within = |x: f64, most: f64| x.max(0.0).min(most);
    [within(x1, width), within(y1, height), within(x2, width), within(y2, height)]
}

/// In square pixels; 0 where the corners are the wrong way around.
pub fn area(&[x1, y1, x2, y2]: &Corners) -> f64 {
    (x2 - x1).max(0.0) * (y2 - y1).max(0.0)
}

/// The share of a box that lies within the image; 0 for a box without area.
pub fn visible_share(corners: &Corners, size: (f64, f64)) -> f64 {
    let whole = area(corners);
    if whole > 0.0 { area(&clipped(corners, size)) / whole } else { 0.0 }
}

/// An image that is scaled until it fits into another size, and put into its middle. Nothing is rounded to whole pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Letterbox {
    pub scale: f64,
    /// Pixels left of the scaled image, and as many right of it.
    pub left: f64,
    /// Pixels above the scaled image, and as many below it.
    pub top: f64,
}

impl Letterbox {
    /// From one size to another, each width, height in pixels.
    pub fn new((width, height): (f64, f64), (into_width, into_height): (f64, f64)) -> Letterbox {
        let scale = (into_width / width).min(into_height / height);
        let [left, top] = [(into_width - scale * width) / 2.0, (into_height - scale * height) / 2.0];
        Letterbox { scale, left, top }
    }

    /// Where a box of the image lies in the letterbox.
    pub fn corners(&self, corners: &Corners) -> Corners {
        let Letterbox { scale, left, top } = *self;
        let shifts = [left, top, left, top];
        std::array::from_fn(|i| scale * corners[i] + shifts[i])
    }

    /// Where a box of the letterbox lies in the image.
    pub fn corners_before(&self, corners: &Corners) -> Corners {
        let Letterbox { scale, left, top } = *self;
        let shifts = [left, top, left, top];
        std::array::from_fn(|i| (corners[i] - shifts[i]) / scale)
    }
}
