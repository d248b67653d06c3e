//! The word that was probably meant.

/// The one of `words` that `word` is most likely a slip of: the fewest letters away, if that is at most a third of its
/// letters (but always one, and two, as for letters that changed places, if there are four or more).
#[must_use]
pub(crate) fn nearest<'a>(word: &str, words: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let letters = word.chars().count();
    let most = (letters / 3).max(if letters < 4 { 1 } else { 2 });
    let near = words.into_iter().map(|known| (distance(word, known), known));
    near.filter(|(distance, _)| *distance <= most)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// What should have stood in place of `word`: the nearest of `words`, or all of them if none is near.
#[must_use]
pub(crate) fn expected<'a>(word: &str, words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<&str> = words.into_iter().collect();
    match nearest(word, words.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if words.is_empty() => "there is none".to_owned(),
        None => {
            let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
            format!("expected one of {}", quoted.join(", "))
        }
    }
}

/// How many letters must be put in, taken out or changed to turn one word into the other (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let least = (diagonal + usize::from(x != *y)).min(row[j] + 1).min(row[j + 1] + 1);
            diagonal = std::mem::replace(&mut row[j + 1], least);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_a_letter_is_found_and_a_stranger_is_not() {
        let words = ["add", "subtract", "contains"];
        assert_eq!(nearest("substract", words), Some("subtract"));
        assert_eq!(nearest("contians", words), Some("contains"));
        assert_eq!(nearest("ad", words), Some("add"));
        assert_eq!(nearest("frobnicate", words), None);
    }

    #[test]
    fn what_was_expected_is_one_word_or_all() {
        assert_eq!(expected("agnt", ["agent", "op"]), "did you mean `agent`?");
        assert_eq!(expected("xyz", ["agent", "op"]), "expected one of `agent`, `op`");
        assert_eq!(expected("xyz", []), "there is none");
    }
}
