//! What docs/worktime.md shows is what the program says, word by word.

use super::worktime;

/// Words as a shell reads them, as far as the page needs it.
fn words(line: &str) -> Vec<String> {
    let quoted = line.split('"').enumerate();
    quoted
        .flat_map(
            |(number, part)| {
                if number % 2 == 1 { vec![part.to_owned()] } else { part.split_whitespace().map(str::to_owned).collect() }
            },
        )
        .collect()
}

#[test]
fn the_page_shows_what_the_command_says() {
    let page = include_str!("../../../../docs/worktime.md");
    let mut shown = 0;
    for block in page.split("```console\n").skip(1) {
        let block = block.split("```").next().unwrap();
        for part in block.split("$ worktime ").skip(1) {
            let (line, expected) = part.split_once('\n').unwrap();
            let words = words(line);
            let output = worktime(&words.iter().map(String::as_str).collect::<Vec<_>>());
            assert_ne!(output.status.code(), Some(2), "{line}: {}", String::from_utf8_lossy(&output.stderr));
            // A long answer is cut on the page, and says so.
            let said = String::from_utf8(output.stdout).unwrap().replace("\r\n", "\n");
            match expected.split_once("…\n") {
                Some((beginning, _)) => assert!(said.starts_with(beginning), "{line}: {said}"),
                None => assert_eq!(said, expected.trim_end_matches('\n').to_owned() + "\n", "{line}"),
            }
            shown += 1;
        }
    }
    assert!(shown >= 5, "{shown}");
}
