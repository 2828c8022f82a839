//! What a page is to show of what a command printed.

/// A line that stands for any lines.
const LEFT_OUT: &str = "…";

/// What is to be shown of the printed lines, in the way in which something is shown now.
pub(crate) fn renewed(shown: &[String], printed: &[String]) -> Vec<String> {
    let mut parts = shown.split(|line| line == LEFT_OUT);
    let (head, tail) = (parts.next().map_or(0, <[String]>::len), parts.next().map(<[String]>::len));
    assert!(parts.next().is_none(), "more than one line {LEFT_OUT} below a command: {shown:?}");
    let lines = match tail {
        Some(tail) if head + tail < printed.len() => {
            [&printed[..head], &[LEFT_OUT.to_owned()], &printed[printed.len() - tail..]].concat()
        }
        Some(_) | None => printed.to_vec(),
    };
    // What differs by measured figures alone stays as it is shown.
    let shown_so = |line: &String| shown.iter().find(|old| without_figures(old) == without_figures(line)).cloned();
    lines.into_iter().map(|line| shown_so(&line).unwrap_or(line)).collect()
}

/// A line without its measured figures: the numbers before a unit that has seconds.
fn without_figures(line: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    let is_number =
        |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit() || b".,".contains(&byte));
    let unit = |at: usize| words.get(at + 1).map(|word| word.trim_end_matches([',', '.', ';', ')']));
    let is_measured = |at: usize| is_number(words[at]) && matches!(unit(at), Some("s" | "operations/s"));
    let kept = words.iter().enumerate().map(|(at, word)| if is_measured(at) { "" } else { word });
    kept.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_line_that_differs_is_shown_anew() {
        assert_eq!(renewed(&lines("a\nb"), &lines("a\nc\nd")), lines("a\nc\nd"));
        assert_eq!(renewed(&[], &lines("a")), lines("a"));
    }

    #[test]
    fn what_is_left_out_stays_so() {
        let printed = lines("a\nb\nc\nd");
        assert_eq!(renewed(&lines("x\n…"), &printed), lines("a\n…"));
        assert_eq!(renewed(&lines("…\nx\ny"), &printed), lines("…\nc\nd"));
        assert_eq!(renewed(&lines("x\n…\ny"), &printed), lines("a\n…\nd"));
        // There is nothing left to leave out.
        assert_eq!(renewed(&lines("x\ny\n…\nz\nz"), &printed), printed);
    }

    #[test]
    fn a_line_in_which_only_measured_figures_differ_stays() {
        let shown = lines("559 operations in 0.03 s, 19,048 operations/s, 3 runs");
        assert_eq!(renewed(&shown, &lines("559 operations in 1.25 s, 447 operations/s, 3 runs")), shown);
        for other in [
            "560 operations in 1.25 s, 448 operations/s, 3 runs",
            "559 operations in 0.03 s, 19,048 operations/s, 4 runs",
        ] {
            assert_eq!(renewed(&shown, &lines(other)), lines(other));
        }
    }
}
