//! Boxes of objects in images, from a table with a row per box.

use super::table::Table;
use crate::Result;
use crate::metric::TrueBox;

/// An object of a training or a held-out image.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelledBox {
    pub truth: TrueBox,
    /// The share of the object that the image shows: 1 where the table doesn't say.
    pub visible: f64,
}

/// The columns that a table of boxes has; a column `visible` may follow, others are left alone.
pub const COLUMNS: [&str; 6] = ["image", "class", "x0", "y0", "x1", "y1"];

/// Boxes `[x0, x1) × [y0, y1)` in pixels, in the order of the table; images and classes are whole numbers from 0.
///
/// # Errors
/// When a column or an entry is missing, an entry is no number, an image or class no whole one, or a box has no area; the message
/// names the row.
pub fn read(table: &Table) -> Result<Vec<LabelledBox>> {
    let numbers = |name: &str| {
        let column = table.column(name)?;
        let numbers = table.numbers(column)?;
        match column.first_missing() {
            Some(row) => Err(table.error_in(row, format!(", column `{name}`: the entry is missing"))),
            None => Ok(numbers.into_iter().flatten().collect::<Vec<f64>>()),
        }
    };
    let [images, classes, x0, y0, x1, y1] = COLUMNS.map(numbers);
    let (images, classes, x0, y0, x1, y1) = (images?, classes?, x0?, y0?, x1?, y1?);
    let visible = if table.column("visible").is_ok() { numbers("visible")? } else { vec![1.0; table.rows()] };
    let whole = |row: usize, name: &str, x: f64| match x >= 0.0 && x.fract() == 0.0 {
        true => Ok(x as i64),
        false => Err(table.error_in(row, format!(", column `{name}`: {x} is no whole number from 0"))),
    };
    let labelled = |row: usize| {
        let [width, height] = [x1[row] - x0[row], y1[row] - y0[row]];
        if !(width > 0.0 && height > 0.0) {
            let [a, b, c, d] = [x0[row], y0[row], x1[row], y1[row]];
            return Err(
                table.error_in(row, format!(": the box {a}, {b}, {c}, {d} has no area; it must be x0 < x1, y0 < y1"))
            );
        }
        let truth = TrueBox {
            image: whole(row, "image", images[row])?,
            category: whole(row, "class", classes[row])?,
            bbox: [x0[row], y0[row], width, height],
            area: width * height,
            ignored: false,
        };
        Ok(LabelledBox { truth, visible: visible[row] })
    };
    (0..table.rows()).map(labelled).collect()
}

#[cfg(test)]
mod tests {
    use super::super::source::ByteSource;
    use super::*;

    fn parse(text: &str) -> Result<Vec<LabelledBox>> {
        read(&Table::read(ByteSource::Embedded("boxes.csv", text.as_bytes()))?)
    }

    #[test]
    fn a_row_is_a_box() {
        let boxes = parse("image,class,x0,y0,x1,y1\n0,8,40,30,61,51\n2,1,28.5,35,39,50\n").unwrap();
        assert_eq!(
            (boxes[0].truth.bbox, boxes[0].truth.area, boxes[0].visible),
            ([40.0, 30.0, 21.0, 21.0], 441.0, 1.0)
        );
        assert_eq!((boxes[1].truth.image, boxes[1].truth.category), (2, 1));
        let seen = parse("image,class,x0,y0,x1,y1,visible,label\n0,0,53,46,64,64,0.533,Tree\n").unwrap();
        assert_eq!(seen[0].visible, 0.533);
    }

    #[test]
    fn bad_boxes_are_told_apart() {
        let message =
            |rows: &str| parse(&format!("image,class,x0,y0,x1,y1\n0,0,0,0,1,1\n{rows}")).unwrap_err().to_string();
        assert!(message("0,1,5,5,5,9").contains("row 2: the box 5, 5, 5, 9 has no area"));
        assert!(message("0.5,1,5,5,6,9").contains("row 2, column `image`: 0.5 is no whole number"));
        assert!(message("0,-1,5,5,6,9").contains("column `class`: -1"));
        assert!(message("0,1,5,5,six,9").contains("row 2, column `x1`: `six` is not a number"));
        assert!(message("0,1,5,5,,9").contains("row 2, column `x1`: the entry is missing"));
        assert!(message("0,1,nan,5,6,9").contains("column `x0`: NaN is not finite"));
        assert!(parse("image,class,x0,y0,x1\n0,0,1,1,2\n").unwrap_err().to_string().contains("unknown column `y1`"));
    }
}
