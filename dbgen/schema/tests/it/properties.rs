//! No text whatsoever makes the compiler panic, hang or accept what it cannot write back.

use dbgen_schema::layout::table_layout;
use dbgen_schema::write::{fingerprint, to_json_pretty, to_toml};
use dbgen_schema::{Color, Format, Parsed, Source};
use proptest::prelude::*;

use crate::support::{fixtures, parse};

/// Parses in both languages, and holds what comes out to what the crate promises.
fn survives(text: &str) {
    for format in [Format::Json, Format::Toml] {
        let parsed = Parsed::of(&Source { name: "test".to_string(), text: text.to_string(), format });
        let rendered = parsed.diagnostics.render(Color::Always);
        assert_eq!(rendered.is_empty(), parsed.diagnostics.is_empty());
        assert_eq!(parsed.schema.is_none(), parsed.diagnostics.has_errors());
        for diagnostic in &parsed.diagnostics {
            assert!(diagnostic.span.start <= diagnostic.span.end && diagnostic.span.end <= text.len());
        }
        if let Some(schema) = parsed.schema {
            for table in &schema.tables {
                assert!(table_layout(&schema, table).image_bytes <= dbgen_schema::limits::RECORD_BYTES_MAX);
            }
            for back in [parse(&to_json_pretty(&schema), Format::Json), parse(&to_toml(&schema), Format::Toml)] {
                assert!(back.says_the_same(&schema));
                assert_eq!(fingerprint(&back), fingerprint(&schema));
            }
        }
    }
}

/// Words of the language, so that mutations get past the first check.
const WORDS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\n",
    "=",
    ".",
    "#",
    "null",
    "true",
    "false",
    "0",
    "-1",
    "1e9",
    "65536",
    "1.5",
    "\"name\"",
    "\"type\"",
    "\"fields\"",
    "\"tables\"",
    "\"enums\"",
    "\"custom_types\"",
    "\"relations\"",
    "\"indexes\"",
    "\"unique\": true",
    "\"nullable\": true",
    "\"primary_key\": true",
    "\"default\": 5",
    "\"default\": {}",
    "\"min\": 1",
    "\"i32\"",
    "\"str<16>\"",
    "\"list<u8>\"",
    "\"[u8; 4]\"",
    "\"ref<player>\"",
    "\"ref<guild>\"",
    "\"Vec3\"",
    "\"text\"",
    "\"player\"",
    "\"guild\"",
    "\"player.guild\"",
    "\"guild.name\"",
    "\"cascade\"",
    "\"_id\"",
    "\u{0}",
    "\u{feff}",
    "ü",
    "[tables.player]",
    "[[tables.player.fields]]",
    "[a]",
    "a.b",
    "'''",
    "\"\"\"",
    "1979-05-27T07:32:00Z",
    "inf",
    "0x1f",
];

#[derive(Debug, Clone)]
enum Mutation {
    Remove { at: usize, length: usize },
    Repeat { at: usize, length: usize },
    Insert { at: usize, word: usize },
    Byte { at: usize, byte: u8 },
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let place = any::<usize>();
    prop_oneof![
        (place, 1_usize..40).prop_map(|(at, length)| Mutation::Remove { at, length }),
        (place, 1_usize..200).prop_map(|(at, length)| Mutation::Repeat { at, length }),
        (place, 0..WORDS.len()).prop_map(|(at, word)| Mutation::Insert { at, word }),
        (place, any::<u8>()).prop_map(|(at, byte)| Mutation::Byte { at, byte }),
    ]
}

fn mutate(bytes: &mut Vec<u8>, mutation: &Mutation) {
    let place = |at: usize, bytes: &Vec<u8>| at % (bytes.len() + 1);
    match *mutation {
        Mutation::Remove { at, length } => {
            let at = place(at, bytes);
            bytes.drain(at..(at + length).min(bytes.len()));
        }
        Mutation::Repeat { at, length } => {
            let at = place(at, bytes);
            let piece = bytes[at..(at + length).min(bytes.len())].to_vec();
            bytes.splice(at..at, piece);
        }
        Mutation::Insert { at, word } => {
            let at = place(at, bytes);
            bytes.splice(at..at, WORDS[word].bytes());
        }
        Mutation::Byte { at, byte } => {
            let at = place(at, bytes);
            if let Some(old) = bytes.get_mut(at) {
                *old = byte;
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_survive(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        survives(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn words_of_the_language_in_any_order_survive(words in proptest::collection::vec(0..WORDS.len(), 0..60)) {
        let words: Vec<&str> = words.into_iter().map(|word| WORDS[word]).collect();
        survives(&words.join(" "));
    }

    #[test]
    fn mutated_examples_survive(
        which in any::<usize>(),
        toml in any::<bool>(),
        mutations in proptest::collection::vec(mutation(), 1..6),
    ) {
        let schemas = fixtures();
        let schema = &schemas[which % schemas.len()];
        let mut bytes = if toml { to_toml(schema) } else { to_json_pretty(schema) }.into_bytes();
        mutations.iter().for_each(|mutation| mutate(&mut bytes, mutation));
        survives(&String::from_utf8_lossy(&bytes));
    }
}

#[test]
fn texts_made_to_hurt_survive() {
    let deep = 30_000;
    for text in [
        "[".repeat(deep),
        "{\"a\":".repeat(deep),
        format!(
            "{{\"name\":\"a\",\"tables\":{{\"t\":{{\"fields\":[{{\"name\":\"f\",\"type\":\"{}\"}}]}}}}}}",
            "list<".repeat(deep)
        ),
        format!("a = {}", "[".repeat(deep)),
        format!("a = {}", "{b=".repeat(deep)),
        format!("[{}]", vec!["a"; deep].join(".")),
        format!("{} = 1", vec!["\"=\""; deep].join(".")),
        format!("a = {{ {} }}", vec!["b.b.b.b.b.b.b.b.b = {"; 1000].join("")),
        "[[a]]\n".repeat(20_000),
        "a = 1\n".repeat(20_000),
        "\"".repeat(deep),
        format!("{{\"name\": \"a\", \"tables\": {{{}}}}}", "\"t\": 5,".repeat(20_000)),
        "\u{202e}\u{0}\u{feff}".repeat(1000),
    ] {
        survives(&text);
    }
}

/// Fields that double what they hold, thirty times over: 2^30 bytes if anybody went to look.
#[test]
fn types_that_double_are_refused_quickly() {
    let doubled = (1..40).map(|at| {
        let field = |name| format!("{{\"name\":\"{name}\",\"type\":\"T{}\"}}", at - 1);
        format!(",\"T{at}\":{{\"fields\":[{},{}]}}", field("a"), field("b"))
    });
    let types: String = doubled.collect();
    let first = "\"T0\":{\"fields\":[{\"name\":\"x\",\"type\":\"u64\"}]}";
    survives(&format!("{{\"name\":\"a\",\"custom_types\":{{{first}{types}}},\"tables\":{{}}}}"));
}

/// A default that each of a million left-out fields would repeat.
#[test]
fn defaults_cannot_fill_the_memory() {
    let numbers = vec!["1"; 30_000].join(",");
    let holes = vec!["{}"; 30_000].join(",");
    let text = format!(
        "{{\"name\":\"a\",\"custom_types\":{{\
           \"Big\":{{\"fields\":[{{\"name\":\"n\",\"type\":\"list<u8>\",\"default\":[{numbers}]}}]}}}},\
         \"tables\":{{\"t\":{{\"fields\":[{{\"name\":\"f\",\"type\":\"list<Big>\",\"default\":[{holes}]}}]}}}}}}"
    );
    let parsed = Parsed::of(&Source { name: "test".to_string(), text, format: Format::Json });
    assert!(parsed.diagnostics.has_errors());
}

#[test]
fn a_thousand_mistakes_are_counted_and_twenty_shown() {
    let fields: Vec<String> = (0..1000).map(|at| format!("{{\"name\":\"f{at}\",\"type\":\"no{at}\"}}")).collect();
    let tables = (0..3).map(|at| format!("\"t{at}\":{{\"fields\":[{}]}}", fields.join(",\n")));
    let text = format!("{{\"name\":\"a\",\"tables\":{{{}}}}}", tables.collect::<Vec<_>>().join(","));
    let parsed = Parsed::of(&Source { name: "test".to_string(), text, format: Format::Json });
    assert_eq!(parsed.diagnostics.len(), 3000);
    assert_eq!(parsed.diagnostics.iter().count(), 1000);
    let text = parsed.diagnostics.to_string();
    assert_eq!(text.matches("error[").count(), 20);
    assert!(text.ends_with("... and 2980 more\n"), "{}", &text[text.len() - 200..]);
}
