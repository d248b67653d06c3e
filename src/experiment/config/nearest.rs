//! The valid word nearest to a mistyped one.

/// The word of `words` that `typed` most likely means; none if nothing is near.
///
/// Case does not count, and about every third letter may be wrong. Of equally near words the first is taken.
pub(super) fn nearest<'a>(typed: &str, words: &[&'a str]) -> Option<&'a str> {
    let typed = typed.to_lowercase();
    let distance = |word: &str| strsim::damerau_levenshtein(&typed, &word.to_lowercase());
    let (best, word) = words.iter().map(|&word| (distance(word), word)).min_by_key(|&(best, _)| best)?;
    (best * 3 <= typed.chars().count().max(word.chars().count()) + 1).then_some(word)
}

/// `did you mean `x`? `, or nothing: the beginning of a help text.
pub(super) fn did_you_mean(typed: &str, words: &[&str]) -> String {
    nearest(typed, words).map_or_else(String::new, |word| format!("did you mean `{word}`? "))
}

/// `` `a`, `b` and `c` ``.
pub(super) fn quoted(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        None => "none".to_owned(),
        Some((last, [])) => last.clone(),
        Some((last, before)) => format!("{} and {last}", before.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_word_and_a_stranger_finds_none() {
        let words = ["first-fit", "best-fit", "fifo"];
        assert_eq!(nearest("frist-fit", &words), Some("first-fit"));
        assert_eq!(nearest("BestFit", &words), Some("best-fit"));
        assert_eq!(nearest("quota", &words), None);
        assert_eq!(nearest("x", &[]), None);
    }

    #[test]
    fn lists_read_as_english() {
        assert_eq!(quoted(&["a"]), "`a`");
        assert_eq!(quoted(&["a", "b", "c"]), "`a`, `b` and `c`");
    }
}
