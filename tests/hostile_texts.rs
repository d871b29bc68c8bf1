//! Texts with signs that act instead of being seen: in data, in names, in figures, on the page and in the terminal.

#![allow(clippy::unwrap_used)]

mod common;

use common::{Sandbox, TINY, files};

/// Whether a text is one element of XML with closed tags, quoted attributes and nothing that XML can't hold: enough to tell a broken SVG.
fn is_well_formed(text: &str) -> Result<(), String> {
    if let Some(c) =
        text.chars().find(|c| (c.is_control() && !"\n\r\t".contains(*c)) || "\u{fffe}\u{ffff}".contains(*c))
    {
        return Err(format!("U+{:04X}", c as u32));
    }
    let mut open: Vec<&str> = Vec::new();
    let mut rest = text;
    while let Some((before, tag)) = rest.split_once('<') {
        if before.contains('&')
            && before.split('&').skip(1).any(|entity| entity.split_once(';').is_none_or(|(name, _)| name.len() >= 8))
        {
            return Err(format!("an open entity in {before}"));
        }
        let end = tag.find('>').ok_or("an open tag")?;
        let (inside, after) = (&tag[..end], &tag[end + 1..]);
        if inside.matches('"').count() % 2 == 1 {
            return Err(format!("an open quotation in <{inside}>"));
        }
        let name = inside.trim_start_matches('/').split([' ', '\n', '/']).next().unwrap();
        match (inside.starts_with(['?', '!']), inside.strip_prefix('/'), inside.ends_with('/')) {
            (true, ..) | (_, None, true) => {}
            (_, Some(_), _) => {
                let opened = open.pop();
                if opened != Some(name) {
                    return Err(format!("</{name}> closes {opened:?}"));
                }
            }
            _ => open.push(name),
        }
        rest = after;
    }
    if open.is_empty() { Ok(()) } else { Err(format!("{open:?} are not closed")) }
}

fn no_controls(text: &str, of: &str) {
    let acts = |c: &char| (c.is_control() && !"\n\r\t".contains(*c)) || "\u{202e}\u{feff}".contains(*c);
    assert!(text.chars().find(acts).is_none(), "{of}: {text:?}");
}

#[test]
fn what_is_checked_can_be_broken() {
    is_well_formed("<?xml?><a b=\"1\"><c/>x &amp; y</a>").unwrap();
    for broken in ["<a>", "<a></b>", "<a b=\"1></a>", "<a>\u{1b}</a>", "<a>x & y</a>"] {
        assert!(is_well_formed(broken).is_err(), "{broken}");
    }
}

/// Columns and classes of a table with an escape sequence, a zero byte's picture, a turn of direction, a quotation mark and a tag.
#[test]
fn data_is_shown_without_acting() {
    let sandbox = Sandbox::new();
    let class = ["\u{1b}[31mred\u{1b}[0m", "</text><script>&\u{202e}\u{7f}\u{85}"];
    let row = |i: usize| format!("{i}.5,{},\"{}\"\n", (i * i) % 7, class[i % 2]);
    let table = format!("x\u{1b}[2J,\"<y> & \u{202e}\",kind\n{}", (0..40).map(row).collect::<String>());
    sandbox.write("table.csv", &table);
    let dataset = "[task]\ndataset = { csv = \"table.csv\", target = \"kind\" }\n[network]";
    let text = TINY
        .replace("[task]\ndataset = \"digits\"\n[network]", dataset)
        .replace("[[plot]]", "[evaluation]\nmetrics = [\"accuracy\", \"confusion_matrix\"]\n[[plot]]");
    sandbox.write("own.toml", &text);
    let runs = [
        sandbox.run(&["data", "table.csv"]),
        sandbox.run(&["data", "table.csv", "--json"]),
        sandbox.run(&["data", "table.csv", "--figure", "table.svg"]),
        sandbox.run(&["data", "own.toml", "--figure", "own.svg"]),
        sandbox.run(&["run", "own.toml", "--out", "out"]),
    ];
    for run in runs {
        let run = run.succeeded();
        no_controls(&run.out, "standard output");
        no_controls(&run.err, "standard error");
    }
    let drawn = files(&sandbox.path(""))
        .into_iter()
        .filter(|(path, _)| path.extension().is_some_and(|ending| ending == "svg" || ending == "html"));
    let mut figures = 0;
    for (path, content) in drawn {
        let content = String::from_utf8(content).unwrap();
        no_controls(&content, &path.display().to_string());
        if path.extension().unwrap() == "svg" {
            is_well_formed(&content).unwrap_or_else(|fault| panic!("{}: {fault}", path.display()));
            figures += 1;
        }
    }
    assert!(figures >= 4);
    sandbox.write("bad.csv", "a,b\n1,2\n\u{1b}[31m,3\n4,5\n");
    let bad = sandbox.run(&["data", "bad.csv"]);
    no_controls(&format!("{}{}", bad.out, bad.err), "a bad table");
}

#[test]
fn names_that_act_are_refused_with_their_key() {
    let sandbox = Sandbox::new();
    for (from, to, key) in [
        ("title = \"Tiny\"", "title = \"Ti\\u001b[31mny\"", "`title` holds the control character U+001B"),
        ("name = \"label\"", "name = \"la\\u202ebel\"", "`name` holds the control character U+202E"),
        ("[[plot]]", "[[plot]]\nname = \"a\\nb\"", "`name` holds the control character U+000A"),
    ] {
        sandbox.write("names.toml", &TINY.replace(from, to));
        let run = sandbox.run(&["run", "names.toml", "--out", "out"]).failed_with(&["names.toml:", key]);
        no_controls(&run.err, "standard error");
    }
    let run = sandbox.run(&["run", "\u{1b}[31mnowhere.toml"]);
    no_controls(&run.err, "standard error");
}
