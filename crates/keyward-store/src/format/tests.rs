use proptest::prelude::*;

use super::*;

fn default_format() -> KeyFormat {
    KeyFormat::new("acme_live").unwrap()
}

/// The formats of the four products, ours, and one with everything in it.
fn formats() -> Vec<KeyFormat> {
    vec![
        default_format(),
        KeyFormat::builder("ak_live")
            .secret(Alphabet::Base62, 30)
            .build()
            .unwrap(),
        KeyFormat::builder("kat_live")
            .public_id(IdShape::Characters(16))
            .separator('.')
            .secret(Alphabet::Base62, 32)
            .without_checksum()
            .build()
            .unwrap(),
        hex("ctza", 40),
        hex("sk_live", 64),
        KeyFormat::builder("x")
            .public_id(IdShape::Characters(8))
            .prefix_separator('~')
            .separator('-')
            .secret(Alphabet::Hex, 32)
            .build()
            .unwrap(),
    ]
}

fn hex(prefix: &str, digits: usize) -> KeyFormat {
    KeyFormat::builder(prefix)
        .without_public_id()
        .secret(Alphabet::Hex, digits)
        .without_checksum()
        .build()
        .unwrap()
}

#[test]
fn every_generated_key_parses_to_itself() {
    for format in formats() {
        for _ in 0..500 {
            let made = format.generate().unwrap();
            let key = made.plaintext.expose();
            let parsed = format.parse(key.as_bytes()).expect("own key");
            assert_eq!(parsed.credential(), key.as_bytes());
            assert_eq!(parsed.public_id(), made.public_id);
            assert_eq!(made.public_id.is_some(), format.has_public_id());
            assert!(key.starts_with(&made.hint));
            assert_eq!(key.len(), format.key_len());
        }
    }
}

#[test]
fn the_products_keys_read_as_their_documents_say() {
    let key = hex("ctza", 40).generate().unwrap();
    assert_eq!(
        (key.plaintext.expose().len(), key.hint.len()),
        (45, "ctza_a1b2".len())
    );
    let sitemarks = KeyFormat::builder("sk_live")
        .without_public_id()
        .secret(Alphabet::Hex, 64)
        .without_checksum()
        .hint(8);
    assert_eq!(
        sitemarks.build().unwrap().generate().unwrap().hint,
        "sk_live_"
    );
    let key = formats()[2].generate().unwrap();
    let (id, secret) = key.plaintext.expose().split_once('.').unwrap();
    assert_eq!(id, format!("kat_live_{}", key.public_id.unwrap()));
    assert_eq!(secret.len(), 32);
}

#[test]
fn every_change_of_one_character_of_a_checksummed_key_is_refused() {
    let format = default_format();
    let key = format.generate().unwrap();
    for at in 0..format.key_len() {
        for byte in 0..=255_u8 {
            let mut other = key.plaintext.expose().as_bytes().to_vec();
            if other[at] != byte {
                other[at] = byte;
                assert!(format.parse(&other).is_none(), "byte {byte} at {at}");
            }
        }
    }
}

#[test]
fn the_default_is_one_block_of_sha_256() {
    // FIPS 180-4 §5.1.1: 64 bytes less one of padding and eight of length.
    assert_eq!(KeyFormat::new("twelve_bytes").unwrap().key_len(), 55);
}

#[test]
fn parsing_allocates_nothing() {
    for format in formats() {
        let key = format.generate().unwrap();
        let mut bad = key.plaintext.expose().as_bytes().to_vec();
        *bad.last_mut().unwrap() ^= 1;
        let counted = allocation_counter::measure(|| {
            assert!(format.parse(key.plaintext.expose().as_bytes()).is_some());
            std::hint::black_box(format.parse(&bad));
            assert!(format.parse(b"").is_none());
        });
        assert_eq!(counted.count_total, 0);
    }
}

#[test]
fn characters_of_a_secret_are_equally_likely() {
    let format = hex("sk", 64);
    let mut seen = [0_u32; 256];
    for _ in 0..1_000 {
        let key = format.generate().unwrap();
        for byte in &key.plaintext.expose().as_bytes()[3..] {
            seen[usize::from(*byte)] += 1;
        }
    }
    // 64,000 draws of 16: the standard deviation is 61, so 400 is beyond chance.
    for digit in Alphabet::Hex.characters() {
        let count = seen[usize::from(*digit)];
        assert!(
            count.abs_diff(4_000) < 400,
            "{} of {}",
            count,
            char::from(*digit)
        );
    }
}

#[test]
fn of_a_key_in_a_text_no_more_is_told_than_its_hint() {
    let short = KeyFormat::builder("acme").without_public_id().build();
    let long = KeyFormat::new("acme_live");
    let formats = [short.unwrap(), long.unwrap(), hex("ctza", 40)];
    let formats = Formats::new(formats).unwrap();
    for format in formats.iter() {
        let key = format.generate().unwrap();
        let text = key.plaintext.expose();
        for around in ["", "Bearer ", "é=", "x-api-key: \""] {
            let all = format!("{around}{text}\" é");
            assert_eq!(formats.hint_in(&all), Some(&*key.hint));
            // Begun, it is told as far as that goes.
            let begun = format!("{around}{}", &text[..key.hint.len() - 2]);
            assert_eq!(formats.hint_in(&begun), begun.get(around.len()..));
        }
    }
    assert_eq!(formats.hint_in("CTZA_0123456789"), Some("CTZA_0123"));
    assert_eq!(formats.hint_in("ctza_éééééé"), Some("ctza_éééé"));
    for other in [
        "",
        "ctza",
        "actza_0123456789",
        "_ctza_0123456789",
        "ctza-01",
        "é",
    ] {
        assert_eq!(formats.hint_in(other), None, "{other}");
    }
}

#[test]
fn formats_that_cannot_be_are_refused() {
    let error = |builder: KeyFormatBuilder| builder.build().unwrap_err();
    for prefix in ["", "_a", "a_", "1a", "a-b", "a b", "é", &"a".repeat(33)] {
        assert_eq!(
            error(KeyFormat::builder(prefix)),
            FormatError::Prefix,
            "{prefix}"
        );
    }
    let base = || KeyFormat::builder("a");
    assert_eq!(error(base().separator('/')), FormatError::Separator);
    assert_eq!(error(base().prefix_separator('a')), FormatError::Separator);
    assert_eq!(
        error(base().public_id(IdShape::Characters(7))),
        FormatError::PublicId
    );
    assert_eq!(
        error(base().public_id(IdShape::Characters(25))),
        FormatError::PublicId
    );
    assert_eq!(
        error(base().secret(Alphabet::Base62, 21)),
        FormatError::WeakSecret
    );
    assert_eq!(
        error(base().secret(Alphabet::Hex, 31)),
        FormatError::WeakSecret
    );
    assert_eq!(
        error(base().secret(Alphabet::Hex, 250)),
        FormatError::TooLong
    );
    assert_eq!(
        error(base().secret(Alphabet::Hex, usize::MAX)),
        FormatError::TooLong
    );
    assert_eq!(error(base().without_public_id().hint(9)), FormatError::Hint);
}

#[test]
fn formats_that_one_string_could_match_are_refused() {
    let overlap = |one, other| Formats::new([one, other]).unwrap_err();
    assert!(matches!(
        overlap(hex("sk", 64), hex("sk", 64)),
        FormatError::Overlap(..)
    ));
    // `a_b_<32>` and `a_<34>`: where one has `b_`, the other has digits, so no string has both.
    assert!(Formats::new([hex("a_b", 32), hex("a", 34)]).is_ok());
    // The same with an id in front of the second underscore.
    let with_id = KeyFormat::builder("a")
        .public_id(IdShape::Characters(8))
        .secret(Alphabet::Hex, 32)
        .without_checksum();
    let literal = hex("a_bbbbbbbb", 32);
    assert!(matches!(
        overlap(with_id.build().unwrap(), literal),
        FormatError::Overlap(..)
    ));
    assert_eq!(Formats::new([]).unwrap_err(), FormatError::None);
    assert!(Formats::new(formats()).is_ok());
}

#[test]
fn the_expression_names_every_part() {
    assert_eq!(
        default_format().expression(),
        r"\bacme_live_[0-9A-Za-z]{11}_[0-9A-Za-z]{30}\b"
    );
    assert_eq!(
        formats()[2].expression(),
        r"\bkat_live_[0-9A-Za-z]{16}\.[0-9A-Za-z]{32}\b"
    );
    assert_eq!(
        formats()[5].expression(),
        r"\bx~[0-9a-f]{8}-[0-9a-f]{32}[0-9A-Za-z]{6}\b"
    );
}

proptest! {
    /// Whatever comes in, the parser answers; what it accepts is spelled as the format says.
    #[test]
    fn the_parser_is_total(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        for format in formats() {
            prop_assert!(format.parse(&bytes).is_none());
        }
    }

    /// Cutting, doubling or moving a part of a key makes no second spelling of it.
    #[test]
    fn a_key_has_one_spelling(which in 0..6_usize, at in 0..70_usize, cut in 0..70_usize) {
        let format = &formats()[which];
        let key = format.generate().unwrap();
        let text = key.plaintext.expose().as_bytes();
        let at = at.min(text.len());
        let cut = cut.min(text.len() - at);
        let mut shorter = text.to_vec();
        shorter.drain(at..at + cut);
        prop_assert_eq!(format.parse(&shorter).is_some(), cut == 0);
        let mut longer = text.to_vec();
        longer.extend_from_slice(&text[at..at + cut]);
        prop_assert_eq!(format.parse(&longer).is_some(), cut == 0);
    }

    /// Of two formats that may stand side by side, no key of one is a key of the other.
    #[test]
    fn accepted_sets_are_unambiguous(prefixes in prop::collection::vec("[ab](_[ab]{1,3})?", 2),
                                     secrets in prop::collection::vec(32..40_usize, 2)) {
        let pair: Vec<_> =
            prefixes.iter().zip(&secrets).map(|(prefix, n)| hex(prefix, *n)).collect();
        if let Ok(set) = Formats::new(pair.clone()) {
            for format in pair {
                let key = format.generate().unwrap();
                let fits = set.iter().filter(|f| f.parse(key.plaintext.expose().as_bytes()).is_some());
                prop_assert_eq!(fits.count(), 1);
            }
        }
    }
}
