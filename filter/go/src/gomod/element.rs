//! The rules for one element of a path, shared by module paths and versions (x/mod `checkElem`).

use super::name_error::NameError;
use super::split_at_first;

/// Names that Windows keeps for devices, whatever follows the first dot.
const WINDOWS_DEVICES: [&str; 22] = [
    "con", "prn", "aux", "nul", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8",
    "com9", "lpt1", "lpt2", "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9",
];

/// What holds for an element of a module path and of a file name alike: it is not empty, does not
/// end in a dot and names no Windows device.
pub(super) fn check_common(element: &str) -> Result<(), NameError> {
    if element.is_empty() {
        return Err(NameError::EmptyElement);
    }
    if element.ends_with('.') {
        return Err(NameError::DotElement);
    }
    let short = before_first_dot(element);
    // All device names have three or four letters: most elements end here.
    if matches!(short.len(), 3 | 4)
        && WINDOWS_DEVICES
            .iter()
            .any(|device| device.eq_ignore_ascii_case(short))
    {
        return Err(NameError::WindowsName);
    }
    Ok(())
}

/// Whether the element ends like a Windows short name: `~` and digits before the first dot.
pub(super) fn is_windows_short_name(element: &str) -> bool {
    before_first_dot(element)
        .rsplit_once('~')
        .is_some_and(|(_, tail)| !tail.is_empty() && tail.bytes().all(|b| b.is_ascii_digit()))
}

fn before_first_dot(element: &str) -> &str {
    split_at_first(element, b'.').map_or(element, |(short, _)| short)
}
