//! How numbers are written in a table, and texts that look as if they were numbers written another way.

/// The marks inside a number. Without further ado a point stands before its fraction and nothing between its thousands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notation {
    pub decimal: char,
    pub thousands: Option<char>,
}

impl Default for Notation {
    fn default() -> Self {
        Notation { decimal: '.', thousands: None }
    }
}

/// The marks that may stand between thousands.
pub const THOUSANDS: [char; 5] = [',', '.', ' ', '_', '\''];

impl Notation {
    /// The number that a text is, if it is one: as Rust writes it (`-1.5e3`, `.5`, `nan`, `inf`), but for the marks. Thousands are
    /// groups of three digits, and all of them are marked or none. Where a comma stands before the fraction, a point may do so, too, unless it
    /// could stand between thousands.
    pub fn number(&self, text: &str) -> Option<f64> {
        if *self == Notation::default() {
            return text.parse().ok();
        }
        let (whole, fraction) = match text.split_once(self.decimal) {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (text, None),
        };
        let whole = match self.thousands {
            Some(mark) if whole.contains(|c| is_mark(c, mark)) => without_marks(whole, mark)?,
            _ => whole.to_string(),
        };
        // Tables mix columns: a point that can't stand before thousands stands before a fraction here, too.
        if self.decimal != '.'
            && fraction.is_none()
            && text.split_once('.').is_some_and(|(_, digits)| digits.len() != 3)
        {
            return text.parse().ok();
        }
        // What is no mark here must not be read as one.
        if self.decimal != '.' && (whole.contains('.') || fraction.is_some_and(|fraction| fraction.contains('.'))) {
            return None;
        }
        match fraction {
            Some(fraction) => format!("{whole}.{fraction}").parse().ok(),
            None => whole.parse().ok(),
        }
    }

    /// What a text that is no number looks like, if it looks like one that is written another way.
    pub fn look(&self, text: &str) -> Option<Look> {
        if self.decimal == ',' && text.parse::<f64>().is_ok() {
            return Some(Look::Marked('.'));
        }
        if is_date(text) || is_time(text) {
            return Some(Look::Date);
        }
        if text.ends_with('%') && plain(text.trim_end_matches(['%', ' ', '\u{a0}'])).is_some() {
            return Some(Look::Percentage);
        }
        let amount = text.trim_matches(|c: char| CURRENCIES.contains(&c) || c.is_whitespace());
        if amount.len() < text.len() && plain(amount).is_some() {
            return Some(Look::Amount);
        }
        plain(text)
    }
}

/// A number that is written another way than it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// `1,100`: marked thousands, or a fraction behind a comma.
    Marked(char),
    /// `1.100,50`: both, of which the latter is before the fraction.
    Both { thousands: char, decimal: char },
    /// `3,5`
    Fraction(char),
    /// `45 %`
    Percentage,
    /// `$5`
    Amount,
    /// `2024-01-31`, `31.1.2024`, `12:30`
    Date,
    /// `(5)`, `−5`, `0x1f`
    Other,
}

impl Look {
    /// What would be right, after "`1,100` ".
    pub fn advice(self) -> String {
        let ways_out = "write it as a plain number, or name the column under `ignored`, or under `categorical` if it holds categories";
        match self {
            Look::Marked(mark @ (',' | '.')) => format!(
                "looks like a number: `thousands = \"{mark}\"` in `dataset` takes the mark away, `decimal = \"{mark}\"` reads it as the \
                 point before a fraction (or name the column under `categorical` if it holds categories)"
            ),
            Look::Marked(mark) => format!(
                "looks like a number: `thousands = \"{mark}\"` in `dataset` reads it (or name the column under `categorical` if it holds categories)"
            ),
            Look::Both { thousands, decimal: '.' } => {
                format!("looks like a number: `thousands = \"{thousands}\"` in `dataset` reads it")
            }
            Look::Both { thousands, decimal } => {
                format!(
                    "looks like a number: `decimal = \"{decimal}\", thousands = \"{thousands}\"` in `dataset` read it"
                )
            }
            Look::Fraction(mark) => format!(
                "looks like a number: `decimal = \"{mark}\"` in `dataset` reads it (or name the column under `categorical` if it holds categories)"
            ),
            Look::Percentage => format!("looks like a percentage; {ways_out}"),
            Look::Amount => format!("looks like an amount of money; {ways_out}"),
            Look::Date => format!("looks like a date or a time; {ways_out}"),
            Look::Other => format!("looks like a number written another way; {ways_out}"),
        }
    }
}

const CURRENCIES: [char; 6] = ['$', '€', '£', '¥', '₹', '¢'];

/// Whether a character is this mark; a space may be a narrow or an unbreakable one.
fn is_mark(c: char, mark: char) -> bool {
    c == mark || mark == ' ' && c.is_whitespace() || mark == '\'' && c == '’'
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A whole number without the marks between its thousands, if they are where they belong.
fn without_marks(whole: &str, mark: char) -> Option<String> {
    let sign = whole.len() - whole.trim_start_matches(['+', '-']).len();
    let mut groups = whole[sign..].split(|c| is_mark(c, mark));
    let first = groups.next()?;
    let fits = (1..=3).contains(&first.len()) && all_digits(first);
    let mut joined = format!("{}{first}", &whole[..sign]);
    for group in groups {
        if !(fits && group.len() == 3 && all_digits(group)) {
            return None;
        }
        joined.push_str(group);
    }
    Some(joined)
}

/// Digits with marks, a sign, an exponent or parentheses; nothing else.
fn plain(text: &str) -> Option<Look> {
    if text.parse::<f64>().is_ok() {
        return Some(Look::Other);
    }
    let bare = text.strip_prefix('(').and_then(|text| text.strip_suffix(')')).unwrap_or(text);
    let bare = bare.trim_start_matches(['-', '+', '−', '–']).trim();
    if bare.parse::<f64>().is_ok() {
        return Some(Look::Other);
    }
    if let Some(digits) = bare.strip_prefix("0x").or_else(|| bare.strip_prefix("0X")) {
        return (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(Look::Other);
    }
    let mantissa = match bare.split_once(['e', 'E']) {
        Some((mantissa, exponent)) if all_digits(exponent.trim_start_matches(['+', '-'])) => mantissa,
        _ => bare,
    };
    let is_marked = |mark: char| mantissa.contains(|c| is_mark(c, mark));
    let marks: Vec<char> = THOUSANDS.into_iter().filter(|mark| is_marked(*mark)).collect();
    let between = |mark: char, text: &str| without_marks(text, mark).is_some();
    match marks[..] {
        [mark] if between(mark, mantissa) => Some(Look::Marked(mark)),
        [mark @ (',' | '.')] => {
            let (whole, fraction) = mantissa.split_once(mark)?;
            let fits = (whole.is_empty() || all_digits(whole)) && (fraction.is_empty() || all_digits(fraction));
            (fits && whole.len() + fraction.len() > 0).then_some(Look::Fraction(mark))
        }
        [_, _] => {
            let last = mantissa.rfind([',', '.'])?;
            let decimal = mantissa[last..].chars().next()?;
            let thousands = marks.into_iter().find(|mark| *mark != decimal)?;
            let fraction = &mantissa[last + decimal.len_utf8()..];
            (between(thousands, &mantissa[..last]) && all_digits(fraction)).then_some(Look::Both { thousands, decimal })
        }
        // Digits of another script.
        [] if !mantissa.is_empty() && mantissa.chars().all(char::is_numeric) => Some(Look::Other),
        _ => None,
    }
}

/// Year, month and day in any order, with or without a time.
fn is_date(text: &str) -> bool {
    let (date, time) = match text.split_once(['T', ' ']) {
        Some((date, time)) => (date, Some(time.trim_end_matches('Z'))),
        None => (text, None),
    };
    if time.is_some_and(|time| !is_time(time.split(['+', '-']).next().unwrap_or_default().trim())) {
        return false;
    }
    let of = |mark: char| {
        let parts: Vec<&str> = date.split(mark).collect();
        let fits = |part: &&str| all_digits(part) && part.len() <= 4;
        if !parts.iter().all(fits) {
            return false;
        }
        let at_most =
            |part: &str, most: u32| part.len() <= 2 && part.parse().is_ok_and(|x: u32| (1..=most).contains(&x));
        let is_year = |part: &str| part.len() == 4 || part.len() == 2;
        match parts[..] {
            [year, month, day] if year.len() == 4 => at_most(month, 12) && at_most(day, 31),
            [one, other, year] if is_year(year) => {
                at_most(one, 31) && at_most(other, 31) && (at_most(one, 12) || at_most(other, 12))
            }
            [year, month] => mark == '-' && year.len() == 4 && month.len() == 2 && at_most(month, 12),
            _ => false,
        }
    };
    ['-', '/', '.'].into_iter().any(of)
}

/// `12:30`, `12:30:05`, `12:30:05.25`
fn is_time(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    let is_part = |part: &str| part.len() <= 2 && all_digits(part);
    match parts[..] {
        [hours, minutes] => is_part(hours) && is_part(minutes) && minutes.len() == 2,
        [hours, minutes, seconds] => {
            let whole = seconds.split('.').next().unwrap_or_default();
            is_part(hours) && is_part(minutes) && is_part(whole) && seconds.parse::<f64>().is_ok()
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_read_where_they_belong() {
        let read = |decimal, thousands, text: &str| Notation { decimal, thousands }.number(text);
        assert_eq!(read('.', Some(','), "1,100"), Some(1100.0));
        assert_eq!(read('.', Some(','), "-1,234,567.5e2"), Some(-123_456_750.0));
        assert_eq!(read('.', Some(','), "1100"), Some(1100.0));
        assert_eq!(read('.', Some(','), "1,10"), None);
        assert_eq!(read('.', Some(','), "1100,100"), None);
        assert_eq!(read(',', None, "3,5"), Some(3.5));
        assert_eq!(read(',', None, "3.5"), Some(3.5), "another column has points");
        assert_eq!(read(',', None, "3.500"), None, "3.5 or 3500");
        assert_eq!(read(',', Some('.'), "1.100,5"), Some(1100.5));
        assert_eq!(read(',', Some(' '), "1\u{a0}100,5"), Some(1100.5));
        assert_eq!(read('.', Some('_'), "1_000"), Some(1000.0));
        assert_eq!(Notation::default().number("1_000"), None);
    }

    #[test]
    fn numbers_written_another_way_are_seen_and_names_are_not() {
        let look = |text: &str| Notation::default().look(text);
        assert_eq!(look("1,100"), Some(Look::Marked(',')));
        assert_eq!(look("3,5"), Some(Look::Fraction(',')));
        assert_eq!(look("1.100,50"), Some(Look::Both { thousands: '.', decimal: ',' }));
        assert_eq!(look("1,100.50"), Some(Look::Both { thousands: ',', decimal: '.' }));
        assert_eq!((look("1_000"), look("1 000")), (Some(Look::Marked('_')), Some(Look::Marked(' '))));
        for percentage in ["45%", "45 %", "4,5 %", "0.5%"] {
            assert_eq!(look(percentage), Some(Look::Percentage), "{percentage}");
        }
        for amount in ["$5", "€ 1.100,50", "5 €", "£1,000"] {
            assert_eq!(look(amount), Some(Look::Amount), "{amount}");
        }
        for date in [
            "2024-01-31",
            "31.01.2024",
            "1/2/2024",
            "01/02/24",
            "2024-01-31 12:30",
            "2024-01-31T12:30:05Z",
            "12:30",
            "2024-01",
        ] {
            assert_eq!(look(date), Some(Look::Date), "{date}");
        }
        for other in ["(5)", "−5", "0x1F", "١٢"] {
            assert_eq!(look(other), Some(Look::Other), "{other}");
        }
        for name in [
            "", "-", "a", "3m", "1Story", "18-25", "A1", "1.2.3", "10.0.0.1", "N/A", "1,2,3", "555-1234", "(x)", "%",
            "$", "e5", "1/2", "٪",
        ] {
            assert_eq!(look(name), None, "{name}");
        }
    }
}
