//! Boxes from a table with a row per box.

use crate::Result;
use crate::data::table::{Column, Table};

/// A row of the table.
#[derive(Clone, Debug, PartialEq)]
pub struct BoxRow {
    /// The number of an image from 0, or its file.
    pub image: String,
    /// The number of a class from 0, or its name.
    pub class: String,
    /// `x1, y1, x2, y2` in pixels.
    pub corners: [f64; 4],
    /// The share of the object that the image shows: 1 where the table doesn't say.
    pub visible: f64,
    /// As a column says it, or as less than half of it is visible.
    pub ignored: bool,
}

/// What the corners are called: one of these.
const CORNERS: [[&str; 4]; 2] = [["x1", "y1", "x2", "y2"], ["x0", "y0", "x1", "y1"]];
/// What is ignored where a column says so.
const YES_AND_NO: [(&str, bool); 4] = [("1", true), ("0", false), ("true", true), ("false", false)];

/// Whether a table has the columns of a list of boxes.
pub fn is_list(table: &Table) -> bool {
    let has = |name: &&str| table.columns.iter().any(|column| column.name == *name);
    ["image", "class"].iter().all(has) && CORNERS.iter().any(|corners| corners.iter().all(has))
}

/// Boxes `[x1, x2) × [y1, y2)` in pixels, in the order of the table. Its columns are image, class, x1, y1, x2, y2 (or x0, y0, x1, y1);
/// `ignored` (0 or 1) and `visible` may follow, others are left alone.
///
/// # Errors
/// When a column or an entry is missing, an entry of a corner is no number, or a box has no area; the message names the row.
pub fn read(table: &Table) -> Result<Vec<BoxRow>> {
    let has = |name: &str| table.columns.iter().any(|column| column.name == name);
    let corners = if has("x0") { CORNERS[1] } else { CORNERS[0] };
    let [image, class] = [whole(table, "image")?, whole(table, "class")?];
    let [x1, y1, x2, y2] = corners.map(|name| numbers(table, name));
    let (x1, y1, x2, y2) = (x1?, y1?, x2?, y2?);
    let visible = if has("visible") { numbers(table, "visible")? } else { vec![1.0; table.rows()] };
    let ignored = if has("ignored") { Some(whole(table, "ignored")?) } else { None };
    let read = |i: usize| {
        let text = |column: &Column| column.text(i).unwrap_or_default().to_string();
        let corners = [x1[i], y1[i], x2[i], y2[i]];
        if text(class).parse::<f64>().is_ok() && text(class).parse::<u32>().is_err() {
            let message = format!(", column `class`: {} is no whole number from 0", text(class));
            return Err(table.error_in(i, message));
        }
        super::check_area(corners).map_err(|message| table.error_in(i, format!(": {message}")))?;
        let said = match ignored {
            None => false,
            Some(column) => {
                let said = YES_AND_NO.iter().find(|(yes_or_no, _)| *yes_or_no == text(column).to_lowercase());
                let message = || format!(", column `ignored`: `{}` is neither 0 nor 1", text(column));
                said.ok_or_else(|| table.error_in(i, message()))?.1
            }
        };
        let ignored = said || visible[i] < 0.5;
        Ok(BoxRow { image: text(image), class: text(class), corners, visible: visible[i], ignored })
    };
    (0..table.rows()).map(read).collect()
}

/// A column of which no entry is missing.
fn whole<'t>(table: &'t Table, name: &str) -> Result<&'t Column> {
    let column = table.column(name)?;
    match column.first_missing() {
        Some(row) => Err(table.error_in(row, format!(", column `{name}`: the entry is missing"))),
        None => Ok(column),
    }
}

fn numbers(table: &Table, name: &str) -> Result<Vec<f64>> {
    Ok(table.numbers(whole(table, name)?)?.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::source::ByteSource;

    fn parse(text: &str) -> Result<Vec<BoxRow>> {
        read(&Table::read(ByteSource::Embedded("boxes.csv", text.as_bytes()))?)
    }

    #[test]
    fn a_row_is_a_box() {
        let boxes = parse("image,class,x0,y0,x1,y1\n0,8,40,30,61,51\n2,1,28.5,35,39,50\n").unwrap();
        assert_eq!((boxes[0].corners, boxes[0].visible, boxes[0].ignored), ([40.0, 30.0, 61.0, 51.0], 1.0, false));
        assert_eq!((boxes[1].image.as_str(), boxes[1].class.as_str()), ("2", "1"));
        let seen = parse("image,class,x0,y0,x1,y1,visible,label\n0,0,53,46,64,64,0.533,Tree\n1,0,1,1,2,2,0.499,Tree\n");
        assert_eq!(seen.unwrap().iter().map(|row| row.ignored).collect::<Vec<_>>(), [false, true]);
        let named = parse("image,x1,y1,x2,y2,class,ignored\na.png,1,2,3,4,cat,1\na.png,1,2,3,4,cat,False\n").unwrap();
        assert_eq!((named[0].corners, named[0].class.as_str()), ([1.0, 2.0, 3.0, 4.0], "cat"));
        assert_eq!([named[0].ignored, named[1].ignored], [true, false]);
    }

    #[test]
    fn bad_boxes_are_told_apart() {
        let message =
            |rows: &str| parse(&format!("image,class,x0,y0,x1,y1\n0,0,0,0,1,1\n{rows}")).unwrap_err().to_string();
        assert!(message("0,1,5,5,5,9").contains("row 2: the box 5, 5, 5, 9 has no area"));
        assert!(message("0,1,5,9,6,8").contains("row 2: the box 5, 9, 6, 8 has no area"));
        assert!(message("0,1,5,5,six,9").contains("row 2, column `x1`: `six` is not a number"));
        assert!(message("0,1,5,5,,9").contains("row 2, column `x1`: the entry is missing"));
        assert!(message(",1,5,5,6,9").contains("row 2, column `image`: the entry is missing"));
        assert!(message("0,-1,5,5,6,9").contains("row 2, column `class`: -1 is no whole number from 0"));
        assert!(message("0,1,nan,5,6,9").contains("column `x0`: NaN is not finite"));
        assert!(parse("image,class,x0,y0,x1\n0,0,1,1,2\n").unwrap_err().to_string().contains("unknown column `y1`"));
        let maybe = parse("image,class,x1,y1,x2,y2,ignored\n0,0,1,1,2,2,maybe\n").unwrap_err().to_string();
        assert!(maybe.contains("row 1, column `ignored`: `maybe` is neither 0 nor 1"), "{maybe}");
    }
}
