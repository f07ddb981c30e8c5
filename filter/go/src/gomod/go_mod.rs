//! A go.mod file's directives (module reference, "Lexical elements" and "Grammar"), line by line, read as
//! the Go command reads those of a dependency (x/mod `modfile.ParseLax`).

/// A line that says something: a directive of its own, or a line of a block of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Directive<'a> {
    /// The number of the line, from 1.
    pub line: usize,
    /// What it is, such as `require`.
    pub verb: &'a str,
    /// What stands behind the verb, without a comment.
    pub arguments: &'a [Token<'a>],
}

/// What a line is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token<'a> {
    /// Text that needs no quotes.
    Word(&'a str),
    /// Between `"`, which are part of it.
    Quoted(&'a str),
    /// Between backquotes, which are part of it.
    Raw(&'a str),
    /// A bracket or a comma.
    Sign(char),
}

impl<'a> Token<'a> {
    fn word(self) -> Option<&'a str> {
        match self {
            Self::Word(text) => Some(text),
            _ => None,
        }
    }

    /// The text without quotes.
    pub fn unquoted(&self) -> String {
        match self {
            Self::Word(text) => (*text).to_owned(),
            Self::Quoted(text) => text.trim_matches('"').to_owned(),
            Self::Raw(text) => text.trim_matches('`').to_owned(),
            Self::Sign(sign) => sign.to_string(),
        }
    }
}

/// Reads a go.mod file: `each` gets its directives in order.
///
/// # Errors
/// What the Go command could not read, and what `each` says, with the number of the line.
pub fn directives(
    go_mod: &str,
    mut each: impl FnMut(Directive<'_>) -> Result<(), String>,
) -> Result<(), String> {
    // The verb of the block that is open; of one that has no directive's form there is none.
    let mut block: Option<Option<&str>> = None;
    for (line, text) in (1..).zip(go_mod.split('\n')) {
        let fault = |what: &str| format!("line {line}: {what}");
        let tokens = tokens(text).map_err(fault)?;
        let (verb, arguments) = match (block, tokens.as_slice()) {
            (_, []) => continue,
            (Some(_), [Token::Sign(')')]) => {
                block = None;
                continue;
            }
            (Some(_), [Token::Sign(')'), ..]) => {
                return Err(fault("unexpected text after the )"));
            }
            (Some(verb), all) => (verb, all),
            (None, [first, rest @ .., Token::Sign('(')]) => {
                // A directive has its block right behind it.
                block = Some(first.word().filter(|_| rest.is_empty()));
                continue;
            }
            // A block without a line.
            (None, [_, .., Token::Sign('('), Token::Sign(')')]) => continue,
            (None, [first, rest @ ..]) => (first.word(), rest),
        };
        let Some(verb) = verb else {
            continue;
        };
        let directive = Directive {
            line,
            verb,
            arguments,
        };
        each(directive).map_err(|what| fault(&what))?;
    }
    match block {
        Some(_) => Err("a ( without a matching )".to_owned()),
        None => Ok(()),
    }
}

/// The tokens of one line, without its comment.
fn tokens(line: &str) -> Result<Vec<Token<'_>>, &'static str> {
    let mut tokens = Vec::new();
    let mut rest = line;
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\r']);
        if rest.is_empty() || rest.starts_with("//") {
            return Ok(tokens);
        }
        let (token, behind) = token(rest)?;
        tokens.push(token);
        rest = behind;
    }
}

fn token(rest: &str) -> Result<(Token<'_>, &str), &'static str> {
    let Some(first) = rest.chars().next() else {
        return Err("a token is missing");
    };
    let split = |at: usize| rest.split_at_checked(at).unwrap_or((rest, ""));
    match first {
        '(' | ')' | '[' | ']' | '{' | '}' | ',' => Ok((Token::Sign(first), split(1).1)),
        '"' | '`' => {
            let end = end_of_string(rest, first).ok_or("an unterminated string")?;
            let (text, behind) = split(end);
            let token = if first == '"' {
                Token::Quoted(text)
            } else {
                Token::Raw(text)
            };
            Ok((token, behind))
        }
        _ => {
            let (text, behind) = split(end_of_word(rest)?);
            if text.is_empty() {
                return Err("a character that is not valid here in a go.mod file");
            }
            Ok((Token::Word(text), behind))
        }
    }
}

/// Where a string ends that begins with this quote, behind the second one.
fn end_of_string(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (i, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' if quote == '"' => escaped = true,
            c if c == quote => return Some(i + 1),
            _ => {}
        }
    }
    None
}

fn end_of_word(text: &str) -> Result<usize, &'static str> {
    for (i, c) in text.char_indices() {
        let behind = text.get(i..).unwrap_or_default();
        if behind.starts_with("//") {
            return Ok(i);
        }
        if behind.starts_with("/*") {
            return Err("a /* comment, which go.mod does not allow");
        }
        if matches!(c, '(' | ')' | '[' | ']' | '{' | '}' | ',')
            || c.is_whitespace()
            || c.is_control()
        {
            return Ok(i);
        }
    }
    Ok(text.len())
}
