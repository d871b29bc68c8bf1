//! What many sections are made of.

use super::chart::ink;
use maud::{Markup, PreEscaped, Render, html};

/// A table that scrolls by itself where it is wider than the page.
pub(super) fn scrolling(says: &str, table: &Markup) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label=(says) { (table) }
    }
}

/// A short stroke in an arm's color and dashes.
pub(super) fn key(arm: usize) -> Markup {
    html! {
        svg.key aria-hidden="true" { path class={ "line " (ink(arm)) } d="M0 5h22" {} }
    }
}

/// An estimate and, smaller, the interval behind it, `0.9 [0.8, 1.0]`.
pub(super) fn with_interval(text: &str) -> Markup {
    match text.split_once(" [") {
        Some((point, interval)) => html! { (point) " " small { "[" (interval) } },
        None => html! { (text) },
    }
}

/// All of them, one after the other.
pub(super) fn all<T: Render>(parts: impl IntoIterator<Item = T>) -> Markup {
    PreEscaped(parts.into_iter().map(|part| part.render().into_string()).collect())
}
