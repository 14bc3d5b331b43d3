//! Bytes written in hexadecimal: white space is free, `#` to the end of a line is a comment, `XX*N` is the byte `XX` N times.

/// What one byte may be repeated to, all in all.
const MOST: usize = 1 << 30;

/// The bytes that `text` stands for.
pub(super) fn bytes(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let code = line.split('#').next().unwrap_or_default();
        for word in code.split_whitespace() {
            put(word, &mut bytes).ok_or_else(|| format!("line {}: `{word}` is no hexadecimal", index + 1))?;
        }
    }
    Ok(bytes)
}

fn put(word: &str, bytes: &mut Vec<u8>) -> Option<()> {
    if let Some((byte, times)) = word.split_once('*') {
        let (byte, times) = (u8::from_str_radix(byte, 16).ok()?, times.parse().ok()?);
        let length = bytes.len().checked_add(times).filter(|length| *length <= MOST)?;
        bytes.resize(length, byte);
        return Some(());
    }
    let digits = word.as_bytes().chunks(2).map(|pair| {
        let pair = str::from_utf8(pair).ok().filter(|pair| pair.len() == 2 && !pair.starts_with('+'))?;
        u8::from_str_radix(pair, 16).ok()
    });
    bytes.extend(digits.collect::<Option<Vec<u8>>>()?);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_blanks_are_free_and_a_byte_may_be_repeated() {
        assert_eq!(
            bytes("# a frame\n93 a1 74*3 # t\n  c0ff"),
            Ok(vec![0x93, 0xa1, 0x74, 0x74, 0x74, 0xc0, 0xff])
        );
    }

    #[test]
    fn what_is_no_hexadecimal_is_told_with_its_line() {
        for wrong in ["9", "93 a", "93zz", "+1", "ff*", "ff*99999999999", "é"] {
            let why = bytes(&format!("\n{wrong}")).expect_err(wrong);
            assert!(why.starts_with("line 2: "), "{why}");
        }
    }
}
