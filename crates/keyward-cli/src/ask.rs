use std::io::{self, BufRead, Write};

use crate::failure::Failure;
use crate::out::Out;

/// Asks whoever sits before the terminal; only a plain yes is one.
pub(crate) fn confirm(out: &Out, question: &str) -> Result<(), Failure> {
    out.note(question);
    let said = ask(&mut io::stdin().lock(), &mut io::stderr());
    let said = said.map_err(|error| Failure::File("an answer".to_owned(), error))?;
    if said {
        return Ok(());
    }
    Err(Failure::Refused("nothing was done".to_owned()))
}

fn ask(answers: &mut impl BufRead, screen: &mut impl Write) -> io::Result<bool> {
    write!(screen, "Go on? [y/N] ")?;
    screen.flush()?;
    let mut answer = String::new();
    answers.read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_yes_is_yes() {
        for (answer, yes) in [
            ("y\n", true),
            ("yes\n", true),
            ("Y\n", true),
            ("\n", false),
            ("", false),
            ("n\n", false),
            ("yep\n", false),
        ] {
            let mut screen = Vec::new();
            assert_eq!(ask(&mut answer.as_bytes(), &mut screen).unwrap(), yes);
            assert_eq!(screen, b"Go on? [y/N] ");
        }
    }
}
